//! Where files come from: their public addresses, a mirror, or a folder.

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use super::catalogue::Remote;
use crate::cli::error::{Error, Result};

/// How long a connection may take to be made, or to go on.
const PATIENCE: Duration = Duration::from_secs(30);

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
    pub(super) body: Box<dyn Read>,
    /// The byte that it begins at.
    pub(super) begin: u64,
    /// Bytes of the whole file, where that is known.
    pub(super) len: Option<u64>,
}

impl Source {
    /// `--from`.
    pub(super) fn new(from: Option<&str>) -> Result<Self> {
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
                    .timeout_connect(Some(PATIENCE))
                    .timeout_recv_response(Some(PATIENCE))
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

    /// What to call a file's place.
    pub(super) fn place(&self, remote: &Remote) -> String {
        match self {
            Self::Web { mirror: None, .. } => remote.url.to_owned(),
            Self::Web {
                mirror: Some(mirror), ..
            } => format!("{mirror}/{}", remote.file_name()),
            Self::Folder(folder) => folder.join(remote.file_name()).display().to_string(),
        }
    }

    /// Opens a file from byte `begin` on, or from its beginning where the server cannot do that.
    ///
    /// # Errors
    /// What went wrong, and whether it may go better another time.
    pub(super) fn open(&self, remote: &Remote, begin: u64) -> std::result::Result<Opened, Failure> {
        let place = self.place(remote);
        let agent = match self {
            Self::Folder(_) => {
                let file = std::fs::File::open(&place).map_err(|e| Failure::lasting(e.to_string()))?;
                let len = file.metadata().map(|metadata| metadata.len()).ok();
                return Ok(Opened {
                    body: Box::new(file),
                    begin: 0,
                    len,
                });
            }
            Self::Web { agent, .. } => agent,
        };
        let mut request = agent.get(&place);
        if begin > 0 {
            request = request.header("Range", format!("bytes={begin}-"));
        }
        let response = request.call().map_err(|e| Failure::passing(e.to_string()))?;
        let length = response.body().content_length();
        let status = response.status().as_u16();
        let begin = match status {
            200 => 0,
            206 => begin,
            // What is here is not the beginning of what is there.
            416 => return Err(Failure::Range),
            404 | 410 => {
                return Err(Failure::lasting(format!(
                    "the server has no such file (status {status})"
                )));
            }
            400..=499 => return Err(Failure::lasting(format!("the server refused (status {status})"))),
            _ => return Err(Failure::passing(format!("the server answered with status {status}"))),
        };
        Ok(Opened {
            body: Box::new(response.into_body().into_reader()),
            begin,
            len: length.map(|rest| begin + rest),
        })
    }
}

/// Why a file could not be had.
#[derive(Debug)]
pub(super) enum Failure {
    /// It may go better another time.
    Passing(String),
    /// It will not.
    Lasting(String),
    /// The part that is here does not fit.
    Range,
}

impl Failure {
    pub(super) fn passing(message: String) -> Self {
        Self::Passing(message)
    }

    pub(super) fn lasting(message: String) -> Self {
        Self::Lasting(message)
    }
}
