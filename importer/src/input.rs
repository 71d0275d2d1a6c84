//! Opening files that a user names: only regular files, and only up to a size that is plausible for their kind.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// Opens a file and returns its length. Pipes, devices and sockets are refused before they are opened: reading from
/// them may block for ever, or never end.
///
/// # Errors
/// When it cannot be opened, or is no regular file.
pub fn open(path: &Path) -> Result<(File, u64)> {
    check(&std::fs::metadata(path)?)?;
    let file = File::open(path)?;
    // Again, should another have taken its name meanwhile.
    let metadata = file.metadata()?;
    check(&metadata)?;
    Ok((file, metadata.len()))
}

fn check(metadata: &std::fs::Metadata) -> Result<()> {
    if metadata.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(Error::other("it is a pipe or a device, not a file"));
    }
    Ok(())
}

/// Reads a whole file of at most `most` bytes.
///
/// # Errors
/// As [`open`], and when it is longer.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let (file, len) = open(path)?;
    let too_long = || Error::other(format!("it is longer than the {most} bytes that such a file can have"));
    if len > most {
        return Err(too_long());
    }
    // A file may say that it is empty and have no end, as some of the system's do.
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(too_long());
    }
    Ok(bytes)
}

/// [`read`] of a text.
///
/// # Errors
/// As [`read`], and when it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> Result<String> {
    String::from_utf8(read(path, most)?).map_err(|_| Error::new(ErrorKind::InvalidData, "it is not text in UTF-8"))
}
