//! What shows through images with an alpha channel.

use burn::tensor::{Device, Tensor, TensorData};

use crate::ascent::error::{Error, Result};
use crate::parameterization::{Amplified, Built, Colour, ImageSpec, Parameterization, Squash};
use crate::random::Random;

/// Standard deviation of the coefficients of grounds: lucid's.
const DEVIATION: f64 = 0.5;

/// What random grounds are drawn for.
const GROUND: u64 = 0x6772_6f75_6e64;

/// What shows through a transparent image, another one in each iteration: lucid's `collapse_alpha_random`.
pub(super) struct Ground(Built);

impl Ground {
    /// For images of `[channels, rows, columns]`.
    ///
    /// # Errors
    /// When there are no such images.
    pub(super) fn new(picture: [usize; 3], device: &Device) -> Result<Self> {
        let spec = ImageSpec {
            parameterization: Parameterization::Fourier {
                decay_power: 1.0,
                deviation: DEVIATION,
                divisor: 4.0,
                amplified: Amplified::Image,
            },
            colour: Colour::Decorrelated,
            squash: Squash::Sigmoid,
            alpha: false,
        };
        let built = spec.build(picture, device);
        Ok(Self(built.map_err(|error| Error::Setting(error.to_string()))?))
    }

    /// The images in front of an iteration's grounds.
    pub(super) fn behind(&self, images: &Tensor<4>, seeds: &[u32], iteration: usize) -> Tensor<4> {
        let count = self.0.parameters();
        let row = |seed: &u32| Random::new(&[GROUND, u64::from(*seed), iteration as u64]).normals(count, DEVIATION);
        let values: Vec<f32> = seeds.iter().flat_map(row).collect();
        let z = Tensor::from_data(TensorData::new(values, [seeds.len(), count]), &images.device());
        let grounds = self.0.image(z.without_autodiff());
        let grounds = if images.is_autodiff() {
            grounds.autodiff()
        } else {
            grounds
        };
        blended(images, grounds)
    }
}

/// Images whose last channel says how opaque they are, `[batch, channels + 1, rows, columns]`, in front of a ground without: captum's
/// `BlendAlpha`, alpha * colour + (1 - alpha) * ground.
pub fn blended(images: &Tensor<4>, ground: Tensor<4>) -> Tensor<4> {
    let channels = ground.dims()[1];
    let (colours, alpha) = (
        images.clone().narrow(1, 0, channels),
        images.clone().narrow(1, channels, 1),
    );
    ground.clone() + (colours - ground) * alpha
}
