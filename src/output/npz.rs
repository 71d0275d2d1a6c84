//! `image.npz`: what an ascent came to, as numbers for NumPy, without pickles.

use std::io::Cursor;

use ndarray::{ArrayView1, ArrayView3};
use ndarray_npy::NpzWriter;

use crate::ascent::Record;
use crate::parameterization::colours;

/// The bytes of a `.npz` of `z`, the parameters that were climbed (float64, one after the other), and of `image`, the last image
/// (float32, channels x rows x columns; of three channels red, green and blue, black being 0 and white 1). None before the first
/// iteration.
///
/// # Errors
/// What went wrong.
pub fn bytes(z: &[f64], record: &Record, mean: &[f64], swap: [usize; 3]) -> Option<Result<Vec<u8>, String>> {
    let image = colours(&record.last.as_ref()?.xx, mean, record.image, swap);
    let write = || -> Result<Vec<u8>, Box<dyn std::error::Error>> {
        let mut file = NpzWriter::new(Cursor::new(Vec::new()));
        file.add_array("z", &ArrayView1::from(z))?;
        file.add_array("image", &ArrayView3::from_shape(record.image, &image)?)?;
        Ok(file.finish()?.into_inner())
    };
    Some(write().map_err(|error| error.to_string()))
}
