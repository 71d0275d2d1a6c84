//! `deepvis gallery`: a page and pictures to look at of a folder of results.

use std::process::ExitCode;

use super::error::Error;
use super::flags::GalleryFlags;
use super::stdout::out;
use crate::output::gallery;

pub(super) fn run(flags: &GalleryFlags) -> anyhow::Result<ExitCode> {
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
    for path in &written.montages {
        out!("{}", path.display());
    }
    out!(
        "{}: {} units; open it in a browser",
        written.page.display(),
        written.units
    );
    Ok(ExitCode::SUCCESS)
}
