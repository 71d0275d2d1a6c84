//! Where files come from: their public addresses, a mirror, or a folder.

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use deepvis_importer::input;

use crate::cli::error::{Error, Result};
use crate::model::catalogue::Remote;

/// Where files come from.
#[derive(Debug)]
pub(super) enum Source {
    /// An address: each file's own, or the same names below another.
    Web { agent: ureq::Agent, mirror: Option<String> },
    /// A folder with files of the same names.
    Folder(PathBuf),
}

/// A file that is being read.
pub(super) struct Opened {
    /// What is left of it.
    pub(super) body: Box<dyn Read + Send>,
    /// The byte that it begins at.
    pub(super) begin: u64,
    /// Bytes of the whole file, where that is known.
    pub(super) len: Option<u64>,
    /// Its version, by which the rest of it can be asked for.
    pub(super) version: Option<String>,
}

impl Source {
    /// `--from`; `patience` is how long a server may take to answer.
    pub(super) fn new(from: Option<&str>, patience: Duration) -> Result<Self> {
        let is_address = |from: &str| from.starts_with("http://") || from.starts_with("https://");
        match from {
            Some(folder) if !is_address(folder) => {
                let path = PathBuf::from(folder);
                if path.is_dir() {
                    return Ok(Self::Folder(path));
                }
                Err(Error::NoFile { flag: "--from", path })
            }
            mirror => {
                let config = ureq::Agent::config_builder()
                    .timeout_resolve(Some(patience))
                    .timeout_connect(Some(patience))
                    .timeout_send_request(Some(patience))
                    .timeout_recv_response(Some(patience))
                    .user_agent(concat!("deepvis/", env!("CARGO_PKG_VERSION")))
                    .http_status_as_error(false)
                    .build();
                Ok(Self::Web {
                    agent: config.into(),
                    mirror: mirror.map(|address| address.trim_end_matches('/').to_owned()),
                })
            }
        }
    }

    /// How a file's place is called in messages.
    pub(super) fn place(&self, remote: &Remote) -> String {
        match self {
            Self::Web { mirror: None, .. } => remote.url.to_owned(),
            Self::Web {
                mirror: Some(mirror), ..
            } => format!("{mirror}/{}", remote.file_name()),
            Self::Folder(folder) => folder.join(remote.file_name()).display().to_string(),
        }
    }

    /// Opens a file: from byte `begin` on, if it is still of `version` there, else from its beginning.
    ///
    /// # Errors
    /// What went wrong, and whether trying again may help.
    pub(super) fn open(
        &self,
        remote: &Remote,
        begin: u64,
        version: Option<&str>,
    ) -> std::result::Result<Opened, Failure> {
        let place = self.place(remote);
        match self {
            Self::Folder(_) => {
                let (file, len) = input::open(place.as_ref()).map_err(|e| Failure::Lasting(e.to_string()))?;
                Ok(Opened {
                    body: Box::new(file),
                    begin: 0,
                    len: Some(len),
                    version: None,
                })
            }
            // Some publishers state the plain address only, and answer to both.
            Self::Web { agent, mirror: None } if place.starts_with("http://") => {
                let safe = place.replacen("http://", "https://", 1);
                request(agent, &safe, begin, version).or_else(|_| request(agent, &place, begin, version))
            }
            Self::Web { agent, .. } => request(agent, &place, begin, version),
        }
    }
}

/// Asks a server; RFC 9110 says what its answers mean (`Range`, `If-Range`, `Content-Range`).
fn request(
    agent: &ureq::Agent,
    place: &str,
    begin: u64,
    version: Option<&str>,
) -> std::result::Result<Opened, Failure> {
    let mut request = agent.get(place);
    let asked = version.filter(|_| begin > 0);
    if let Some(version) = asked {
        request = request
            .header("Range", format!("bytes={begin}-"))
            .header("If-Range", version);
    }
    let response = request.call().map_err(|e| Failure::Passing(e.to_string()))?;
    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    // Only strong ones promise the same bytes.
    let version = header("etag").filter(|tag| tag.starts_with('"'));
    let length = response.body().content_length();
    let (begin, len) = match response.status().as_u16() {
        200 => (0, length),
        206 if asked.is_none() => return Err(Failure::Passing("the server sent a part that nobody asked for".into())),
        206 => match header("content-range").as_deref().and_then(content_range) {
            Some((from, until, len)) if from == begin && length.is_none_or(|length| length == until + 1 - from) => {
                // A range that ends before the file does is gone on with as a broken connection is.
                (begin, len.or(Some(until + 1)))
            }
            _ => return Err(Failure::Range),
        },
        // What is here is not the beginning of what is there.
        416 => return Err(Failure::Range),
        status @ (404 | 410) => {
            return Err(Failure::Lasting(format!(
                "the server has no such file (status {status})"
            )));
        }
        // Too many requests, or too slow a one.
        status @ (408 | 425 | 429) => {
            return Err(Failure::Passing(format!("the server answered with status {status}")));
        }
        status @ 400..=499 => return Err(Failure::Lasting(format!("the server refused (status {status})"))),
        status => return Err(Failure::Passing(format!("the server answered with status {status}"))),
    };
    if begin > 0 && version.is_some() && version.as_deref() != asked {
        return Err(Failure::Range);
    }
    Ok(Opened {
        body: Box::new(response.into_body().into_reader()),
        begin,
        len,
        version: version.or_else(|| asked.filter(|_| begin > 0).map(str::to_owned)),
    })
}

/// First and last byte of a part, and the length of the whole where it is told: `bytes 100-199/200`.
fn content_range(header: &str) -> Option<(u64, u64, Option<u64>)> {
    let (range, len) = header.strip_prefix("bytes ")?.split_once('/')?;
    let (from, until) = range.split_once('-')?;
    let (from, until) = (from.parse().ok()?, until.parse().ok()?);
    let len: Option<u64> = if len == "*" { None } else { Some(len.parse().ok()?) };
    (from <= until && until < u64::MAX && len.is_none_or(|len| until < len)).then_some((from, until, len))
}

/// Why a file could not be had.
#[derive(Debug)]
pub(super) enum Failure {
    /// Trying again may help.
    Passing(String),
    /// Trying again will not help.
    Lasting(String),
    /// The server does not have the range that would complete the part.
    Range,
}

#[cfg(test)]
mod tests {
    use super::content_range;

    #[test]
    fn ranges_are_read_as_they_are_written() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, 9, Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((5, 9, None)));
        for wrong in [
            "",
            "bytes */10",
            "bytes 9-5/10",
            "bytes 5-9/9",
            "bytes 5-18446744073709551615/*",
            "5-9/10",
        ] {
            assert_eq!(content_range(wrong), None, "{wrong}");
        }
    }
}
