//! The network that comes with the program, so that it can show something before anything is downloaded.

use std::path::{Path, PathBuf};

use super::data_folder::data_folder;
use super::error::{Error, Result};
use crate::atomic_file::write_atomically;

/// The name that `--model` knows it by.
pub const NAME: &str = "demo";

/// Its files: see `models/demo/README.md`.
const FILES: [(&str, &[u8]); 4] = [
    ("deploy.prototxt", include_bytes!("../../models/demo/deploy.prototxt")),
    (
        "weights.caffemodel",
        include_bytes!("../../models/demo/weights.caffemodel"),
    ),
    ("labels.txt", include_bytes!("../../models/demo/labels.txt")),
    ("deepvis.toml", include_bytes!("../../models/demo/deepvis.toml")),
];

/// The folder of the bundled network: in the user's data folder, or, where one may not write there, below the system's
/// temporary one. It is written when it is not there or of another version.
pub fn folder() -> Result<PathBuf> {
    let mut last = None;
    if let Some(folder) = data_folder().map(|folder| folder.join(NAME)) {
        match unpack(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) => last = Some(error.to_string()),
        }
    }
    match private_folder().map(|folder| folder.join(NAME)) {
        Ok(folder) => match unpack(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) => last = Some(error.to_string()),
        },
        Err(error) => last = last.or(Some(error.to_string())),
    }
    Err(Error::Unknown(format!(
        "the bundled network could not be unpacked{}; name another",
        last.map(|error| format!(": {error}")).unwrap_or_default()
    )))
}

/// A folder in the system's temporary folder that only this user can write to, the same one for each run. Since any
/// user could have created that name before, it is used only if it is a real folder (not a link) that belongs to this
/// user.
#[cfg(unix)]
fn private_folder() -> std::io::Result<PathBuf> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};

    // SAFETY: it asks for a number, and cannot fail.
    let user = unsafe { libc::geteuid() };
    let folder = std::env::temp_dir().join(format!("deepvis-{user}-{}", env!("CARGO_PKG_VERSION")));
    // What stands in the way is looked at next.
    let _ = std::fs::DirBuilder::new().mode(0o700).create(&folder);
    let is_private = std::fs::symlink_metadata(&folder)
        .is_ok_and(|found| found.is_dir() && found.uid() == user && found.mode() & 0o077 == 0);
    if is_private {
        return Ok(folder);
    }
    // Another's: one of a name that nobody could know, which stays behind.
    Ok(tempfile::Builder::new().prefix("deepvis-").tempdir()?.keep())
}

/// Elsewhere the temporary folder is each user's own.
#[cfg(not(unix))]
fn private_folder() -> std::io::Result<PathBuf> {
    Ok(std::env::temp_dir().join(format!("deepvis-{}", env!("CARGO_PKG_VERSION"))))
}

fn unpack(folder: &Path) -> Result<(), crate::atomic_file::Error> {
    for (name, bytes) in FILES {
        let path = folder.join(name);
        if std::fs::read(&path).ok().as_deref() != Some(bytes) {
            write_atomically(&path, bytes)?;
        }
    }
    Ok(())
}
