//! Photographs as input: cut to the network's shape, scaled, channels in its order, mean subtracted.

use std::path::Path;

use image::imageops::FilterType;

use super::error::{Error, Result};

/// Reads a picture as channels x rows x columns, from 0 to 255, mean-subtracted: the largest centred part of the right
/// proportions, scaled to size. `swap` says which channel of the network is red, green and blue.
///
/// # Errors
/// When the file is no picture, or the network takes neither one nor three channels.
pub(super) fn read(
    path: &Path,
    [channels, rows, columns]: [usize; 3],
    swap: [usize; 3],
    mean: &[f64],
) -> Result<Vec<f32>> {
    let failed = |message: String| Error::Input {
        path: path.to_owned(),
        message,
    };
    let picture = image::ImageReader::open(path)
        .and_then(image::ImageReader::with_guessed_format)
        .map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?
        .decode()
        .map_err(|e| failed(format!("it is no JPEG, PNG or GIF picture: {e}")))?;
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    let picture = picture.resize_to_fill(side(columns), side(rows), FilterType::Triangle);
    let area = rows * columns;
    let planes: Vec<f64> = match channels {
        1 => picture.to_luma8().pixels().map(|pixel| f64::from(pixel.0[0])).collect(),
        3 => {
            let rgb = picture.to_rgb8();
            let mut planes = vec![0.0; 3 * area];
            for (i, pixel) in rgb.pixels().enumerate() {
                for (color, channel) in swap.iter().enumerate() {
                    planes[channel * area + i] = f64::from(pixel.0[color]);
                }
            }
            planes
        }
        other => {
            return Err(failed(format!(
                "the network takes images of {other} channels, not photographs"
            )));
        }
    };
    #[expect(clippy::cast_possible_truncation, reason = "the network computes in float32")]
    Ok(planes
        .iter()
        .zip(mean)
        .map(|(value, mean)| (value - mean) as f32)
        .collect())
}
