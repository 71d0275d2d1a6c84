//! `--model NAME|DIR`: the bundled network, one that `deepvis fetch` brought, or any folder.

use std::path::{Path, PathBuf};

use deepvis_importer::names::suggest;

use super::data_folder::data_folder;
use super::error::{Error, Result};
use super::files::Kind;
use super::{bundled, catalogue};

/// Whether a word that is no path names a model.
pub fn is_name(word: &Path) -> bool {
    !word.exists() && word.to_str().is_some_and(|name| known().contains(&name))
}

/// The folder of a model.
///
/// # Errors
/// When there is neither a folder nor a model of that name, or it has not been fetched yet.
pub fn folder(name: &Path) -> Result<PathBuf> {
    if name.is_dir() {
        return Ok(name.to_owned());
    }
    let word = name.to_string_lossy();
    if word == bundled::NAME {
        return bundled::folder();
    }
    let fetched = data_folder()
        .map(|folder| folder.join(name))
        .filter(|folder| folder.is_dir());
    let is_file_of_a_network = name.extension().is_some() && Kind::of(name).is_some();
    if let (true, Err(source)) = (is_file_of_a_network, std::fs::metadata(name)) {
        let path = name.to_owned();
        return Err(Error::Read { path, source });
    }
    match fetched {
        Some(folder) if known().contains(&&*word) => Ok(folder),
        _ if known().contains(&&*word) => Err(Error::Unknown(format!(
            "{word} is not on this machine yet; `deepvis fetch {word}` brings it"
        ))),
        _ => Err(Error::Unknown(format!(
            "{word}: there is no such folder, and no model of that name; {}",
            suggest(&word, &known(), 10)
        ))),
    }
}

fn known() -> Vec<&'static str> {
    [bundled::NAME].into_iter().chain(catalogue::names()).collect()
}
