//! A mean image in Caffe's own `.binaryproto` form.

use std::path::Path;

use super::weights::read_binaryproto;
use crate::error::Result;
use crate::weights::trimmed;

/// A mean image: its shape, `[channels, rows, columns]` for all that Caffe writes, and its values, row-major.
///
/// # Errors
/// When the file cannot be read, is truncated or holds no blob.
pub fn read(path: &Path) -> Result<(Vec<usize>, Vec<f32>)> {
    let blob = read_binaryproto(path)?;
    let shape = match blob.shape() {
        [1, rest @ ..] if rest.len() == 3 => rest.to_vec(),
        other => trimmed(other).to_vec(),
    };
    Ok((shape, blob.values()?))
}
