//! One file: resumed where it broke off, checked, and only then given its name.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sha1::{Digest, Sha1};

use super::catalogue::Remote;
use super::source::{Failure, Source};

/// Connections that are tried without a byte gained before the download is given up.
const ATTEMPTS: u32 = 5;
/// Before the second attempt; twice as long before each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Bytes read at a time.
const PIECE: usize = 1 << 16;

/// A download that failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The file could not be had.
    #[error("{place}: {message}{hint}")]
    Unavailable {
        place: String,
        message: String,
        hint: &'static str,
    },
    /// It is not what its publisher says.
    #[error(
        "{place}: its SHA-1 is {found}, its publisher states {expected}; it was thrown away. Try again, or another source \
         with --from"
    )]
    Checksum {
        place: String,
        found: String,
        expected: &'static str,
    },
    /// It could not be written.
    #[error("cannot write {}: {source}; is there space, and may you write there?", path.display())]
    Write { path: PathBuf, source: std::io::Error },
}

const MIRRORS: &str =
    "; --from takes a mirror's address or a folder with the file. What came is kept: the same command goes on";

/// Fetches a file to `path`. What has come is in `path` with `.part` appended until it is whole and checked.
///
/// # Errors
/// When the file cannot be had or written, or its checksum is wrong.
pub(super) fn fetch(source: &Source, remote: &Remote, path: &Path, quiet: bool) -> Result<(), Error> {
    let part = PathBuf::from(format!("{}.part", path.display()));
    let failed = |source| Error::Write {
        path: part.clone(),
        source,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let bar = bar(remote.file_name(), quiet);
    let mut attempt = 1;
    let mut pause = FIRST_PAUSE;
    loop {
        let before = length(&part);
        match transfer(source, remote, &part, before, &bar).map_err(failed)? {
            Ok(()) => break,
            Err(Failure::Range) => std::fs::remove_file(&part).map_err(failed)?,
            Err(Failure::Passing(_)) if length(&part) > before => attempt = 1,
            Err(Failure::Passing(message)) if attempt == ATTEMPTS => {
                return Err(unavailable(source, remote, message, MIRRORS));
            }
            Err(Failure::Passing(_)) => {
                std::thread::sleep(pause);
                pause *= 2;
                attempt += 1;
            }
            Err(Failure::Lasting(message)) => {
                return Err(unavailable(source, remote, message, MIRRORS));
            }
        }
    }
    bar.finish_and_clear();
    check(source, remote, &part)?;
    std::fs::rename(&part, path).map_err(failed)
}

fn unavailable(source: &Source, remote: &Remote, message: String, hint: &'static str) -> Error {
    Error::Unavailable {
        place: source.place(remote),
        message,
        hint,
    }
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// One connection's worth of the file, appended to `part`. The outer error is the disk's, the inner one the source's.
fn transfer(
    source: &Source,
    remote: &Remote,
    part: &Path,
    have: u64,
    bar: &ProgressBar,
) -> std::io::Result<Result<(), Failure>> {
    let mut opened = match source.open(remote, have) {
        Ok(opened) => opened,
        Err(failure) => return Ok(Err(failure)),
    };
    let mut file = File::options().create(true).append(true).open(part)?;
    if opened.begin != have {
        file.set_len(opened.begin)?;
    }
    if let Some(len) = opened.len {
        bar.set_length(len);
    }
    let mut at = opened.begin;
    bar.set_position(at);
    let mut piece = vec![0; PIECE];
    loop {
        match opened.body.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => {
                file.write_all(&piece[..count])?;
                at += count as u64;
                bar.set_position(at);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Ok(Err(Failure::passing(format!("the connection broke: {error}")))),
        }
    }
    file.sync_data()?;
    match opened.len {
        Some(len) if at < len => Ok(Err(Failure::passing(format!("it ended after {at} of {len} bytes")))),
        _ => Ok(Ok(())),
    }
}

fn check(source: &Source, remote: &Remote, part: &Path) -> Result<(), Error> {
    let Some(expected) = remote.sha1 else {
        return Ok(());
    };
    let failed = |source| Error::Write {
        path: part.to_owned(),
        source,
    };
    let mut hash = Sha1::new();
    let mut file = File::open(part).map_err(failed)?;
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece).map_err(failed)? {
            0 => break,
            count => hash.update(&piece[..count]),
        }
    }
    let found: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if found == expected {
        return Ok(());
    }
    std::fs::remove_file(part).map_err(failed)?;
    Err(Error::Checksum {
        place: source.place(remote),
        found,
        expected,
    })
}

fn bar(name: &str, quiet: bool) -> ProgressBar {
    let bar = ProgressBar::no_length();
    if quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template(
        "{prefix} {bar:30} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta} left",
    ) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar.set_prefix(name.to_owned());
    bar
}
