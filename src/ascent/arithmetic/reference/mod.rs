//! The arithmetic of the original script: images in float64 on the host, sums in NumPy's order, SciPy's blur.

mod blur;
mod crews;
mod percentile;
mod statistics;

use std::sync::Arc;

use rayon::prelude::*;

pub use blur::{blur, matrix as blur_matrix};
pub use percentile::percentile;
pub use statistics::{ImageStatistics, gradient_norm, statistics};

use super::{Arithmetic, Batch, Figures, Found, Pixelwise, RANGE};
use crate::ascent::error::{Error, Result};
use crate::ascent::optimizer::{Adaptive, Moments};
use crate::ascent::regularizer::Regularizers;
use crews::Crews;

/// Entries of a parallel task: one image alone keeps all cores busy.
const CHUNK: usize = 1 << 13;

/// A batch in float64.
pub(in crate::ascent) struct Reference<'a> {
    crews: Crews<'a>,
    regularizers: Regularizers,
    mean: Arc<[f64]>,
    image: [usize; 3],
    /// Entries of one image.
    entries: usize,
    x0: Vec<&'a [f64]>,
    /// The place of each unit in its layer's values, and its direction.
    seeds: Vec<(usize, f32)>,
}

impl<'a> Reference<'a> {
    /// The arithmetic of `batch`.
    #[expect(clippy::cast_possible_truncation, reason = "gradients are float32")]
    pub(in crate::ascent) fn new(batch: &Batch<'a>) -> Self {
        let first = batch.climbs[0];
        let image = batch.network.image();
        Self {
            crews: Crews::new(batch.network, batch.device, batch.climbs.len()),
            regularizers: first.recipe().regularizers,
            mean: first.mean().clone(),
            image,
            entries: image.iter().product(),
            x0: batch.climbs.iter().map(|climb| climb.record().x0.as_slice()).collect(),
            seeds: batch
                .climbs
                .iter()
                .map(|climb| (climb.place(), climb.recipe().objective.direction as f32))
                .collect(),
        }
    }

    /// Entries and pixels of an image.
    fn sizes(&self) -> [usize; 2] {
        [self.entries, self.image[1] * self.image[2]]
    }
}

/// Of each of `images` of `entries` entries, for each pixel the sum of `term` (of the image and a place in it) over the pixel's channels,
/// whose planes have `area` pixels.
fn pixel_sums(images: usize, [entries, area]: [usize; 2], term: impl Fn(usize, usize) -> f64 + Sync) -> Vec<Vec<f64>> {
    let of_image = |image: usize| {
        let mut sums = vec![0.0; area];
        sums.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, sums)| {
            for start in (chunk * CHUNK..entries).step_by(area) {
                for (pixel, sum) in sums.iter_mut().enumerate() {
                    *sum += term(image, start + pixel);
                }
            }
        });
        sums
    };
    (0..images).into_par_iter().map(of_image).collect()
}

/// Calls `change` for each entry of `of` and the one at its place in `with`, on all cores.
fn by_chunks<T: Send, U: Sync>(of: &mut [T], with: &[U], change: impl Fn(&mut T, &U) + Sync) {
    of.par_chunks_mut(CHUNK)
        .zip(with.par_chunks(CHUNK))
        .for_each(|(of, with)| {
            for (of, with) in of.iter_mut().zip(with) {
                change(of, with);
            }
        });
}

impl Arithmetic for Reference<'_> {
    type Images = Vec<Vec<f64>>;
    type Gradient = Vec<f32>;
    type Shown = Vec<Vec<f64>>;
    type Drawn = ();
    type Numbers = Vec<f64>;
    type Flags = Vec<bool>;

    fn images(&self, images: &[&[f64]]) -> Self::Images {
        images.iter().map(|image| image.to_vec()).collect()
    }

    fn numbers(&self, numbers: &[f64]) -> Self::Numbers {
        numbers.to_vec()
    }

    fn flags(&self, flags: &[bool]) -> Self::Flags {
        flags.to_vec()
    }

    fn kept(&self, images: &[&[f64]]) -> Self::Shown {
        self.images(images)
    }

    fn shown<'a>(&self, x: &'a Self::Images, _: &'a Found<Self>) -> &'a Self::Shown {
        x
    }

    fn read_shown(&self, images: &Self::Shown) -> Result<Vec<Vec<f64>>> {
        self.read_images(images)
    }

    fn read_images(&self, images: &Self::Images) -> Result<Vec<Vec<f64>>> {
        Ok(images.clone())
    }

    fn read_gradient(&self, gradient: &Self::Gradient) -> Result<Vec<Vec<f32>>> {
        Ok(gradient.chunks(self.entries).map(<[f32]>::to_vec).collect())
    }

    fn read_figures(&self, figures: Vec<Figures<Self::Numbers>>) -> Result<Vec<Vec<Figures<f64>>>> {
        let of_iteration = |figures: Figures<Vec<f64>>| {
            let all = figures.into_array();
            (0..self.x0.len())
                .map(|place| Figures::from_array(std::array::from_fn(|figure| all[figure][place])))
                .collect()
        };
        Ok(figures.into_iter().map(of_iteration).collect())
    }

    #[expect(clippy::cast_possible_truncation, reason = "the network computes in float32")]
    #[expect(clippy::cast_precision_loss, reason = "a place in a blob is far below 2^52")]
    fn pass(&self, x: &Self::Images, _: usize) -> Result<Found<Self>> {
        let mut images = vec![0.0; x.len() * self.entries];
        images
            .par_chunks_mut(self.entries)
            .zip(x)
            .for_each(|(image, x)| by_chunks(image, x, |value, x| *value = *x as f32));
        let answer = self.crews.evaluate(images, &self.seeds)?;
        let values = answer.values.par_chunks(answer.values.len() / x.len());
        let read: Vec<(f32, f32, usize)> = values
            .zip(&self.seeds)
            .map(|(values, (place, _))| {
                let mut largest = 0;
                for (place, value) in values.iter().enumerate() {
                    if *value > values[largest] {
                        largest = place;
                    }
                }
                (values[*place], values[largest], largest)
            })
            .collect();
        Ok(Found {
            objective: read.iter().map(|read| f64::from(read.0)).collect(),
            largest: read.iter().map(|read| f64::from(read.1)).collect(),
            place: read.iter().map(|read| read.2 as f64).collect(),
            gradient: answer.gradient,
            drawn: (),
        })
    }

    fn clip(&self, x: &mut Self::Images) {
        let [black, white] = RANGE;
        x.par_iter_mut().for_each(|x| {
            by_chunks(x, &self.mean, |x, mean| *x = (*x + mean).clamp(black, white) - mean);
        });
    }

    fn statistics(&self, x: &Self::Images) -> [Self::Numbers; 3] {
        let all: Vec<ImageStatistics> = x.par_iter().zip(&self.x0).map(|(x, x0)| statistics(x, x0)).collect();
        [
            all.iter().map(|of| of.norm).collect(),
            all.iter().map(|of| of.dist).collect(),
            all.iter().map(|of| of.std).collect(),
        ]
    }

    fn gradient_norms(&self, gradient: &Self::Gradient) -> Self::Numbers {
        gradient
            .par_chunks(self.entries)
            .map(|gradient| f64::from(gradient_norm(gradient)))
            .collect()
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the reference rounds the rate to float32"
    )]
    fn add_scaled(&self, x: &mut Self::Images, rate: &Self::Numbers, gradient: &Self::Gradient) {
        let gradients = gradient.par_chunks(self.entries);
        x.par_iter_mut()
            .zip(gradients)
            .zip(rate)
            .for_each(|((x, gradient), rate)| {
                let rate = *rate as f32;
                by_chunks(x, gradient, |x, gradient| *x += f64::from(rate * gradient));
            });
    }

    fn step(&self, _: &mut Self::Images, _: &Self::Gradient, by: &Adaptive, _: &mut Moments) -> Result<()> {
        Err(Error::Setting(format!(
            "{} is computed in float32, not in float64 as the 2015 recipes",
            by.name()
        )))
    }

    fn greater(&self, a: &Self::Numbers, b: &Self::Numbers) -> Self::Flags {
        a.iter().zip(b).map(|(a, b)| a > b).collect()
    }

    #[expect(clippy::float_cmp, reason = "places are whole numbers")]
    fn equal(&self, a: &Self::Numbers, b: &Self::Numbers) -> Self::Flags {
        a.iter().zip(b).map(|(a, b)| a == b).collect()
    }

    fn both(&self, a: &Self::Flags, b: &Self::Flags) -> Self::Flags {
        a.iter().zip(b).map(|(a, b)| *a && *b).collect()
    }

    fn but_not(&self, a: &Self::Flags, b: &Self::Flags) -> Self::Flags {
        a.iter().zip(b).map(|(a, b)| *a && !*b).collect()
    }

    fn either(&self, a: &Self::Flags, b: &Self::Flags) -> Self::Flags {
        a.iter().zip(b).map(|(a, b)| *a || *b).collect()
    }

    fn select(&self, kept: &mut Self::Shown, flags: &Self::Flags, x: &Self::Shown) {
        kept.par_iter_mut().zip(flags).zip(x).for_each(|((kept, flag), x)| {
            if *flag {
                by_chunks(kept, x, |kept, x| *kept = *x);
            }
        });
    }

    fn select_numbers(&self, kept: &mut Self::Numbers, flags: &Self::Flags, numbers: &Self::Numbers) {
        for ((kept, flag), number) in kept.iter_mut().zip(flags).zip(numbers) {
            if *flag {
                *kept = *number;
            }
        }
    }
}

impl Pixelwise for Reference<'_> {
    type Pixels = Vec<Vec<f64>>;

    fn scale(&self, x: &mut Self::Images, factor: f64) {
        x.par_iter_mut().for_each(|x| {
            x.par_chunks_mut(CHUNK)
                .for_each(|x| x.iter_mut().for_each(|value| *value *= factor));
        });
    }

    fn blur(&self, x: &mut Self::Images) {
        let [_, rows, columns] = self.image;
        x.par_iter_mut()
            .for_each(|x| blur(x, self.regularizers.blur_radius, [rows, columns]));
    }

    fn zero_small_values(&self, x: &mut Self::Images, percent: f64) {
        x.par_iter_mut().for_each(|x| {
            let sizes: Vec<f64> = x.iter().map(|value| value.abs()).collect();
            let least = percentile(&sizes, percent);
            for (value, size) in x.iter_mut().zip(&sizes) {
                if *size < least {
                    *value = 0.0;
                }
            }
        });
    }

    fn pixel_norms(&self, x: &Self::Images) -> Self::Pixels {
        let mut sums = pixel_sums(x.len(), self.sizes(), |image, i| x[image][i] * x[image][i]);
        sums.iter_mut().flatten().for_each(|sum| *sum = sum.sqrt());
        sums
    }

    fn pixel_benefits(&self, x: &Self::Images, gradient: &Self::Gradient) -> Self::Pixels {
        pixel_sums(x.len(), self.sizes(), |image, i| {
            f64::from(gradient[image * self.entries + i]) * -x[image][i]
        })
    }

    fn pixel_sizes(&self, mut pixels: Self::Pixels) -> Self::Pixels {
        pixels.iter_mut().flatten().for_each(|value| *value = value.abs());
        pixels
    }

    fn zero_pixels(&self, x: &mut Self::Images, measures: Self::Pixels, percent: f64) {
        x.par_iter_mut().zip(measures).for_each(|(x, measures)| {
            let least = percentile(&measures, percent);
            for plane in x.chunks_mut(measures.len().max(1)) {
                for (value, measure) in plane.iter_mut().zip(&measures) {
                    if *measure < least {
                        *value = 0.0;
                    }
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Planes of more pixels than a task has, in whole numbers.
    #[test]
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn every_channel_of_every_pixel_counts() {
        let (area, channels, images) = (3 * CHUNK + 5, 3, 2);
        let value = |image: usize, place: usize| ((place * 7 + image) % 13) as f64;
        let found = pixel_sums(images, [channels * area, area], value);
        assert_eq!(found.len(), images);
        for (image, sums) in found.iter().enumerate() {
            assert_eq!(sums.len(), area);
            for (pixel, sum) in sums.iter().enumerate() {
                let expected: f64 = (0..channels).map(|channel| value(image, channel * area + pixel)).sum();
                assert_eq!(*sum, expected, "{image} {pixel}");
            }
        }
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn every_entry_is_changed_once() {
        let len = 3 * CHUNK + 5;
        let mut of: Vec<f64> = (0..len).map(|i| i as f64).collect();
        let with: Vec<f64> = (0..len).map(|i| (i % 5) as f64).collect();
        by_chunks(&mut of, &with, |of, with| *of += with);
        assert!(of.iter().enumerate().all(|(i, of)| *of == (i + i % 5) as f64));
    }
}
