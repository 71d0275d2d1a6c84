//! `deepvis init-settings`: a commented settings file.

use std::path::Path;
use std::process::ExitCode;

use super::flags::InitSettingsFlags;
use super::settings::{FILE_NAME, TEMPLATE};
use super::stdout::out;
use crate::output::Error;
use crate::output::files::write_atomically;

pub(super) fn run(flags: &InitSettingsFlags) -> anyhow::Result<ExitCode> {
    let path = Path::new(FILE_NAME);
    if path.exists() && !flags.brave {
        return Err(Error::Exists(path.to_owned()).into());
    }
    write_atomically(path, TEMPLATE.as_bytes())?;
    out!("{}: every key explained; uncomment what you need", path.display());
    Ok(ExitCode::SUCCESS)
}
