//! A model's folder: its deepvis.toml and files.

use std::path::Path;

use super::error::Result;
use super::files;
use super::is_whole;
use super::settings::{FILE_NAME, Settings};

/// The settings of a model's folder: its deepvis.toml, completed by the files that are there.
///
/// # Errors
/// When the settings cannot be understood, or [`files::of`] cannot tell which files belong to the network.
pub fn settings(folder: &Path) -> Result<Settings> {
    let file = folder.join(FILE_NAME);
    let mut settings = if file.is_file() {
        Settings::read(&file)?
    } else {
        Settings::default()
    };
    match (&settings.deploy_proto, &settings.net_weights) {
        (_, Some(weights)) if is_whole(weights) => {}
        (Some(_), Some(_)) => {}
        (None, Some(weights)) if weights.is_file() => {
            settings.deploy_proto = files::of(weights)?.deploy;
        }
        (Some(deploy), None) if deploy.is_file() => settings.net_weights = files::of(deploy)?.weights,
        (None, None) => {
            let found = files::of_folder(folder)?;
            (settings.deploy_proto, settings.net_weights) = (found.deploy, found.weights);
        }
        // That there is no such file is said when it is loaded.
        (None, Some(_)) | (Some(_), None) => {}
    }
    Ok(settings)
}
