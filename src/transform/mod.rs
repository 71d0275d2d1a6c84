//! Small random changes of an image before the network sees it, so that what is found does not hang on single pixels.
//!
//! A [`Transforms`] is a list of [`Transform`]s. What it draws for an image hangs on that image's seed, the iteration and the
//! place in the list alone. One thing is shared by a batch, as in lucid: a scale, where the size of the result hangs on it;
//! it is then drawn from the iteration alone. Where a later crop or resize settles the size each image has its own.
//!
//! Crops, shifts, scalings, rotations and flips that follow one another are one sampling, bilinear and half-pixel: images are
//! not blurred anew by each, and a rotation brings in what a crop before it had only moved out of sight.

pub mod blur;
mod choice;
pub mod crops;
mod error;
pub mod octaves;
mod parse;
pub mod resample;
pub mod sample;
mod sets;

use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

pub use self::choice::Choice;
pub use self::error::{Error, ParseError, Result};
use self::sample::{Affine, Edge, Surroundings, Take};
pub use self::sets::{NAMES, Views};
use crate::random::Random;

/// One transformation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Transform {
    /// Pixels added on all four sides: `pad 12`, `pad 12 reflect`, `pad 12 uniform`, `pad 12 0`.
    Pad {
        /// How many on each side.
        width: usize,
        /// Which.
        with: Padding,
    },
    /// A random crop, smaller by this in both directions, at any of the `by + 1` offsets in each: lucid's jitter. `jitter 8`.
    Jitter {
        /// By how many pixels it is smaller.
        by: usize,
    },
    /// The image resized to `trunc(s * size)`: `scale 0.9..1.1`, `scale {1, 0.95, 1.05}`.
    Scale {
        /// s.
        by: Choice,
    },
    /// The image turned about its centre, counter-clockwise as seen: `rotate -10..10`.
    Rotate {
        /// Degrees.
        degrees: Choice,
    },
    /// The middle of the image, or the image in the middle of the ground: `crop 224`, `crop 224x320`.
    Crop {
        /// Rows and columns of the result.
        size: [usize; 2],
    },
    /// The image resized: `resize 224`.
    Resize {
        /// Rows and columns of the result.
        size: [usize; 2],
    },
    /// Gaussian blur: `blur 1..1.1`.
    Blur {
        /// Standard deviation, in pixels.
        sigma: Choice,
    },
    /// Left and right exchanged, every other time: `flip`.
    Flip,
    /// Normal noise added to each value: `noise 0.05`.
    Noise {
        /// Standard deviation, where values are from 0 to 1.
        deviation: Choice,
    },
}

/// What an image is padded with. It is also the ground that a later rotation or crop shows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Padding {
    /// This value; 0.5 is mid-grey.
    Constant(f64),
    /// The image's mirror image, its edge not repeated; the ground is mid-grey.
    Reflect,
    /// A random grey, another one each time.
    Uniform,
}

/// The ground before anything is padded: mid-grey.
pub const GROUND: f64 = 0.5;

/// Transformations in turn.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Transforms {
    /// The list.
    pub list: Vec<Transform>,
}

/// What random numbers are drawn for.
const OF_AN_IMAGE: u64 = 0x7472_616e_7366;
const OF_A_BATCH: u64 = 0x7363_616c_6573;

/// How an image of the next sampling is made, so far.
#[derive(Debug, Clone)]
struct Path {
    places: Affine,
    size: [usize; 2],
    reflected: usize,
    ground: f64,
    is_turned: bool,
    /// Nothing has been done yet.
    is_empty: bool,
}

impl Path {
    fn new(size: [usize; 2], ground: f64) -> Self {
        Self {
            places: Affine::IDENTITY,
            size,
            reflected: 0,
            ground,
            is_turned: false,
            is_empty: true,
        }
    }

    fn then(&mut self, places: &Affine, size: [usize; 2]) {
        self.places = self.places.after(places);
        self.size = size;
        self.is_empty = false;
    }

    fn take(&self, image: usize) -> Take {
        #[expect(clippy::cast_possible_truncation, reason = "a grey value")]
        let surroundings = Surroundings {
            reflected: self.reflected,
            ground: self.ground as f32,
            edge: if self.is_turned { Edge::Blend } else { Edge::Area },
        };
        Take {
            image,
            places: self.places,
            surroundings,
        }
    }
}

/// trunc(s n), in float32 as lucid has it, and at least 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "lucid's formula"
)]
fn scaled(n: usize, s: f64) -> usize {
    ((s as f32 * n as f32).trunc() as usize).max(1)
}

/// Where a crop of `size` from the middle of `n` begins; negative where it is larger.
#[expect(clippy::cast_precision_loss, reason = "sizes of images")]
fn middle(n: usize, size: usize) -> f64 {
    if size <= n {
        ((n - size) / 2) as f64
    } else {
        -(((size - n) / 2) as f64)
    }
}

impl Transforms {
    /// A list.
    pub fn new(list: Vec<Transform>) -> Self {
        Self { list }
    }

    /// The same with results of `size`: resized at the end where they are of another.
    #[must_use]
    pub fn ending(mut self, size: [usize; 2]) -> Self {
        let is_there = match self.list.last() {
            Some(Transform::Crop { size: to } | Transform::Resize { size: to }) => *to == size,
            Some(
                Transform::Pad { .. }
                | Transform::Jitter { .. }
                | Transform::Scale { .. }
                | Transform::Rotate { .. }
                | Transform::Blur { .. }
                | Transform::Flip
                | Transform::Noise { .. },
            )
            | None => false,
        };
        if !is_there {
            self.list.push(Transform::Resize { size });
        }
        self
    }

    /// The size (rows, columns) of what becomes of images of `size` in iteration `step`.
    pub fn output_size(&self, size: [usize; 2], step: usize) -> [usize; 2] {
        self.sizes(size, |place, by| self.shared_scale(place, by, step))
    }

    /// The sizes after each, scales being as given.
    fn sizes(&self, size: [usize; 2], scale: impl Fn(usize, &Choice) -> f64) -> [usize; 2] {
        self.list
            .iter()
            .enumerate()
            .fold(size, |size, (place, transform)| match transform {
                Transform::Pad { width, .. } => size.map(|n| n + 2 * width),
                Transform::Jitter { by } => size.map(|n| n.saturating_sub(*by).max(1)),
                Transform::Scale { by } => {
                    let s = scale(place, by);
                    size.map(|n| scaled(n, s))
                }
                Transform::Crop { size } | Transform::Resize { size } => *size,
                Transform::Rotate { .. } | Transform::Blur { .. } | Transform::Flip | Transform::Noise { .. } => size,
            })
    }

    /// Whether images of `size` can go through: fails with the first transformation that leaves nothing of them.
    pub fn check(&self, size: [usize; 2]) -> Result<()> {
        for until in 1..=self.list.len() {
            let (before, last) = (Self::new(self.list[..until - 1].to_vec()), &self.list[until - 1]);
            let least = before.sizes(size, |_, by| by.bounds().map_or(1.0, |[low, _]| low));
            let too_small = match last {
                Transform::Jitter { by } => least.iter().any(|n| n <= by),
                Transform::Pad {
                    width,
                    with: Padding::Reflect,
                } => least.iter().any(|n| n <= width),
                Transform::Scale { by } => {
                    let low = by.bounds().map_or(0.0, |[low, _]| low);
                    #[expect(clippy::cast_precision_loss, reason = "sizes of images")]
                    let is_nothing = least.iter().any(|n| low * (*n as f64) < 1.0);
                    is_nothing
                }
                Transform::Crop { size } | Transform::Resize { size } => size.contains(&0),
                Transform::Pad { .. }
                | Transform::Rotate { .. }
                | Transform::Blur { .. }
                | Transform::Flip
                | Transform::Noise { .. } => false,
            };
            if too_small {
                return Err(Error::TooSmall {
                    transform: last.to_string(),
                    size: least,
                });
            }
        }
        Ok(())
    }

    fn shared_scale(&self, place: usize, by: &Choice, step: usize) -> f64 {
        by.draw(&mut Random::new(&[OF_A_BATCH, step as u64, place as u64]))
    }

    /// Whether a crop or resize after `place`, within the same sampling, settles the size whatever the scale.
    fn is_settled(&self, place: usize) -> bool {
        for transform in &self.list[place + 1..] {
            match transform {
                Transform::Crop { .. } | Transform::Resize { .. } => return true,
                Transform::Pad { .. } | Transform::Blur { .. } | Transform::Noise { .. } => return false,
                Transform::Jitter { .. } | Transform::Scale { .. } | Transform::Rotate { .. } | Transform::Flip => {}
            }
        }
        false
    }

    /// What becomes of `images`, `[batch, channels, rows, columns]` from 0 to 1, in iteration `step`; `seeds` has one for each.
    ///
    /// The images are of [`Transforms::output_size`]. Differentiable. Sizes that [`Transforms::check`] refuses come out as
    /// single pixels.
    pub fn apply(&self, images: Tensor<4>, step: usize, seeds: &[u32]) -> Tensor<4> {
        let [_, _, rows, columns] = images.dims();
        let mut images = images;
        let mut paths = vec![Path::new([rows, columns], GROUND); seeds.len()];
        for (place, transform) in self.list.iter().enumerate() {
            let random = |seed: &u32| Random::new(&[OF_AN_IMAGE, u64::from(*seed), step as u64, place as u64]);
            match transform {
                Transform::Pad { width, with } => {
                    images = sampled(images, &mut paths);
                    for (path, seed) in paths.iter_mut().zip(seeds) {
                        pad(path, *width, *with, &mut random(seed));
                    }
                }
                Transform::Jitter { by } => {
                    for (path, seed) in paths.iter_mut().zip(seeds) {
                        let mut random = random(seed);
                        #[expect(clippy::cast_precision_loss, reason = "a number of pixels")]
                        let offset = [(); 2].map(|()| random.below(by + 1) as f64);
                        let size = path.size.map(|n| n.saturating_sub(*by).max(1));
                        path.then(&Affine::shift(offset[1], offset[0]), size);
                    }
                }
                Transform::Scale { by } => {
                    let settled = self.is_settled(place);
                    for (path, seed) in paths.iter_mut().zip(seeds) {
                        let s = if settled {
                            by.draw(&mut random(seed))
                        } else {
                            self.shared_scale(place, by, step)
                        };
                        let size = path.size.map(|n| scaled(n, s));
                        path.then(&Affine::resize(path.size, size), size);
                    }
                }
                Transform::Rotate { degrees } => {
                    for (path, seed) in paths.iter_mut().zip(seeds) {
                        let degrees = degrees.draw(&mut random(seed));
                        path.is_turned |= degrees != 0.0;
                        path.then(&Affine::rotate(path.size, degrees), path.size);
                    }
                }
                Transform::Crop { size } => {
                    for path in &mut paths {
                        let offset = [0, 1].map(|axis| middle(path.size[axis], size[axis]));
                        path.then(&Affine::shift(offset[1], offset[0]), *size);
                    }
                }
                Transform::Resize { size } => {
                    for path in &mut paths {
                        path.then(&Affine::resize(path.size, *size), *size);
                    }
                }
                Transform::Flip => {
                    for (path, seed) in paths.iter_mut().zip(seeds) {
                        if random(seed).below(2) == 1 {
                            path.then(&Affine::flip(path.size[1]), path.size);
                        }
                    }
                }
                Transform::Blur { sigma } => {
                    images = sampled(images, &mut paths);
                    let sigmas: Vec<f64> = seeds.iter().map(|seed| sigma.draw(&mut random(seed))).collect();
                    images = blur::blur(images, &sigmas);
                }
                Transform::Noise { deviation } => {
                    images = sampled(images, &mut paths);
                    images = with_noise(images, seeds, |seed| {
                        let mut random = random(seed);
                        let deviation = deviation.draw(&mut random);
                        (random, deviation)
                    });
                }
            }
        }
        sampled(images, &mut paths)
    }
}

/// Does what has gathered in `paths`, and begins new ones.
fn sampled(images: Tensor<4>, paths: &mut [Path]) -> Tensor<4> {
    let Some(size) = paths.first().map(|path| path.size) else {
        return images;
    };
    if paths.iter().all(|path| path.is_empty) {
        return images;
    }
    let takes: Vec<Take> = paths.iter().enumerate().map(|(image, path)| path.take(image)).collect();
    for path in paths {
        *path = Path::new(size, path.ground);
    }
    sample::sample(images, &takes, size)
}

fn pad(path: &mut Path, width: usize, with: Padding, random: &mut Random) {
    match with {
        Padding::Constant(value) => path.ground = value,
        Padding::Reflect => {
            path.ground = GROUND;
            path.reflected = width;
        }
        Padding::Uniform => path.ground = random.unit(),
    }
    #[expect(clippy::cast_precision_loss, reason = "a number of pixels")]
    let outwards = -(width as f64);
    path.then(&Affine::shift(outwards, outwards), path.size.map(|n| n + 2 * width));
}

fn with_noise(images: Tensor<4>, seeds: &[u32], stream: impl Fn(&u32) -> (Random, f64)) -> Tensor<4> {
    let shape = images.dims();
    let entries: usize = shape[1..].iter().product();
    let values: Vec<f32> = seeds
        .iter()
        .flat_map(|seed| {
            let (mut random, deviation) = stream(seed);
            random.normals(entries, deviation)
        })
        .collect();
    let noise = Tensor::from_data(TensorData::new(values, shape), &images.device());
    images + noise
}
