//! Downloads one file: resumes where an earlier download ended, checks the whole, and only then gives it its name.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::part::Part;
use super::source::{Failure, Opened, Source};
use crate::model::catalogue::Remote;

/// How long, and how often, a server is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Time limit for an answer, and for each further [`LEAST`] bytes.
    pub(super) wait: Duration,
    /// Connections in a row that may bring less than [`LEAST`] bytes before the download is given up.
    pub(super) attempts: u32,
    /// Most connections in all.
    pub(super) connections: u32,
    /// Pause before another connection; doubled for each further one that brings nothing.
    pub(super) pause: Duration,
}

/// The limits that the program uses.
pub(super) const PATIENCE: Patience = Patience {
    wait: Duration::from_secs(10),
    attempts: 5,
    connections: 40,
    pause: Duration::from_millis(250),
};

/// Bytes that a connection must bring to count as progress.
const LEAST: u64 = 4096;
/// Bytes read at a time.
const PIECE: usize = 1 << 16;

/// A download that failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The file could not be had.
    #[error(
        "{place}: {message}; --from takes a mirror's address or a folder with the file. What came is kept: the same command \
         goes on"
    )]
    Unavailable { place: String, message: String },
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
    /// Its structure is not that of the file it should be.
    #[error("{place}: {message}; it was thrown away. Try again, or another source with --from")]
    Wrong { place: String, message: String },
    /// It could not be written.
    #[error("cannot write {}: {source}; is there space, and may you write there?", path.display())]
    Write { path: PathBuf, source: std::io::Error },
}

/// Downloads a file to `path`. Until it is complete and `check` accepts it, the data is in `path` with `.part`
/// appended.
///
/// # Errors
/// When the file cannot be had or written, or is not what it should be.
pub(super) fn fetch(
    source: &Source,
    remote: &Remote,
    path: &Path,
    quiet: bool,
    patience: Patience,
    check: impl Fn(&Path) -> Result<(), String>,
) -> Result<(), Error> {
    let place = source.place(remote);
    let part_path = PathBuf::from(format!("{}.part", path.display()));
    let failed = |source| Error::Write {
        path: part_path.clone(),
        source,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let bar = bar(remote.file_name(), quiet);
    loop {
        let mut part = Part::open(&part_path, &place).map_err(failed)?;
        let is_resumed = part.len() > 0;
        let transferred = transfer_all(source, remote, &mut part, patience, &bar);
        let message = transferred.map_err(failed)?.err();
        if let Some(message) = message {
            part.keep().map_err(failed)?;
            bar.finish_and_clear();
            return Err(Error::Unavailable { place, message });
        }
        let found = part.sha1();
        let wrong = match remote.sha1 {
            Some(expected) if found != expected => Some(Error::Checksum {
                place: place.clone(),
                found,
                expected,
            }),
            _ => check(&part_path).err().map(|message| Error::Wrong {
                place: place.clone(),
                message,
            }),
        };
        let Some(wrong) = wrong else {
            bar.finish_and_clear();
            return part.finish(path).map_err(failed);
        };
        part.throw_away().map_err(failed)?;
        // The part that an earlier run left may be the cause: once more from the beginning.
        if !is_resumed {
            bar.finish_and_clear();
            return Err(wrong);
        }
    }
}

/// Connects until the file is complete or the limits are reached. The outer error is the disk's, the inner one the
/// server's.
fn transfer_all(
    source: &Source,
    remote: &Remote,
    part: &mut Part,
    patience: Patience,
    bar: &ProgressBar,
) -> std::io::Result<Result<(), String>> {
    let (mut attempt, mut pause) = (1, patience.pause);
    for connection in 1.. {
        let before = part.len();
        let message = match transfer(source, remote, part, patience, bar)? {
            Ok(()) => return Ok(Ok(())),
            Err(Failure::Lasting(message)) => return Ok(Err(message)),
            Err(Failure::Passing(message)) => message,
            Err(Failure::Range) => {
                part.restart(None)?;
                "the part that is here is not of what the server has".into()
            }
        };
        if part.len() >= before.saturating_add(LEAST) {
            (attempt, pause) = (1, patience.pause);
        } else if attempt >= patience.attempts {
            return Ok(Err(message));
        } else {
            attempt += 1;
            pause *= 2;
        }
        if connection >= patience.connections {
            return Ok(Err(format!("{message}, {connection} times")));
        }
        bar.set_message(format!("({message}; again)"));
        std::thread::sleep(pause);
        bar.set_message("");
    }
    Ok(Ok(()))
}

/// One connection's worth of the file. The outer error is the disk's, the inner one the source's.
fn transfer(
    source: &Source,
    remote: &Remote,
    part: &mut Part,
    patience: Patience,
    bar: &ProgressBar,
) -> std::io::Result<Result<(), Failure>> {
    let opened = match source.open(remote, part.len(), part.version()) {
        Ok(opened) => opened,
        Err(failure) => return Ok(Err(failure)),
    };
    let most = remote.kind.most_bytes();
    let too_long = || Failure::Lasting(format!("it is longer than the {most} bytes that such a file can have"));
    if opened.len.is_some_and(|len| len > most) {
        return Ok(Err(too_long()));
    }
    if opened.begin == 0 {
        part.restart(opened.version.clone())?;
    }
    if let Some(len) = opened.len {
        bar.set_length(len);
    }
    bar.set_position(part.len());
    let len = opened.len;
    let pieces = read_aside(opened);
    let (mut since, mut brought) = (Instant::now(), 0);
    loop {
        match pieces.recv_timeout(patience.wait) {
            Ok(Ok(piece)) => {
                if part.len() + piece.len() as u64 > len.unwrap_or(most) {
                    part.restart(None)?;
                    return Ok(Err(len.map_or_else(too_long, |len| {
                        Failure::Passing(format!("more came than the {len} bytes that were announced"))
                    })));
                }
                part.push(&piece)?;
                bar.set_position(part.len());
                brought += piece.len() as u64;
                if since.elapsed() >= patience.wait {
                    if brought < LEAST {
                        return Ok(Err(Failure::Passing("the connection is as good as still".into())));
                    }
                    (since, brought) = (Instant::now(), 0);
                }
            }
            Ok(Err(error)) => return Ok(Err(Failure::Passing(format!("the connection broke: {error}")))),
            Err(RecvTimeoutError::Timeout) => {
                let seconds = patience.wait.as_secs_f64();
                return Ok(Err(Failure::Passing(format!("nothing came for {seconds} seconds"))));
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    match len {
        Some(len) if part.len() < len => {
            let message = format!("it ended after {} of {len} bytes", part.len());
            Ok(Err(Failure::Passing(message)))
        }
        _ => Ok(Ok(())),
    }
}

/// Reads a body in a thread of its own, as a blocked read cannot be cancelled. The thread ends with the body, or when
/// it has data that is no longer waited for.
fn read_aside(mut opened: Opened) -> Receiver<std::io::Result<Vec<u8>>> {
    let (sender, receiver) = sync_channel(4);
    std::thread::spawn(move || {
        let mut piece = vec![0; PIECE];
        loop {
            let sent = match opened.body.read(&mut piece) {
                Ok(0) => return,
                Ok(count) => sender.send(Ok(piece[..count].to_vec())),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Ok(()),
                Err(error) => {
                    // The receiver may be gone.
                    let _ = sender.send(Err(error));
                    return;
                }
            };
            if sent.is_err() {
                return;
            }
        }
    });
    receiver
}

fn bar(name: &str, quiet: bool) -> ProgressBar {
    let bar = ProgressBar::no_length();
    if quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template(
        "{prefix} {bar:30} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta} left {msg}",
    ) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar.set_prefix(name.to_owned());
    bar
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use super::*;
    use crate::model::catalogue::{Kind, LABELS};

    const SHORT: Patience = Patience {
        wait: Duration::from_millis(300),
        attempts: 3,
        connections: 4,
        pause: Duration::from_millis(50),
    };

    /// What becomes of labels from a server that pauses before each of its pieces and then falls silent, and how often
    /// it was asked; the second time it has twice as many pieces, the third time three times.
    fn fetched(pieces: usize, len: usize, pause: Duration) -> (String, usize) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (count, counted) = sync_channel(100);
        std::thread::spawn(move || {
            for (stream, number) in listener.incoming().zip(1..) {
                let (mut stream, count) = (stream.unwrap(), count.clone());
                let pieces = pieces.saturating_mul(number);
                std::thread::spawn(move || {
                    let _ = count.send(());
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
                    for _ in 0..pieces {
                        std::thread::sleep(pause);
                        if stream.write_all(&vec![b'x'; len]).is_err() {
                            return;
                        }
                    }
                    std::thread::sleep(Duration::from_secs(20));
                });
            }
        });
        let folder = tempfile::tempdir().unwrap();
        let source = Source::new(Some(&address), SHORT.wait).unwrap();
        let begun = Instant::now();
        let path = folder.path().join("labels");
        let error = fetch(&source, &LABELS, &path, true, SHORT, |_| Ok(())).unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        assert!(!path.exists());
        (error.to_string(), counted.try_iter().count())
    }

    #[test]
    fn silence_is_given_up() {
        let (error, connections) = fetched(1, 10, Duration::ZERO);
        assert!(error.contains("nothing came for 0.3 seconds"), "{error}");
        assert_eq!(connections, 3);
    }

    #[test]
    fn drops_are_given_up() {
        let (error, connections) = fetched(1000, 1, Duration::from_millis(20));
        assert!(error.contains("as good as still"), "{error}");
        assert_eq!(connections, 3);
    }

    /// Connections that bring something are many, but not without an end.
    #[test]
    fn connections_are_counted() {
        let (error, connections) = fetched(1, 5000, Duration::ZERO);
        assert!(error.contains("nothing came") && error.contains("4 times"), "{error}");
        assert_eq!(connections, 4);
    }

    #[test]
    fn what_has_no_end_is_given_up() {
        let (error, connections) = fetched(usize::MAX, 1 << 16, Duration::ZERO);
        assert!(error.contains("longer than the 1048576 bytes"), "{error}");
        assert_eq!((connections, LABELS.kind), (1, Kind::Labels));
    }
}
