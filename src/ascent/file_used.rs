//! Files whose contents decide a result: by name, and by what is in them.

use std::path::Path;

use deepvis_importer::input;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::hexadecimal::hexadecimal;

/// Bytes of the longest file that is a part of a recipe.
const LONGEST: u64 = 512 << 20;

/// A file that a recipe names, such as a photograph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileUsed {
    /// Where it is. What it is called does not change a result.
    pub file: String,
    /// SHA-256 of its bytes, in hexadecimal digits: if that changes, so does the result.
    pub sha256: String,
}

impl FileUsed {
    /// The file as it is now.
    ///
    /// # Errors
    /// When it cannot be read, or has more than 512 MiB.
    pub fn now(file: &str) -> std::io::Result<Self> {
        let bytes = input::read(Path::new(file), LONGEST)?;
        Ok(Self {
            file: file.to_owned(),
            sha256: hexadecimal(&Sha256::digest(&bytes)),
        })
    }
}
