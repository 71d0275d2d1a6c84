//! Parameterized images in float32 tensors: parameters are climbed through the image that is made of them, its transformations
//! and the network (`look`). The original's figures are taken of the parameters.

mod look;

use std::sync::{Mutex, PoisonError};

use burn::tensor::{Bool, Tensor, TensorData};

use super::formula::Formula;
use super::ground::Ground;
use super::tensors::{Tensors, upload};
use super::{Arithmetic, Batch, Figures, Found};
use crate::ascent::error::{Error, Result};
use crate::ascent::optimizer::{Adaptive, Moments};
use crate::ascent::pass::{differentiate, floats};
use crate::ascent::recipe::Image;
use crate::network::Network;
use crate::network::sums::sum_along;
use crate::parameterization::{Built, WHITE, colour_order};
use crate::transform::crops::Crops;
use crate::transform::octaves::Octaves;
use crate::transform::{Transform, Transforms, Views};

/// Iterations in which ReLUs that let nothing of an image's gradient through are redirected: lucid's, whose step 16 is the last.
const REDIRECTED: usize = 17;

/// A batch of parameterized images.
pub(in crate::ascent) struct Parameterized<'a> {
    /// What does not depend on how images are made: the units, numbers and flags.
    tensors: Tensors<'a>,
    /// The network of the first iterations.
    redirected: Option<Network>,
    built: Built,
    transforms: Transforms,
    crops: Option<Crops>,
    octaves: Option<Octaves>,
    /// Where images have an alpha channel, what makes the ground that shows through.
    ground: Option<Ground>,
    /// How strongly images are held to those that they start from, and these, `[batch, channels, rows, columns]`.
    hold: Option<(f64, Tensor<4>)>,
    /// Iterations of the whole ascent.
    steps: usize,
    /// How strongly each pixel was pushed so far, `[batch, rows * columns]`, where images are seen through crops.
    pushes: Mutex<Option<Tensor<2>>>,
    /// Channels, rows and columns of the images.
    picture: [usize; 3],
    seeds: Vec<u32>,
    formula: Option<Formula>,
    /// For each of the network's channels, which of the image's it is.
    order: Vec<usize>,
    /// The mean, `[1, channels, rows, columns]`, for the network's input.
    mean: Tensor<4>,
    /// The mean for the images.
    mean_of_picture: Tensor<4>,
    /// The parameters that the ascents began with, `[batch, parameters]`.
    z0: Tensor<2>,
}

impl<'a> Parameterized<'a> {
    /// The arithmetic of `batch`.
    ///
    /// # Errors
    /// When its recipe does not go with images of the network's size.
    pub(in crate::ascent) fn new(batch: &Batch<'a>) -> Result<Self> {
        let first = batch.climbs[0];
        let recipe = first.recipe();
        let [channels, rows, columns] = batch.network.image();
        let Image::Parameterized(spec) = &recipe.image else {
            return Err(Error::Setting("images of grey levels have no parameters".into()));
        };
        let picture = recipe.picture([channels, rows, columns]);
        let [_, height, width] = picture;
        let built = spec
            .build(picture, batch.device)
            .map_err(|error| Error::Setting(error.to_string()))?;
        let (mut crops, mut octaves) = (None, None);
        let transforms = match &recipe.views {
            Views::Crops(given) => {
                crops = Some(given.clone());
                Transforms::default()
            }
            Views::Octaves(given) => {
                octaves = Some(*given);
                Transforms::default()
            }
            Views::None if [height, width] == [rows, columns] => Transforms::default(),
            Views::None => Transforms::new(vec![Transform::Resize { size: [rows, columns] }]),
            views @ (Views::Lucid | Views::Olah2017 | Views::Xplique | Views::List(_)) => {
                views.transforms([height, width]).ending([rows, columns])
            }
        };
        transforms
            .check([height, width])
            .map_err(|error| Error::Setting(error.to_string()))?;
        let pushes = batch.climbs.iter().map(|climb| climb.record().pushes.as_deref());
        let pushes: Option<Vec<&[f32]>> = pushes.collect();
        let pushes = pushes.map(|rows| {
            let data = TensorData::new(rows.concat(), [rows.len(), height * width]);
            Tensor::from_data(data, batch.device)
        });
        let mean = |mean: &[f64], [rows, columns]: [usize; 2]| {
            #[expect(clippy::cast_possible_truncation, reason = "float32 throughout")]
            let mean: Vec<f32> = mean.iter().map(|mean| *mean as f32).collect();
            Tensor::from_data(TensorData::new(mean, [1, channels, rows, columns]), batch.device)
        };
        let z0: Vec<&[f64]> = batch.climbs.iter().map(|climb| climb.record().x0.as_slice()).collect();
        let z0 = rows_of(&z0, batch);
        let hold = recipe.hold.map(|weight| (weight, built.image(z0.clone())));
        let ground = spec.alpha.then(|| Ground::new(picture, batch.device)).transpose()?;
        Ok(Self {
            ground,
            hold,
            octaves,
            redirected: (first.iteration() < REDIRECTED).then(|| batch.network.with_redirected_relus()),
            built,
            transforms,
            formula: Formula::of(batch)?,
            seeds: batch.climbs.iter().map(|climb| climb.recipe().seed).collect(),
            order: colour_order(channels, first.swap()),
            mean: mean(first.network_mean(), [rows, columns]),
            mean_of_picture: mean(first.mean(), [height, width]),
            crops,
            steps: recipe.steps,
            pushes: Mutex::new(pushes),
            picture,
            z0,
            tensors: Tensors::new(batch),
        })
    }

    /// Images between 0 and 1, in red, green and blue, in the network's order and grey levels, less a mean.
    fn to_network(&self, images: Tensor<4>, mean: &Tensor<4>) -> Tensor<4> {
        let channels = self
            .order
            .iter()
            .map(|channel| images.clone().narrow(1, *channel, 1))
            .collect();
        let mean = if images.is_autodiff() {
            mean.clone().autodiff()
        } else {
            mean.clone()
        };
        Tensor::cat(channels, 1) * WHITE - mean
    }
}

#[expect(clippy::cast_possible_truncation, reason = "float32 throughout")]
fn rows_of(rows: &[&[f64]], batch: &Batch<'_>) -> Tensor<2> {
    let values: Vec<f32> = rows.iter().flat_map(|row| row.iter().map(|z| *z as f32)).collect();
    let len = values.len() / rows.len().max(1);
    Tensor::from_data(TensorData::new(values, [rows.len(), len]), batch.device)
}

impl Arithmetic for Parameterized<'_> {
    /// Parameters, `[batch, parameters]`.
    type Images = Tensor<2>;
    type Shown = Tensor<4>;
    /// The images before transformations, as the network takes them.
    type Drawn = Tensor<4>;
    type Gradient = Tensor<2>;
    type Numbers = Tensor<2>;
    type Flags = Tensor<2, Bool>;

    #[expect(clippy::cast_possible_truncation, reason = "float32 throughout")]
    fn images(&self, images: &[&[f64]]) -> Self::Images {
        let values: Vec<f32> = images.iter().flat_map(|row| row.iter().map(|z| *z as f32)).collect();
        let len = values.len() / images.len().max(1);
        Tensor::from_data(TensorData::new(values, [images.len(), len]), &self.z0.device())
    }

    fn numbers(&self, numbers: &[f64]) -> Self::Numbers {
        self.tensors.numbers(numbers)
    }

    fn flags(&self, flags: &[bool]) -> Self::Flags {
        self.tensors.flags(flags)
    }

    fn kept(&self, images: &[&[f64]]) -> Self::Shown {
        upload(images, self.picture, &self.z0.device())
    }

    fn read_pushes(&self) -> Result<Option<Vec<Vec<f32>>>> {
        let Some(pushes) = self.pushes.lock().unwrap_or_else(PoisonError::into_inner).clone() else {
            return Ok(None);
        };
        let [batch, len] = pushes.dims();
        let values = floats(pushes)?;
        Ok(Some(values.chunks(len).take(batch).map(<[f32]>::to_vec).collect()))
    }

    fn read_opacity(&self, images: &Self::Images) -> Result<Option<Vec<Vec<f32>>>> {
        if self.ground.is_none() {
            return Ok(None);
        }
        let image = self.built.image(images.clone());
        let [batch, channels, rows, columns] = image.dims();
        let values = floats(image.narrow(1, channels - 1, 1))?;
        Ok(Some(
            values.chunks(rows * columns).take(batch).map(<[f32]>::to_vec).collect(),
        ))
    }

    fn shown<'a>(&self, _: &'a Self::Images, found: &'a Found<Self>) -> &'a Self::Shown {
        &found.drawn
    }

    fn read_shown(&self, images: &Self::Shown) -> Result<Vec<Vec<f64>>> {
        self.tensors.read_images(images)
    }

    fn read_images(&self, images: &Self::Images) -> Result<Vec<Vec<f64>>> {
        let [batch, _] = images.dims();
        let values = floats(images.clone())?;
        let row = |row: &[f32]| row.iter().map(|z| f64::from(*z)).collect();
        Ok(values.chunks(values.len() / batch).map(row).collect())
    }

    fn read_gradient(&self, gradient: &Self::Gradient) -> Result<Vec<Vec<f32>>> {
        let [batch, _] = gradient.dims();
        let values = floats(gradient.clone())?;
        Ok(values.chunks(values.len() / batch).map(<[f32]>::to_vec).collect())
    }

    fn read_figures(&self, figures: Vec<Figures<Self::Numbers>>) -> Result<Vec<Vec<Figures<f64>>>> {
        self.tensors.read_figures(figures)
    }

    fn pass(&self, x: &Self::Images, iteration: usize) -> Result<Found<Self>> {
        let redirected = self.redirected.as_ref().filter(|_| iteration < REDIRECTED);
        let network = redirected.unwrap_or(self.tensors.network);
        let look = |image: Tensor<4>| self.look(network, image, iteration);
        let ((layer, value, drawn), gradient) = if let Some(octaves) = self.octaves {
            let (seen, of_image) = self.dream(octaves, network, self.built.image(x.clone()), iteration);
            (seen, self.gradient_of(x, of_image))
        } else if self.crops.is_some() {
            // Halfway the gradient of the image is wanted, too.
            let (seen, of_image) = differentiate(self.built.image(x.clone()), look);
            self.add_pushes(&of_image);
            (seen, self.gradient_of(x, of_image))
        } else {
            differentiate(x.clone(), |z| look(self.built.image(z)))
        };
        let [of_unit, largest, place] = self.tensors.read_units(layer);
        Ok(Found {
            objective: value.unwrap_or(of_unit),
            largest,
            place,
            gradient,
            drawn,
        })
    }

    fn clip(&self, _: &mut Self::Images) {}

    fn statistics(&self, x: &Self::Images) -> [Self::Numbers; 3] {
        let [_, len] = x.dims();
        #[expect(clippy::cast_precision_loss, reason = "parameters of an image")]
        let len = len as f64;
        let norm = |rows: Tensor<2>| sum_along(rows.square(), 1).sqrt();
        let deviation = x.clone() - sum_along(x.clone(), 1) / len;
        [
            norm(x.clone()),
            norm(x.clone() - self.z0.clone()),
            norm(deviation) / len.sqrt(),
        ]
    }

    fn gradient_norms(&self, gradient: &Self::Gradient) -> Self::Numbers {
        sum_along(gradient.clone().square(), 1).sqrt()
    }

    fn add_scaled(&self, x: &mut Self::Images, rate: &Self::Numbers, gradient: &Self::Gradient) {
        *x = x.clone() + gradient.clone() * rate.clone();
    }

    fn step(
        &self,
        x: &mut Self::Images,
        gradient: &Self::Gradient,
        by: &Adaptive,
        moments: &mut Moments,
    ) -> Result<()> {
        *x = by.step(x.clone(), gradient.clone(), moments);
        Ok(())
    }

    fn greater(&self, a: &Self::Numbers, b: &Self::Numbers) -> Self::Flags {
        self.tensors.greater(a, b)
    }

    fn equal(&self, a: &Self::Numbers, b: &Self::Numbers) -> Self::Flags {
        self.tensors.equal(a, b)
    }

    fn both(&self, a: &Self::Flags, b: &Self::Flags) -> Self::Flags {
        self.tensors.both(a, b)
    }

    fn but_not(&self, a: &Self::Flags, b: &Self::Flags) -> Self::Flags {
        self.tensors.but_not(a, b)
    }

    fn either(&self, a: &Self::Flags, b: &Self::Flags) -> Self::Flags {
        self.tensors.either(a, b)
    }

    fn select(&self, kept: &mut Self::Shown, flags: &Self::Flags, x: &Self::Shown) {
        self.tensors.select(kept, flags, x);
    }

    fn select_numbers(&self, kept: &mut Self::Numbers, flags: &Self::Flags, numbers: &Self::Numbers) {
        self.tensors.select_numbers(kept, flags, numbers);
    }
}
