//! `deepvis fetch`: a well-known network by its name, into the user's data folder.

pub(super) mod catalogue;
mod download;
mod source;

use std::process::ExitCode;

use deepvis_importer::names::suggest;

use super::error::Error;
use super::flags::FetchFlags;
use super::model::named;
use super::stdout::out;
use crate::output::files::write_atomically;
use catalogue::Entry;
use source::Source;

pub(super) fn run(flags: &FetchFlags) -> anyhow::Result<ExitCode> {
    let Some(name) = &flags.name else {
        list();
        return Ok(ExitCode::SUCCESS);
    };
    let entry = entry(name)?;
    let folder = named::data_folder()
        .ok_or_else(|| Error::Usage("there is no home folder to keep models in; set HOME".into()))?
        .join(entry.name);
    let source = Source::new(flags.from.as_deref())?;
    for remote in entry.remotes() {
        let path = folder.join(remote.file_name());
        if path.exists() && !flags.brave {
            if !flags.quiet {
                eprintln!("{} is there already; --brave downloads it again", path.display());
            }
            continue;
        }
        download::fetch(&source, &remote, &path, flags.quiet)?;
    }
    write_atomically(&folder.join("deploy.prototxt"), entry.deploy.as_bytes())?;
    write_atomically(&folder.join(super::settings::FILE_NAME), entry.settings().as_bytes())?;
    if !flags.quiet {
        out!(
            "{} is in {}; now: deepvis optimize --model {} --preset paper-3",
            entry.name,
            folder.display(),
            entry.name
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn entry(name: &str) -> Result<&'static Entry, Error> {
    catalogue::entries()
        .iter()
        .find(|entry| entry.name == name)
        .ok_or_else(|| {
            let known: Vec<&str> = catalogue::names().collect();
            Error::Usage(format!(
                "fetch {name}: no network of that name is known; {}",
                suggest(name, &known, 10)
            ))
        })
}

fn list() {
    let width = catalogue::names().map(str::len).max().unwrap_or(0);
    for entry in catalogue::entries() {
        let here = named::data_folder().is_some_and(|folder| folder.join(entry.name).join("deploy.prototxt").is_file());
        out!(
            "{:<width$}  {}{}",
            entry.name,
            entry.about,
            if here { " (fetched)" } else { "" }
        );
    }
}
