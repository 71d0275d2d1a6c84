//! `deepvis gallery`: a page and pictures to look at of a folder of results.

use std::path::Path;
use std::process::ExitCode;

use deepvis_importer::names::counted;

use super::error::Error;
use super::flags::GalleryFlags;
use super::stdout::out;
use crate::output::gallery;

pub(super) fn run(flags: &GalleryFlags) -> anyhow::Result<ExitCode> {
    if flags.folder.is_file() {
        let beside = flags.folder.parent().filter(|folder| !folder.as_os_str().is_empty());
        return Err(Error::Usage(format!(
            "gallery: {} is a file; it takes the folder of the results, such as {}",
            flags.folder.display(),
            beside.unwrap_or(Path::new(".")).display()
        ))
        .into());
    }
    if !flags.folder.is_dir() {
        return Err(Error::NoFile {
            flag: "gallery",
            path: flags.folder.clone(),
        }
        .into());
    }
    let written = gallery::write(&flags.folder, flags.title.as_deref())?;
    for warning in &written.warnings {
        eprintln!("warning: {warning}");
    }
    out!(
        "{}: {}; open it in a browser",
        written.page.display(),
        counted(written.pictures, "picture")
    );
    out!(
        "{}: {} of everything, of each layer and of each unit's seeds",
        written.folder.display(),
        counted(written.montages, "montage")
    );
    Ok(ExitCode::SUCCESS)
}
