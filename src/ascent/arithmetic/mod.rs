//! The primitives that one iteration is made of, and their two forms: float64 on the host, rounded as NumPy does, and float32
//! tensors on any device.
//!
//! Everything works on a batch: an image, a number, or a yes or no for each of the ascents that share the passes through the
//! network. Which primitive comes when, and with what settings, is decided in [`ascend`](super::ascend) and
//! [`regularizer`](super::regularizer) alone.

mod formula;
pub(in crate::ascent) mod ground;
pub(super) mod parameterized;
pub(super) mod reference;
pub(super) mod tensors;

use burn::tensor::Device;

use super::climb::Climb;
use super::error::Result;
use super::optimizer::{Adaptive, Moments, Quantity};
use crate::network::Network;

/// Ascents that share every pass through the network, all before the same iteration.
pub(super) struct Batch<'a> {
    pub(super) network: &'a Network,
    pub(super) device: &'a Device,
    /// At least one; they differ in unit and seed alone.
    pub(super) climbs: Vec<&'a Climb>,
}

/// Black and white, in grey levels.
const RANGE: [f64; 2] = [0.0, 255.0];

/// What one pass through the network and back found.
pub(super) struct Found<A: Arithmetic + ?Sized> {
    /// The value of each image's unit.
    pub(super) objective: A::Numbers,
    /// The largest value of its layer.
    pub(super) largest: A::Numbers,
    /// The row-major place of that, the first of several.
    pub(super) place: A::Numbers,
    /// The gradient of the objective, times its direction.
    pub(super) gradient: A::Gradient,
    /// What [`Arithmetic::shown`] needs.
    pub(super) drawn: A::Drawn,
}

/// Figures of an iteration, one of each for every image.
pub(super) struct Figures<N> {
    pub(super) objective: N,
    pub(super) largest: N,
    pub(super) place: N,
    pub(super) norm: N,
    pub(super) distance: N,
    pub(super) deviation: N,
    pub(super) gradient_norm: N,
}

impl<N> Figures<N> {
    /// All of them, in the order of [`Figures::from_array`].
    pub(super) fn into_array(self) -> [N; 7] {
        [
            self.objective,
            self.largest,
            self.place,
            self.norm,
            self.distance,
            self.deviation,
            self.gradient_norm,
        ]
    }

    /// The inverse of [`Figures::into_array`].
    pub(super) fn from_array([objective, largest, place, norm, distance, deviation, gradient_norm]: [N; 7]) -> Self {
        Self {
            objective,
            largest,
            place,
            norm,
            distance,
            deviation,
            gradient_norm,
        }
    }
}

/// The arithmetic of a batch of ascents.
pub(super) trait Arithmetic: Sync {
    /// What is climbed of each ascent: its image, or the parameters of one.
    type Images: Clone + Send;
    /// The images as they are kept: grey levels less the mean.
    type Shown: Send;
    /// What a pass keeps of the images.
    type Drawn;
    /// The gradient of each of them.
    type Gradient: Send;
    /// A number for each ascent.
    type Numbers: Quantity + Clone + Send + Sync;
    /// Yes or no for each ascent.
    type Flags: Clone + Send;

    /// Images from the host, one for each ascent.
    fn images(&self, images: &[&[f64]]) -> Self::Images;
    /// Numbers from the host.
    fn numbers(&self, numbers: &[f64]) -> Self::Numbers;
    /// Answers from the host.
    fn flags(&self, flags: &[bool]) -> Self::Flags;
    /// Kept images from the host.
    fn kept(&self, images: &[&[f64]]) -> Self::Shown;
    /// The images of a pass, to be kept.
    fn shown<'a>(&self, x: &'a Self::Images, found: &'a Found<Self>) -> &'a Self::Shown;
    /// Kept images, on the host.
    fn read_shown(&self, images: &Self::Shown) -> Result<Vec<Vec<f64>>>;
    /// The images, on the host.
    fn read_images(&self, images: &Self::Images) -> Result<Vec<Vec<f64>>>;
    /// How strongly each pixel of each image was pushed so far, on the host, where that is summed up.
    fn read_pushes(&self) -> Result<Option<Vec<Vec<f32>>>> {
        Ok(None)
    }
    /// How opaque each image is, on the host, where images have an alpha channel.
    fn read_opacity(&self, images: &Self::Images) -> Result<Option<Vec<Vec<f32>>>> {
        let _ = images;
        Ok(None)
    }
    /// The gradients, on the host.
    fn read_gradient(&self, gradient: &Self::Gradient) -> Result<Vec<Vec<f32>>>;
    /// The figures of several iterations, on the host: for each iteration those of each ascent.
    fn read_figures(&self, figures: Vec<Figures<Self::Numbers>>) -> Result<Vec<Vec<Figures<f64>>>>;

    /// Through the network and back, in this iteration.
    fn pass(&self, x: &Self::Images, iteration: usize) -> Result<Found<Self>>;

    /// Keeps what can be shown, from black to white; parameterized images are always between them.
    fn clip(&self, x: &mut Self::Images);
    /// Of each image its Euclidean norm, its distance from the image that the ascent began with, and its population standard
    /// deviation.
    fn statistics(&self, x: &Self::Images) -> [Self::Numbers; 3];
    /// Euclidean norm of the gradient.
    fn gradient_norms(&self, gradient: &Self::Gradient) -> Self::Numbers;

    /// Adds the gradient, scaled by a number for each image.
    fn add_scaled(&self, x: &mut Self::Images, rate: &Self::Numbers, gradient: &Self::Gradient);
    /// A step of an optimizer that remembers gradients; `moments` are what it remembers.
    ///
    /// # Errors
    /// Where it is not computed in this precision.
    fn step(&self, x: &mut Self::Images, gradient: &Self::Gradient, by: &Adaptive, moments: &mut Moments)
    -> Result<()>;

    /// Where the first is greater than the second.
    fn greater(&self, a: &Self::Numbers, b: &Self::Numbers) -> Self::Flags;
    /// Where they are equal.
    fn equal(&self, a: &Self::Numbers, b: &Self::Numbers) -> Self::Flags;
    /// Where both are on.
    fn both(&self, a: &Self::Flags, b: &Self::Flags) -> Self::Flags;
    /// Where the first is on and the second off.
    fn but_not(&self, a: &Self::Flags, b: &Self::Flags) -> Self::Flags;
    /// Where either is on.
    fn either(&self, a: &Self::Flags, b: &Self::Flags) -> Self::Flags;
    /// Puts images in place where the flag is on.
    fn select(&self, kept: &mut Self::Shown, flags: &Self::Flags, x: &Self::Shown);
    /// Puts numbers in place where the flag is on.
    fn select_numbers(&self, kept: &mut Self::Numbers, flags: &Self::Flags, numbers: &Self::Numbers);
}

/// What the regularizers need, of images that are grey levels.
pub(super) trait Pixelwise: Arithmetic {
    /// A measure of each pixel of each image.
    type Pixels;

    /// Multiplies every entry.
    fn scale(&self, x: &mut Self::Images, factor: f64);
    /// Gaussian blur of each channel, of the radius that the ascents' regularizers have.
    fn blur(&self, x: &mut Self::Images);
    /// Zeroes the entries whose absolute value is below the image's percentile of them.
    fn zero_small_values(&self, x: &mut Self::Images, percent: f64);
    /// Norm of each pixel over its channels.
    fn pixel_norms(&self, x: &Self::Images) -> Self::Pixels;
    /// What each pixel contributes to the objective, to first order: the sum over its channels of -x times the gradient.
    fn pixel_benefits(&self, x: &Self::Images, gradient: &Self::Gradient) -> Self::Pixels;
    /// Absolute values.
    fn pixel_sizes(&self, pixels: Self::Pixels) -> Self::Pixels;
    /// Zeroes the pixels whose measure is below the image's percentile of it.
    fn zero_pixels(&self, x: &mut Self::Images, measures: Self::Pixels, percent: f64);
}
