//! The state of an ascent on disk, so that it goes on after an interruption.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::{Error, Result};
use crate::ascent::State;
use crate::atomic_file::write_atomically;

/// What is stored.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    /// The run that the state belongs to.
    run_key: String,
    /// SHA-256 of the state's bytes.
    checksum: Vec<u8>,
    /// The state, in CBOR.
    state: Vec<u8>,
}

/// The largest checkpoint that is read: twelve images of 4096 x 4096 in three channels.
const LARGEST: u64 = 5 << 30;

/// Writes the state of the ascent of `run_key`.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, run_key: &str, state: &State) -> Result<()> {
    let encode = |message: String| Error::Encode {
        path: path.to_owned(),
        message,
    };
    let mut bytes = Vec::new();
    ciborium::into_writer(state, &mut bytes).map_err(|e| encode(e.to_string()))?;
    let checkpoint = Checkpoint {
        run_key: run_key.to_owned(),
        checksum: Sha256::digest(&bytes).to_vec(),
        state: bytes,
    };
    let mut bytes = Vec::new();
    ciborium::into_writer(&checkpoint, &mut bytes).map_err(|e| encode(e.to_string()))?;
    Ok(write_atomically(path, &bytes)?)
}

/// Reads the state of the ascent of `run_key`; `None` when there is none.
///
/// # Errors
/// When the file is damaged, or of another run.
pub fn read(path: &Path, run_key: &str) -> Result<Option<State>> {
    let failed = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let damaged = |why: String| Error::Checkpoint {
        path: path.to_owned(),
        message: format!("it is damaged ({why})"),
    };
    let bytes = match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err(damaged("it is no file".into())),
        Ok(metadata) if metadata.len() > LARGEST => return Err(damaged("it is too large".into())),
        Ok(_) => std::fs::read(path).map_err(failed)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed(source)),
    };
    parse(&bytes, path, run_key).map(Some)
}

/// The state in the bytes of a checkpoint of `run_key`; errors name `path`.
///
/// # Errors
/// When they are damaged, or of another run.
pub fn parse(bytes: &[u8], path: &Path, run_key: &str) -> Result<State> {
    let damaged = |why: String| Error::Checkpoint {
        path: path.to_owned(),
        message: format!("it is damaged ({why})"),
    };
    let checkpoint: Checkpoint = ciborium::from_reader(bytes).map_err(|e| damaged(e.to_string()))?;
    if checkpoint.checksum != Sha256::digest(&checkpoint.state).to_vec() {
        return Err(damaged("its checksum is wrong".into()));
    }
    if checkpoint.run_key != run_key {
        return Err(Error::Checkpoint {
            path: path.to_owned(),
            message: "it is of other settings, another network or another preprocessing".into(),
        });
    }
    ciborium::from_reader(checkpoint.state.as_slice()).map_err(|e| damaged(e.to_string()))
}
