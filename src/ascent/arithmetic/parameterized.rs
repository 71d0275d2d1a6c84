//! Parameterized images in float32 tensors: parameters are climbed through the image that is made of them, its transformations
//! and the network. The original's figures are taken of the parameters.

use std::cell::RefCell;

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
use crate::transform::octaves::{Octaves, tiles};
use crate::transform::resample::{Places, resize};
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
    pushes: RefCell<Option<Tensor<2>>>,
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
            pushes: RefCell::new(pushes),
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

/// The layer's values of each image, those of a formula, and the images.
type Seen = (Tensor<2>, Option<Tensor<2>>, Tensor<4>);

impl Parameterized<'_> {
    /// What is climbed of `image`s in this iteration, and what the network saw.
    fn look(&self, network: &Network, image: Tensor<4>, iteration: usize) -> (Tensor<1>, Seen) {
        let drawn = self.to_network(image.clone().inner(), &self.mean_of_picture);
        let (views, image) = match &self.crops {
            None => {
                let solid = match &self.ground {
                    Some(ground) => ground.behind(&image, &self.seeds, iteration),
                    None => image.clone(),
                };
                (self.transforms.apply(solid, iteration, &self.seeds), image)
            }
            Some(crops) => {
                let [_, _, rows, columns] = self.mean.dims();
                let when = [iteration, self.steps];
                let views = crops.apply(image.clone(), when, &self.seeds, [rows, columns]);
                (views, repeated(image, crops.count))
            }
        };
        let (pushed, layer, values) = self.judge(network, views, &image);
        let pushed = match &self.hold {
            None => pushed,
            Some((weight, picture)) => {
                let images = image.dims()[0] / self.seeds.len();
                let away = image - repeated(picture.clone().autodiff(), images);
                let entries = away.dims()[1..].iter().product::<usize>() * images;
                #[expect(clippy::cast_precision_loss, reason = "entries of an image")]
                let cost = away.square().sum() * (weight / entries as f64);
                pushed - cost
            }
        };
        (pushed, (layer, values, drawn))
    }

    /// What is climbed of what the network sees of each `image`: as a number to differentiate, the layer's values, those of a formula.
    fn judge(
        &self,
        network: &Network,
        views: Tensor<4>,
        image: &Tensor<4>,
    ) -> (Tensor<1>, Tensor<2>, Option<Tensor<2>>) {
        let count = views.dims()[0];
        let seen = network.units(self.to_network(views, &self.mean)).into_iter();
        let mut seen: Vec<_> = seen.map(|target| target.of_images(count)).collect();
        let of_formula = self.formula.as_ref().map(|formula| formula.value(&seen, image));
        let crops = self.crops.as_ref().map_or(1, |crops| crops.count);
        let (pushed, layer) = self.tensors.push(seen.swap_remove(0), crops);
        let Some(values) = of_formula else {
            return (pushed, layer, None);
        };
        let batch = self.seeds.len();
        let values = values.reshape([batch, crops]).mean_dim(1);
        (values.clone().sum(), layer, Some(values.inner()))
    }

    /// The same through the tiles of an octave, and the gradient of the whole image: the mean of the tiles'.
    fn dream(&self, octaves: Octaves, network: &Network, image: Tensor<4>, iteration: usize) -> (Seen, Tensor<4>) {
        let [_, _, height, width] = image.dims();
        let [_, _, rows, columns] = self.mean.dims();
        let drawn = self.to_network(image.clone(), &self.mean_of_picture);
        let small = octaves.shrunk(image, octaves.octave([iteration, self.steps]));
        let [_, _, down, across] = small.dims();
        let corners = |seed: &u32| octaves.corners([down, across], [rows, columns], *seed, iteration);
        let corners: Vec<Vec<[usize; 2]>> = self.seeds.iter().map(corners).collect();
        // All images have as many tiles: how many is a matter of sizes.
        let count = corners.first().map_or(0, Vec::len);
        let mut sums: Option<(Tensor<2>, Option<Tensor<2>>, Tensor<4>)> = None;
        for tile in 0..count {
            let corners: Vec<[usize; 2]> = corners.iter().map(|corners| corners[tile]).collect();
            let ((layer, values), gradient) = differentiate(small.clone(), |small| {
                let views = tiles(&small, &corners, [rows, columns]);
                let (pushed, layer, values) = self.judge(network, views, &small);
                (pushed, (layer, values))
            });
            sums = Some(match sums {
                None => (layer, values, gradient),
                Some((layers, all, gradients)) => (
                    layers + layer,
                    all.zip(values).map(|(all, values)| all + values),
                    gradients + gradient,
                ),
            });
        }
        let (layer, values, gradient) = sums.unwrap_or_else(|| {
            let [batch, ..] = small.dims();
            (Tensor::zeros([batch, 1], &small.device()), None, small.zeros_like())
        });
        #[expect(clippy::cast_precision_loss, reason = "a few tiles")]
        let mean = 1.0 / count.max(1) as f64;
        let gradient = resize(gradient * mean, [height, width], Places::HalfPixel);
        ((layer * mean, values.map(|values| values * mean), drawn), gradient)
    }

    /// The gradient of parameters by that of the image.
    fn gradient_of(&self, z: &Tensor<2>, of_image: Tensor<4>) -> Tensor<2> {
        let (_, gradient) = differentiate(z.clone(), |z| ((self.built.image(z) * of_image.autodiff()).sum(), ()));
        gradient
    }

    /// Adds the sum over channels of a gradient's absolute values.
    fn add_pushes(&self, of_image: &Tensor<4>) {
        let [batch, _, rows, columns] = of_image.dims();
        let new = of_image.clone().abs().sum_dim(1).reshape([batch, rows * columns]);
        let mut pushes = self.pushes.borrow_mut();
        *pushes = Some(match pushes.take() {
            Some(before) => before + new,
            None => new,
        });
    }
}

/// Each image `times` times, one after the other.
fn repeated(images: Tensor<4>, times: usize) -> Tensor<4> {
    let [batch, channels, rows, columns] = images.dims();
    let one = |image: usize| vec![images.clone().narrow(0, image, 1); times];
    let all: Vec<Tensor<4>> = (0..batch).flat_map(one).collect();
    Tensor::cat(all, 0).reshape([batch * times, channels, rows, columns])
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
        let Some(pushes) = self.pushes.borrow().clone() else {
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
