//! `deepvis init-settings`: a commented settings file.

use std::path::Path;
use std::process::ExitCode;

use super::flags::InitSettingsFlags;
use super::stdout::out;
use crate::atomic_file::write_atomically;
use crate::model::settings::{FILE_NAME, TEMPLATE};
use crate::model::toolbox;
use crate::output::Error;

/// Bytes of the longest settings of a toolbox that are read.
const LONGEST: u64 = 1 << 20;

pub(super) fn run(flags: &InitSettingsFlags) -> anyhow::Result<ExitCode> {
    let path = Path::new(FILE_NAME);
    if path.exists() && !flags.brave {
        anyhow::bail!("{FILE_NAME} exists already; --brave overwrites it");
    }
    if let Some(from) = &flags.from {
        return of_toolbox(from, path);
    }
    write_atomically(path, TEMPLATE.as_bytes())?;
    out!("{}: every key explained; uncomment what you need", path.display());
    Ok(ExitCode::SUCCESS)
}

/// Settings taken over from the toolbox's.
fn of_toolbox(from: &Path, path: &Path) -> anyhow::Result<ExitCode> {
    let read = |source| Error::Read {
        path: from.to_owned(),
        source,
    };
    let text = deepvis_importer::input::read_text(from, LONGEST).map_err(read)?;
    let folder = std::path::absolute(from).map_err(read)?;
    let (settings, notes) = toolbox::read(&text, folder.parent().unwrap_or(Path::new("/")));
    for note in notes {
        eprintln!("warning: {}: {note}", from.display());
    }
    let entries = toolbox::text(&settings);
    if entries.is_empty() {
        return Err(super::error::Error::Usage(format!(
            "--from {}: it sets none of caffevis_caffe_root, caffevis_deploy_prototxt, caffevis_network_weights, \
             caffevis_data_mean, caffevis_labels, caffevis_label_layers and caffevis_data_hw",
            from.display()
        ))
        .into());
    }
    write_atomically(
        path,
        format!("# Taken over from {:?}.\n{entries}", from.display().to_string()).as_bytes(),
    )?;
    out!(
        "{}: {} settings of {}",
        path.display(),
        entries.lines().count(),
        from.display()
    );
    Ok(ExitCode::SUCCESS)
}
