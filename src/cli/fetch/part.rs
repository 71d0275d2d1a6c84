//! A partial download, with a record of where it came from. It is resumed only from the same address and the same
//! version of the file, and only up to where its bytes agree with the recorded checksum.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use deepvis_importer::input;
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use crate::hexadecimal::hexadecimal;

/// The record is updated after this many bytes, which is what is lost at most when the program is killed.
const RECORDED_EVERY: u64 = 8 << 20;
/// Longest record that is read, in bytes.
const LONGEST_RECORD: u64 = 1 << 16;
/// Bytes read at a time.
const PIECE: usize = 1 << 16;

/// A file that is not whole yet.
pub(super) struct Part {
    path: PathBuf,
    record: Record,
    hash: Sha1,
    file: File,
    unrecorded: u64,
}

/// What is known of a part: beside it, with `.json` appended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Record {
    /// Where it comes from.
    address: String,
    /// The version, a strong ETag of the server.
    version: Option<String>,
    /// Bytes that the checksum covers.
    len: u64,
    /// Their SHA-1.
    sha1: String,
}

impl Part {
    /// The part at `path`, truncated to what its record confirms; empty where there is none from `address`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn open(path: &Path, address: &str) -> std::io::Result<Self> {
        let recorded = input::read(&record_path(path), LONGEST_RECORD)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Record>(&bytes).ok())
            .filter(|record| record.address == address && record.version.is_some());
        let trusted = recorded.and_then(|record| {
            let (file, _) = input::open(path).ok()?;
            let mut hash = Sha1::new();
            let read = feed(&mut file.take(record.len), &mut hash).ok()?;
            (read == record.len && hex(hash.clone()) == record.sha1).then_some((record, hash))
        });
        // Anything else of that name, such as a link or a pipe, is removed.
        if trusted.is_none() && std::fs::symlink_metadata(path).is_ok() {
            std::fs::remove_file(path)?;
        }
        let (record, hash) = trusted.unwrap_or_else(|| {
            let record = Record {
                address: address.to_owned(),
                ..Record::default()
            };
            (record, Sha1::new())
        });
        let file = File::options().create(true).append(true).open(path)?;
        file.set_len(record.len)?;
        Ok(Self {
            path: path.to_owned(),
            record,
            hash,
            file,
            unrecorded: 0,
        })
    }

    /// Bytes that have come.
    pub(super) fn len(&self) -> u64 {
        self.record.len
    }

    /// The version of the part, for the `If-Range` header of the request for the rest.
    pub(super) fn version(&self) -> Option<&str> {
        self.record.version.as_deref()
    }

    /// Starts again from the beginning, with another version.
    pub(super) fn restart(&mut self, version: Option<String>) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.hash = Sha1::new();
        self.record.len = 0;
        self.record.version = version;
        self.unrecorded = 0;
        Ok(())
    }

    /// Appends bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.record.len += bytes.len() as u64;
        self.unrecorded += bytes.len() as u64;
        if self.unrecorded >= RECORDED_EVERY {
            self.keep()?;
        }
        Ok(())
    }

    /// Writes data and record to disk, so that a later run can resume.
    pub(super) fn keep(&mut self) -> std::io::Result<()> {
        self.unrecorded = 0;
        self.file.sync_data()?;
        self.record.sha1 = self.sha1();
        std::fs::write(record_path(&self.path), serde_json::to_vec(&self.record)?)
    }

    /// The SHA-1 of what has come.
    pub(super) fn sha1(&self) -> String {
        hex(self.hash.clone())
    }

    /// Deletes part and record.
    pub(super) fn throw_away(self) -> std::io::Result<()> {
        let _ = std::fs::remove_file(record_path(&self.path));
        std::fs::remove_file(&self.path)
    }

    /// Renames the complete part to the file's own name.
    pub(super) fn finish(self, path: &Path) -> std::io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.path, path)?;
        let _ = std::fs::remove_file(record_path(&self.path));
        Ok(())
    }
}

fn record_path(part: &Path) -> PathBuf {
    PathBuf::from(format!("{}.json", part.display()))
}

fn feed(from: &mut impl Read, hash: &mut Sha1) -> std::io::Result<u64> {
    let mut piece = vec![0; PIECE];
    let mut read = 0;
    loop {
        match from.read(&mut piece)? {
            0 => return Ok(read),
            count => {
                hash.update(&piece[..count]);
                read += count as u64;
            }
        }
    }
}

fn hex(hash: Sha1) -> String {
    hexadecimal(&hash.finalize())
}
