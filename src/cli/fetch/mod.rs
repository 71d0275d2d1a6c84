//! `deepvis fetch`: a well-known network by its name, into the user's data folder.

mod check;
mod download;
mod part;
mod source;

use std::path::Path;
use std::process::ExitCode;

use deepvis_importer::names::suggest;

use super::error::Error;
use super::flags::FetchFlags;
use super::stdout::out;
use crate::atomic_file::write_atomically;
use crate::model::catalogue::{self, Entry};
use crate::model::data_folder::data_folder;
use download::PATIENCE;
use source::Source;

pub(super) fn run(flags: &FetchFlags) -> anyhow::Result<ExitCode> {
    let Some(name) = &flags.name else {
        list();
        return Ok(ExitCode::SUCCESS);
    };
    let entry = entry(name)?;
    let folder = data_folder()
        .ok_or_else(|| Error::Usage("there is no home folder to keep models in; set HOME".into()))?
        .join(entry.name);
    let source = Source::new(flags.from.as_deref(), PATIENCE.wait)?;
    for remote in entry.remotes() {
        let path = folder.join(remote.file_name());
        let check = |path: &Path| check::check(entry, remote.kind, path);
        if path.exists() && !flags.brave {
            match check(&path) {
                Ok(()) => {
                    if !flags.quiet {
                        eprintln!("{} is there already; --brave downloads it again", path.display());
                    }
                    continue;
                }
                Err(message) => eprintln!("{}: {message}; it is downloaded again", path.display()),
            }
        }
        download::fetch(&source, &remote, &path, flags.quiet, PATIENCE, check)?;
    }
    write_atomically(&folder.join("deploy.prototxt"), entry.deploy.as_bytes())?;
    write_atomically(
        &folder.join(crate::model::settings::FILE_NAME),
        entry.settings().as_bytes(),
    )?;
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
        let here = data_folder().is_some_and(|folder| folder.join(entry.name).join("deploy.prototxt").is_file());
        out!(
            "{:<width$}  {}{}",
            entry.name,
            entry.about,
            if here { " (fetched)" } else { "" }
        );
    }
}
