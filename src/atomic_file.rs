//! Files that are whole or not there: written under another name, then renamed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A file that the file system would not take.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}; is there space, and may you write there?", path.display())]
pub struct Error {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

/// How names of temporary files begin and end.
const TEMPORARY: (&str, &str) = (".deepvis-", ".tmp");
/// A temporary file of this age is nobody's any more: its program was killed while it wrote.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Takes away what killed programs left half-written in a folder.
pub fn sweep(folder: &Path) {
    let is_abandoned = |entry: &std::fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let age = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .map(|time| time.elapsed().unwrap_or_default());
        name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1) && age.is_ok_and(|age| age > ABANDONED)
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    for entry in entries.filter(is_abandoned) {
        // What cannot be taken away does no harm.
        let _ = std::fs::remove_file(entry.path());
    }
}

/// What makes files that [`sweep`] knows.
fn temporary() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY.0).suffix(TEMPORARY.1);
    builder
}

/// Writes `bytes` under a temporary name beside `path`, then renames: `path` is never half-written.
///
/// # Errors
/// When the folder cannot be made or the file not be written.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let failed = |source| Error {
        path: path.to_owned(),
        source,
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = temporary();
    // Temporary files are for their owner alone; results are as open as the user's umask makes any new file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = in_folder(folder, || builder.tempfile_in(folder)).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_data().map_err(failed)?;
    file.persist(path).map(|_| ()).map_err(|e| failed(e.error))
}

/// How often a folder is made for one file, should others take it away meanwhile.
const TRIES: usize = 8;

/// Makes a folder where there is none, and opens a file in it. Another process may find the folder empty in between, and take it away:
/// then it is made again.
///
/// # Errors
/// When it cannot be made, or `open` fails.
pub fn in_folder<T>(folder: &Path, mut open: impl FnMut() -> std::io::Result<T>) -> std::io::Result<T> {
    let mut tries = 1;
    loop {
        std::fs::create_dir_all(folder)?;
        match open() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && tries < TRIES => tries += 1,
            done => return done,
        }
    }
}

/// Bytes that must be free before anything is begun.
const LEAST_SPACE: usize = 1 << 16;

/// Makes a folder where there is none, and sees whether a file can be written there.
///
/// # Errors
/// When it cannot be made or written.
pub fn check_folder(folder: &Path) -> Result<(), Error> {
    let failed = |source| Error {
        path: folder.to_owned(),
        source,
    };
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let mut file = in_folder(folder, || temporary().tempfile_in(folder)).map_err(failed)?;
    // A full disk takes an empty file.
    file.write_all(&[0; LEAST_SPACE]).map_err(failed)
}
