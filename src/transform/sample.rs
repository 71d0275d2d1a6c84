//! Images sampled along affine maps, bilinearly: any sequence of crops, shifts, scalings and rotations in one step.

use std::sync::Arc;

use burn::tensor::{Int, Tensor, TensorData};
use rayon::prelude::*;

use crate::network::host::{self, Gradient, HostArray, HostFunction, Output};

/// A map of places (x right, y down, pixel centres at whole numbers): `x' = a x + b y + c`, `y' = d x + e y + f`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// a, b, c.
    pub x: [f64; 3],
    /// d, e, f.
    pub y: [f64; 3],
}

impl Affine {
    /// Every place where it is.
    pub const IDENTITY: Self = Self {
        x: [1.0, 0.0, 0.0],
        y: [0.0, 1.0, 0.0],
    };

    /// The map that moves places.
    pub fn shift(right: f64, down: f64) -> Self {
        Self {
            x: [1.0, 0.0, right],
            y: [0.0, 1.0, down],
        }
    }

    /// The places of an image of `size` (rows, columns) that an image of `resized` is made of; half-pixel convention.
    #[expect(clippy::cast_precision_loss, reason = "sizes of images")]
    pub fn resize(size: [usize; 2], resized: [usize; 2]) -> Self {
        let along = |axis: usize| size[axis] as f64 / resized[axis] as f64;
        let (rows, columns) = (along(0), along(1));
        Self {
            x: [columns, 0.0, 0.5 * columns - 0.5],
            y: [0.0, rows, 0.5 * rows - 0.5],
        }
    }

    /// The places that an image of `size`, turned counter-clockwise about its centre, is made of.
    #[expect(clippy::cast_precision_loss, reason = "sizes of images")]
    pub fn rotate(size: [usize; 2], degrees: f64) -> Self {
        let (sine, cosine) = degrees.to_radians().sin_cos();
        let (x, y) = ((size[1] as f64 - 1.0) / 2.0, (size[0] as f64 - 1.0) / 2.0);
        Self {
            x: [cosine, -sine, x - cosine * x + sine * y],
            y: [sine, cosine, y - sine * x - cosine * y],
        }
    }

    /// The places that a mirrored image of `columns` columns is made of.
    #[expect(clippy::cast_precision_loss, reason = "sizes of images")]
    pub fn flip(columns: usize) -> Self {
        Self {
            x: [-1.0, 0.0, columns as f64 - 1.0],
            y: [0.0, 1.0, 0.0],
        }
    }

    /// This map of what `first` makes of a place.
    pub fn after(&self, first: &Self) -> Self {
        let line = |[a, b, c]: [f64; 3]| {
            let part = |index: usize| a * first.x[index] + b * first.y[index];
            [part(0), part(1), part(2) + c]
        };
        Self {
            x: line(self.x),
            y: line(self.y),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "sizes of images")]
    fn of(&self, x: usize, y: usize) -> [f64; 2] {
        let (x, y) = (x as f64, y as f64);
        [self.x, self.y].map(|[a, b, c]| a * x + b * y + c)
    }
}

/// What is around an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Surroundings {
    /// Rows and columns on each side in which the image is reflected, its edge not repeated.
    pub reflected: usize,
    /// The value of all that is beyond.
    pub ground: f32,
    /// How the image ends there.
    pub edge: Edge,
}

/// Where an image ends, between the centre of its last pixel and the ground's first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// Its pixels are areas, and all the same: it ends half a pixel beyond the last centre.
    Area,
    /// It passes into the ground within one pixel (PyTorch's `grid_sample` with zeros).
    Blend,
    /// It ends at the centre of its last pixel (TensorFlow's `crop_and_resize`).
    Centre,
}

/// One image to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Take {
    /// Of which image.
    pub image: usize,
    /// Where a pixel of the result is taken from.
    pub places: Affine,
    /// What is around it.
    pub surroundings: Surroundings,
}

/// What a pixel is the weighted sum of: four pixels, and the ground.
#[derive(Debug, Clone, Copy)]
struct Taps {
    indices: [u32; 4],
    weights: [f32; 4],
    ground: f32,
}

/// The pixel at place `i` of `n`, or its mirror image.
fn within(i: i64, n: i64, reflected: i64) -> Option<i64> {
    if (0..n).contains(&i) {
        return Some(i);
    }
    if n < 2 || i < -reflected || i >= n + reflected {
        return None;
    }
    let period = 2 * (n - 1);
    let folded = i.rem_euclid(period);
    Some(folded.min(period - folded))
}

/// Two neighbours along an axis and the second's share; `None` where there is nothing.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "places in an image"
)]
fn neighbours(place: f64, n: usize, surroundings: &Surroundings) -> ([Option<i64>; 2], f64) {
    let (n, reflected) = (
        i64::try_from(n).unwrap_or(i64::MAX),
        i64::try_from(surroundings.reflected).unwrap_or(0),
    );
    let (first, last) = (-(reflected as f64), (n - 1 + reflected) as f64);
    let place = match surroundings.edge {
        Edge::Area if place >= first - 0.5 && place <= last + 0.5 => place.clamp(first, last),
        // A millionth of a pixel is a rounding error.
        Edge::Centre if place >= first - 1e-6 && place <= last + 1e-6 => place.clamp(first, last),
        Edge::Blend if place > first - 1.0 && place < last + 1.0 => place,
        Edge::Area | Edge::Centre | Edge::Blend => return ([None, None], 0.0),
    };
    let below = place.floor();
    let (below, part) = (below as i64, place - below);
    ([below, below + 1].map(|i| within(i, n, reflected)), part)
}

/// The taps of every pixel of the result.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "weights, and places in an image"
)]
fn taps(take: &Take, input: [usize; 2], output: [usize; 2]) -> Vec<Taps> {
    let [rows, columns] = output;
    let mut all = vec![
        Taps {
            indices: [0; 4],
            weights: [0.0; 4],
            ground: take.surroundings.ground,
        };
        rows * columns
    ];
    all.par_chunks_exact_mut(columns.max(1))
        .enumerate()
        .for_each(|(y, line)| {
            for (x, taps) in line.iter_mut().enumerate() {
                let [place_x, place_y] = take.places.of(x, y);
                let (across, right) = neighbours(place_x, input[1], &take.surroundings);
                let (down, below) = neighbours(place_y, input[0], &take.surroundings);
                let mut missing = 1.0;
                for (index, (row, column)) in [(0, 0), (0, 1), (1, 0), (1, 1)].into_iter().enumerate() {
                    let (Some(at_y), Some(at_x)) = (down[row], across[column]) else {
                        continue;
                    };
                    let weight = [1.0 - below, below][row] * [1.0 - right, right][column];
                    taps.indices[index] = (at_y * input[1] as i64 + at_x) as u32;
                    taps.weights[index] = weight as f32;
                    missing -= weight;
                }
                // What rounding leaves of nothing is nothing.
                taps.ground = if missing > 1e-9 {
                    missing as f32 * take.surroundings.ground
                } else {
                    0.0
                };
            }
        });
    all
}

/// Images `[takes, channels, rows, columns]` of `output`'s size (rows, columns), each taken of one of `images`.
pub fn sample(images: Tensor<4>, takes: &[Take], output: [usize; 2]) -> Tensor<4> {
    if host::is_host(&images.device()) {
        let function = OnHost {
            takes: takes.into(),
            output,
        };
        host::apply(images, function)
    } else {
        sample_by_selection(images, takes, output)
    }
}

/// The same composed of burn's operations: pixels selected, times their weights.
pub fn sample_by_selection(images: Tensor<4>, takes: &[Take], output: [usize; 2]) -> Tensor<4> {
    let ([_, channels, rows, columns], device) = (images.dims(), images.device());
    let area = output[0] * output[1];
    let made = takes
        .iter()
        .map(|take| {
            let image = images
                .clone()
                .narrow(0, take.image, 1)
                .reshape([channels, rows * columns]);
            let taps = taps(take, [rows, columns], output);
            let ground: Vec<f32> = taps.iter().map(|taps| taps.ground).collect();
            let mut sum = Tensor::<2>::from_data(TensorData::new(ground, [1, area]), &device).expand([channels, area]);
            for tap in 0..4 {
                let weights: Vec<f32> = taps.iter().map(|taps| taps.weights[tap]).collect();
                if weights.iter().all(|weight| *weight == 0.0) {
                    continue;
                }
                let indices: Vec<i32> = taps.iter().map(|taps| taps.indices[tap].cast_signed()).collect();
                let indices = Tensor::<1, Int>::from_data(TensorData::new(indices, [area]), &device);
                let weights = Tensor::<2>::from_data(TensorData::new(weights, [1, area]), &device);
                sum = sum + image.clone().select(1, indices) * weights;
            }
            sum.reshape([1, channels, output[0], output[1]])
        })
        .collect();
    Tensor::cat(made, 0)
}

#[derive(Debug)]
struct OnHost {
    takes: Arc<[Take]>,
    output: [usize; 2],
}

impl HostFunction for OnHost {
    fn forward(&self, x: &HostArray, _: &[HostArray], track: bool) -> Output {
        let shape = x.shape().to_vec();
        let (channels, input) = (shape[1], [shape[2], shape[3]]);
        let (from_area, area) = (input[0] * input[1], self.output[0] * self.output[1]);
        let all: Vec<Vec<Taps>> = self.takes.iter().map(|take| taps(take, input, self.output)).collect();
        let mut values = vec![0.0; self.takes.len() * channels * area];
        values
            .par_chunks_mut(area.max(1))
            .enumerate()
            .for_each(|(plane, values)| {
                let (take, channel) = (plane / channels, plane % channels);
                let from = &x[(self.takes[take].image * channels + channel) * from_area..][..from_area];
                for (value, taps) in values.iter_mut().zip(&all[take]) {
                    let mut sum = taps.ground;
                    for (index, weight) in taps.indices.iter().zip(taps.weights) {
                        sum += weight * from[*index as usize];
                    }
                    *value = sum;
                }
            });
        let gradient = track.then(|| {
            let (takes, len) = (self.takes.clone(), x.len());
            Arc::new(move |grad: &HostArray| {
                let mut back = vec![0.0; len];
                back.par_chunks_mut(from_area.max(1))
                    .enumerate()
                    .for_each(|(plane, back)| {
                        let (image, channel) = (plane / channels, plane % channels);
                        let of_image = takes.iter().enumerate().filter(|(_, take)| take.image == image);
                        for (take, _) in of_image {
                            let grad = &grad[(take * channels + channel) * area..][..area];
                            for (grad, taps) in grad.iter().zip(&all[take]) {
                                for (index, weight) in taps.indices.iter().zip(taps.weights) {
                                    back[*index as usize] += weight * grad;
                                }
                            }
                        }
                    });
                back
            }) as Gradient
        });
        Output {
            values,
            shape: vec![self.takes.len(), channels, self.output[0], self.output[1]],
            gradient,
        }
    }
}
