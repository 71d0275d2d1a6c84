//! The state of a climb on disk, so that it goes on after an interruption.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::files::write_atomically;
use super::text;
use crate::optimizer::{Params, State};

/// What is stored: the state, and the settings it belongs to.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    /// The `FindParams` block of `info.txt`.
    params: String,
    state: State,
}

/// Writes a climb's state.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, params: &Params, state: State) -> Result<()> {
    let checkpoint = Checkpoint {
        params: text::params(params),
        state,
    };
    let mut bytes = Vec::new();
    ciborium::into_writer(&checkpoint, &mut bytes).map_err(|e| Error::Encode {
        path: path.to_owned(),
        message: e.to_string(),
    })?;
    write_atomically(path, &bytes)
}

/// Reads the state of the climb with these settings; `None` when there is none.
///
/// # Errors
/// When the file is damaged, or of other settings.
pub fn read(path: &Path, params: &Params) -> Result<Option<State>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(Error::Read {
                path: path.to_owned(),
                source,
            });
        }
    };
    let checkpoint: Checkpoint = ciborium::from_reader(bytes.as_slice()).map_err(|e| Error::Checkpoint {
        path: path.to_owned(),
        message: format!("it is damaged ({e})"),
    })?;
    if checkpoint.params != text::params(params) {
        return Err(Error::Checkpoint {
            path: path.to_owned(),
            message: "it is of other settings".into(),
        });
    }
    Ok(Some(checkpoint.state))
}
