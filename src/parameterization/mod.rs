//! Images as functions of numbers that are easier to climb than pixels: one row of parameters an image.
//!
//! An [`ImageSpec`] says which function; built for a size and a device, it makes the rows to start from ([`Built::start`]), the
//! image of any rows, differentiable by burn ([`Built::image`]), and the rows of a picture to start from ([`Built::invert`]).
//! What becomes of a row depends on nothing but that row: its image is the same to the bit alone and in a batch.

pub mod colour;
mod error;
pub mod fourier;
pub mod laplacian;
pub mod maco;
pub mod magnitude;

use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use self::colour::ToImage;
pub use self::colour::{Colour, Squash};
pub use self::error::{Error, Result};
use self::fourier::InverseTransform;
use self::magnitude::Magnitude;
use crate::random::Random;
use crate::transform::resample::Places;

/// Longest side of an image, in pixels.
pub const LARGEST_SIDE: usize = 4096;
/// White, in grey levels.
pub const WHITE: f64 = 255.0;

/// For each of a network's channels, which of an image's in red, green and blue it is; `swap` says which of the network's are
/// these.
pub fn colour_order(channels: usize, swap: [usize; 3]) -> Vec<usize> {
    (0..channels)
        .map(|channel| {
            let colour = swap.iter().position(|of_colour| *of_colour == channel);
            colour.filter(|_| channels == swap.len()).unwrap_or(channel)
        })
        .collect()
}

/// Grey levels less the mean, as a network takes them, as values from 0 to 1 in red, green and blue.
#[expect(clippy::cast_possible_truncation, reason = "tensors are float32")]
pub fn colours(picture: &[f64], mean: &[f64], [channels, rows, columns]: [usize; 3], swap: [usize; 3]) -> Vec<f32> {
    let area = rows * columns;
    let mut values = vec![0.0; picture.len()];
    for (channel, of_image) in colour_order(channels, swap).into_iter().enumerate() {
        for pixel in 0..area {
            let at = channel * area + pixel;
            values[of_image * area + pixel] = ((picture[at] + mean[at]) / WHITE) as f32;
        }
    }
    values
}

/// How far a picture's values are kept from 0 and 1 when it is taken back through a sigmoid (horama's epsilon).
const MARGIN: f64 = 1e-3;

/// Which numbers an image is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Parameterization {
    /// The pixels themselves.
    Pixels {
        /// Standard deviation of the start.
        deviation: f64,
    },
    /// A spectrum; see [`fourier`].
    Fourier {
        /// How much stronger low frequencies are: 1 in lucid and lucent.
        decay_power: f64,
        /// Standard deviation of the start's coefficients: 0.01 in lucid and lucent.
        deviation: f64,
        /// What the image is divided by before it is squashed: 4 in lucid and lucent, 1 in captum.
        divisor: f64,
        /// Whether amplification is in the image, or in the gradient alone.
        amplified: Amplified,
    },
    /// A sum of resolutions; see [`laplacian`].
    Laplacian {
        /// How many: 4 in lucid.
        levels: usize,
        /// Standard deviation of the start.
        deviation: f64,
    },
    /// Phases of a spectrum of given amplitudes; see [`maco`].
    Maco {
        /// The amplitudes; those of natural pictures by default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        magnitude: Option<Magnitude>,
    },
}

/// Where low frequencies of a [`Parameterization::Fourier`] are amplified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Amplified {
    /// On the way from the spectrum to the image, and of gradients on their way back.
    Image,
    /// Of gradients alone (Hamblin et al. 2024, "Feature Accentuation"): the image is the plain transform of the spectrum.
    Gradient,
}

impl Parameterization {
    /// lucid's and lucent's `fft_image`.
    pub const FOURIER: Self = Self::Fourier {
        decay_power: 1.0,
        deviation: 0.01,
        divisor: 4.0,
        amplified: Amplified::Image,
    };
}

/// Everything about how images are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageSpec {
    /// Of which numbers.
    pub parameterization: Parameterization,
    /// What channels stand for.
    pub colour: Colour,
    /// How values are kept between 0 and 1.
    pub squash: Squash,
    /// Whether there is one channel more than the network's: how opaque the image is.
    pub alpha: bool,
}

/// What is made once for images of one size.
#[derive(Debug, Clone)]
enum Form {
    Pixels,
    Fourier(Box<InverseTransform>),
    Laplacian {
        levels: usize,
    },
    Maco {
        transform: Box<InverseTransform>,
        magnitude: Box<Tensor<2>>,
    },
}

/// An [`ImageSpec`] for images of one size on one device.
#[derive(Debug, Clone)]
pub struct Built {
    spec: ImageSpec,
    form: Form,
    to_image: ToImage,
    /// With alpha.
    channels: usize,
    size: [usize; 2],
    device: Device,
}

impl ImageSpec {
    /// For images of `[channels, rows, columns]`, without alpha. Fails where the specification does not fit them.
    pub fn build(&self, [channels, rows, columns]: [usize; 3], device: &Device) -> Result<Built> {
        if channels == 0 || rows == 0 || columns == 0 {
            return Err(Error::Empty([channels, rows, columns]));
        }
        let size = [rows, columns];
        let all = channels + usize::from(self.alpha);
        let form = match &self.parameterization {
            Parameterization::Pixels { .. } => Form::Pixels,
            Parameterization::Fourier {
                decay_power,
                divisor,
                amplified,
                ..
            } => Form::Fourier(Box::new(inverse_transform(size, *decay_power, *divisor, *amplified))),
            Parameterization::Laplacian { levels, .. } => {
                if *levels == 0 {
                    return Err(Error::NoLevels);
                }
                Form::Laplacian { levels: *levels }
            }
            Parameterization::Maco { magnitude } => {
                if self.alpha {
                    return Err(Error::MacoAlpha);
                }
                let coefficients = rows * fourier::columns(columns);
                let values = match magnitude {
                    Some(magnitude) if magnitude.values().len() != channels * coefficients => {
                        return Err(Error::Magnitude {
                            found: magnitude.values().len(),
                            expected: [channels, rows, fourier::columns(columns)],
                        });
                    }
                    Some(magnitude) => magnitude.values().to_vec(),
                    None => natural_magnitudes(channels, size),
                };
                let data = TensorData::new(values, [1, channels * coefficients]);
                Form::Maco {
                    transform: Box::new(InverseTransform::new(size, &vec![1.0; coefficients], None)),
                    magnitude: Box::new(Tensor::from_data(data, device).without_autodiff()),
                }
            }
        };
        Ok(Built {
            spec: self.clone(),
            form,
            to_image: ToImage::new(self.colour, self.squash, channels),
            channels: all,
            size,
            device: device.clone(),
        })
    }
}

fn inverse_transform(size: [usize; 2], decay_power: f64, divisor: f64, amplified: Amplified) -> InverseTransform {
    let amplifications = fourier::amplification(size, decay_power);
    match amplified {
        Amplified::Image => {
            let scaled: Vec<f64> = amplifications.iter().map(|s| s / divisor).collect();
            InverseTransform::new(size, &scaled, None)
        }
        Amplified::Gradient => {
            // NumPy's irfft2 without any factor, as horama has it: 1 / sqrt(W H) of the unitary one.
            #[expect(clippy::cast_precision_loss, reason = "sizes of images")]
            let unitary = ((size[0] * size[1]) as f64).sqrt();
            let plain = vec![1.0 / (unitary * divisor); amplifications.len()];
            let scaled: Vec<f64> = amplifications.iter().map(|s| s / divisor).collect();
            InverseTransform::new(size, &plain, Some(&scaled))
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "tensors are float32")]
fn natural_magnitudes(channels: usize, size: [usize; 2]) -> Vec<f32> {
    let plane: Vec<f32> = maco::natural_magnitude(size)
        .into_iter()
        .map(|value| value as f32)
        .collect();
    plane.repeat(channels)
}

impl Built {
    /// The specification.
    pub fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    /// Channels (alpha included), rows and columns of the images.
    pub fn image_shape(&self) -> [usize; 3] {
        [self.channels, self.size[0], self.size[1]]
    }

    /// Parameters of an image: the length of a row.
    pub fn parameters(&self) -> usize {
        let [rows, columns] = self.size;
        match &self.form {
            Form::Pixels => self.channels * rows * columns,
            Form::Fourier(_) => fourier::entries(self.channels, self.size),
            Form::Laplacian { levels } => laplacian::entries(self.channels, self.size, *levels),
            Form::Maco { .. } => self.channels * rows * fourier::columns(columns),
        }
    }

    /// The rows to start from, `[seeds, parameters]`: noise, each row's of its own seed alone.
    pub fn start(&self, seeds: &[u32]) -> Tensor<2> {
        let deviation = match &self.spec.parameterization {
            Parameterization::Pixels { deviation }
            | Parameterization::Fourier { deviation, .. }
            | Parameterization::Laplacian { deviation, .. } => *deviation,
            Parameterization::Maco { .. } => 1.0,
        };
        let count = self.parameters();
        let values: Vec<f32> = seeds
            .iter()
            .flat_map(|seed| Random::new(&[START, u64::from(*seed)]).normals(count, deviation))
            .collect();
        let noise = Tensor::from_data(TensorData::new(values, [seeds.len(), count]), &self.device);
        match (&self.spec.parameterization, self.spec.squash) {
            // A sigmoid makes mid-grey of 0; where values are cut off, it is a half (captum's `PixelImage`).
            (Parameterization::Pixels { .. }, Squash::Clamp) => noise.add_scalar(0.5),
            (
                Parameterization::Pixels { .. }
                | Parameterization::Fourier { .. }
                | Parameterization::Laplacian { .. }
                | Parameterization::Maco { .. },
                Squash::Sigmoid | Squash::Clamp,
            ) => noise,
        }
    }

    /// Images `[batch, channels, rows, columns]`, between 0 and 1, of rows of parameters `[batch, parameters]`. Alpha, if any,
    /// is the last channel.
    pub fn image(&self, z: Tensor<2>) -> Tensor<4> {
        self.to_image.image(self.unsquashed(z))
    }

    /// What becomes the image by colour and squash.
    pub fn unsquashed(&self, z: Tensor<2>) -> Tensor<4> {
        let [batch, _] = z.dims();
        let [rows, columns] = self.size;
        match &self.form {
            Form::Pixels => z.reshape([batch, self.channels, rows, columns]),
            Form::Fourier(transform) => transform.image(z, self.channels),
            Form::Laplacian { levels } => laplacian::image(z, self.channels, self.size, *levels, Places::HalfPixel),
            Form::Maco { transform, magnitude } => {
                maco::image(z, self.channels, self.size, magnitude, transform, maco::POPULATION)
            }
        }
    }

    /// The row of parameters of a picture without alpha, channels x rows x columns from 0 to 1, as [`Built::invert`] has it; where
    /// images have alpha, it is opaque.
    pub fn invert_colours(&self, mut values: Vec<f32>) -> Result<Tensor<2>> {
        let [channels, rows, columns] = self.image_shape();
        values.extend(vec![1.0; rows * columns * usize::from(self.spec.alpha)]);
        let found = values.len() / (rows * columns);
        if found != channels || !values.len().is_multiple_of(rows * columns) {
            return Err(Error::Picture {
                found: [found, rows, columns],
                expected: [channels, rows, columns],
            });
        }
        let data = TensorData::new(values, [1, channels, rows, columns]);
        self.invert(Tensor::from_data(data, &self.device))
    }

    /// Rows of parameters whose images are these pictures, `[batch, channels, rows, columns]` between 0 and 1 with alpha, if any.
    ///
    /// Exact where values are squashed by [`Squash::Clamp`]; a sigmoid's are kept a thousandth away from 0 and 1. Fails for
    /// parameterizations that not every picture can be made of.
    pub fn invert(&self, images: Tensor<4>) -> Result<Tensor<2>> {
        let [batch, channels, rows, columns] = images.dims();
        if [channels, rows, columns] != self.image_shape() {
            return Err(Error::Picture {
                found: [channels, rows, columns],
                expected: self.image_shape(),
            });
        }
        let values = self.to_image.values(images, MARGIN);
        match &self.form {
            Form::Pixels => Ok(values.reshape([batch, channels * rows * columns])),
            Form::Fourier(transform) => Ok(transform.spectra(values)),
            Form::Laplacian { .. } => {
                // The finest level is the picture, the others add nothing.
                let finest = values.reshape([batch, channels * rows * columns]);
                let rest = self.parameters() - channels * rows * columns;
                let nothing = Tensor::zeros([batch, rest], &finest.device());
                Ok(Tensor::cat(vec![finest, nothing], 1))
            }
            Form::Maco { .. } => Err(Error::MacoPicture),
        }
    }
}

/// What the random numbers of a start are drawn for.
const START: u64 = 0x7374_6172_7400;
