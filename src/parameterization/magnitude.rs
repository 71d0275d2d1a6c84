//! The amplitudes of a spectrum that pictures have in the mean.

use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::colour::{Colour, Squash, ToImage};
use super::fourier::{InverseTransform, columns};
use crate::hexadecimal::hexadecimal;

/// Amplitudes `[channels, rows, columns / 2 + 1]` of the image, row-major.
///
/// What is written down of them is what tells them from others; the numbers come from the pictures again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Magnitude {
    /// SHA-256 of the amplitudes, in hexadecimal digits.
    sha256: String,
    #[serde(skip)]
    values: Vec<f32>,
}

impl Magnitude {
    /// These amplitudes.
    pub fn new(values: Vec<f32>) -> Self {
        let mut hash = Sha256::new();
        for value in &values {
            hash.update(value.to_le_bytes());
        }
        Self {
            sha256: hexadecimal(&hash.finalize()),
            values,
        }
    }

    /// The amplitudes; none of a recipe that was read from a file.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The mean of `|rfft2|` over pictures of `[channels, rows, columns]` from 0 to 1, of each channel, or where images of three
    /// channels are decorrelated, of those that they are made of (Fel et al. 2023; xplique's `init_maco_buffer` leaves colours
    /// as they are). None of no pictures.
    ///
    /// # Errors
    /// The first error among the pictures.
    pub fn mean<E>(
        pictures: impl Iterator<Item = Result<Vec<f32>, E>>,
        [channels, rows, width]: [usize; 3],
        is_decorrelated: bool,
    ) -> Result<Option<Self>, E> {
        let coefficients = rows * columns(width);
        let transform = InverseTransform::new([rows, width], &vec![1.0; coefficients], None);
        let colour = if is_decorrelated {
            Colour::Decorrelated
        } else {
            Colour::None
        };
        let colours = ToImage::new(colour, Squash::Clamp, channels);
        let mut sum = vec![0.0f64; channels * coefficients];
        let mut count = 0.0;
        for picture in pictures {
            let data = TensorData::new(picture?, [1, channels, rows, width]);
            let values = colours.values(Tensor::from_data(data, &Device::flex()), 0.0);
            let spectrum: Vec<f32> = transform.spectra(values).into_data().iter::<f32>().collect();
            for (sum, parts) in sum.iter_mut().zip(spectrum.chunks_exact(2)) {
                *sum += f64::from(parts[0]).hypot(f64::from(parts[1]));
            }
            count += 1.0;
        }
        if count == 0.0 {
            return Ok(None);
        }
        // The transform is the unitary one.
        #[expect(clippy::cast_precision_loss, reason = "sizes of images")]
        let plain = ((rows * width) as f64).sqrt() / count;
        #[expect(clippy::cast_possible_truncation, reason = "tensors are float32")]
        Ok(Some(Self::new(sum.iter().map(|sum| (sum * plain) as f32).collect())))
    }
}
