//! The terms' values: one for each image.

use burn::tensor::{Tensor, TensorData};

use super::expression::Kind;
use super::fitted::{Fitted, Inputs};
use crate::network::sums::{mean_along, sum_along};
use crate::transform::resample::{Places, resize};

/// Least cosine that counts: below, a direction's weight stays the same.
const LEAST_COSINE: f64 = 0.1;
/// lucid's epsilon of norms of directions.
const DIRECTION: f64 = 1e-4;
/// And of caricatures.
const CARICATURE: f64 = 1e-6;

/// The term's value of each image, `[batch, 1]`.
pub(super) fn value(fitted: &Fitted, inputs: &Inputs<'_>) -> Tensor<2> {
    let value = of_all(fitted, inputs);
    match fitted.term.image {
        None => value,
        Some(only) => {
            let batch = value.dims()[0];
            let mask: Vec<f32> = (0..batch)
                .map(|index| if index % inputs.group == only { 1.0 } else { 0.0 })
                .collect();
            let mask = Tensor::from_data(TensorData::new(mask, [batch, 1]), &value.device());
            value * mask
        }
    }
}

fn of_all(fitted: &Fitted, inputs: &Inputs<'_>) -> Tensor<2> {
    let channel = |index: usize| fitted.channels.get(index).copied().unwrap_or(0);
    // Beside activations, which may have a gradient.
    let constant = |beside: &Tensor<4>| -> Tensor<4> {
        let constant = fitted
            .constant
            .clone()
            .unwrap_or_else(|| Tensor::zeros([1, 1, 1, 1], &beside.device()).without_autodiff());
        if beside.is_autodiff() {
            constant.autodiff()
        } else {
            constant
        }
    };
    match &fitted.term.kind {
        Kind::Neuron { layer, position, .. } => {
            let at = at_position(inputs.of(layer), *position);
            let batch = at.dims()[0];
            at.narrow(1, channel(0), 1).reshape([batch, 1])
        }
        Kind::Channel { layer, .. } => channel_mean(inputs.of(layer), channel(0)),
        Kind::Layer { layer } => mean(inputs.of(layer).square()),
        Kind::Mean { layer } => mean(inputs.of(layer)),
        Kind::Direction { layer, power, .. } => {
            let a = inputs.of(layer);
            let v = constant(&a);
            mean(dot_cosine(a, v, *power))
        }
        Kind::DirectionNeuron {
            layer, position, power, ..
        } => {
            let a = at_position(inputs.of(layer), *position);
            let v = constant(&a);
            mean(dot_cosine(a, v, *power))
        }
        Kind::TensorDirection { layer, power, .. } => {
            let a = inputs.of(layer);
            let v = constant(&a);
            let ([_, _, all_rows, all_columns], [_, _, rows, columns]) = (a.dims(), v.dims());
            let (rows, columns) = (rows.min(all_rows), columns.min(all_columns));
            let window = a
                .narrow(2, (all_rows - rows) / 2, rows)
                .narrow(3, (all_columns - columns) / 2, columns);
            mean(dot_cosine(
                window,
                resize(v, [rows, columns], Places::HalfPixel),
                *power,
            ))
        }
        Kind::Cosine { layer, .. } => {
            let a = inputs.of(layer);
            let v = constant(&a);
            let norms = norm(a.clone(), 1) * norm(v.clone(), 1);
            mean(sum_along(a * v, 1) / norms.clamp_min(1e-8))
        }
        Kind::DotCosine { layer, power, .. } => {
            let a = inputs.of(layer);
            let v = beside(constant(&a), &a);
            let dot = sum(a.clone() * v.clone());
            let norms = norm(flat(a), 1) * norm(flat(v), 1);
            weighted(dot.clone(), dot / norms.clamp_min(1e-8), *power)
        }
        Kind::Caricature { layer, power, .. } => {
            let a = inputs.of(layer);
            let dot = sum(a.clone() * beside(constant(&a), &a));
            let cosine = dot.clone() / norm(flat(a), 1).add_scalar(CARICATURE);
            weighted(dot, cosine, *power)
        }
        Kind::Inversion { layer, .. } => {
            let a = inputs.of(layer);
            let photo = beside(constant(&a), &a);
            let scale = sum(photo.clone().square()).clamp_min(1e-12);
            sum((a - photo).square()).mul_scalar(-1.0) / scale
        }
        Kind::Difference { layer, .. } => {
            let a = inputs.of(layer);
            let photo = beside(constant(&a), &a);
            mean((a - photo).abs())
        }
        Kind::Interpolate { first, last } => {
            let means = [
                channel_mean(inputs.of(&first.0), channel(0)),
                channel_mean(inputs.of(&last.0), channel(1)),
            ];
            interpolated(means, inputs.group)
        }
        Kind::Diversity { layer } => diversity(inputs.of(layer), inputs.group),
        Kind::Alignment { layer, decay } => alignment(inputs.of(layer), *decay, inputs.group),
        Kind::L1 { centre } => sum(inputs.image.clone().sub_scalar(*centre).abs()),
        Kind::L2 { centre } => sum(inputs.image.clone().sub_scalar(*centre).square())
            .add_scalar(1e-6)
            .sqrt(),
        Kind::Opacity => {
            let channels = inputs.image.dims()[1];
            mean(inputs.image.clone().narrow(1, channels - 1, 1))
        }
        Kind::TotalVariation => total_variation(inputs.image.clone()),
        Kind::BlurPenalty => {
            let image = inputs.image.clone();
            let blurred = blurred(
                image.clone().detach(),
                &[[0.5, 0.5, 0.5], [0.5, 1.0, 0.5], [0.5, 0.5, 0.5]],
            );
            sum((image - blurred).square()).mul_scalar(0.5)
        }
        Kind::Boundary { width, centre } => boundary(inputs.image.clone(), *width, *centre),
    }
}

fn flat(x: Tensor<4>) -> Tensor<2> {
    let [batch, channels, rows, columns] = x.dims();
    x.reshape([batch, channels * rows * columns])
}

/// The mean of each image's entries.
fn mean(x: Tensor<4>) -> Tensor<2> {
    mean_along(flat(x), 1)
}

/// The sum of each image's entries.
fn sum(x: Tensor<4>) -> Tensor<2> {
    sum_along(flat(x), 1)
}

/// The Euclidean norm along an axis. Of nothing but zeros it is so small that nothing is divided by 0, and has no gradient.
fn norm<const D: usize>(x: Tensor<D>, axis: usize) -> Tensor<D> {
    sum_along(x.square(), axis).clamp_min(1e-24).sqrt()
}

fn channel_mean(a: Tensor<4>, channel: usize) -> Tensor<2> {
    mean(a.narrow(1, channel, 1))
}

/// The activations at one position, or at the last where there are fewer; in the middle by default.
fn at_position(a: Tensor<4>, position: Option<[usize; 2]>) -> Tensor<4> {
    let [_, _, rows, columns] = a.dims();
    let [row, column] = position.unwrap_or([rows / 2, columns / 2]);
    a.narrow(2, row.min(rows - 1), 1).narrow(3, column.min(columns - 1), 1)
}

/// dot * max(0.1, cosine)^power.
fn weighted<const D: usize>(dot: Tensor<D>, cosine: Tensor<D>, power: f64) -> Tensor<D> {
    if power == 0.0 {
        return dot;
    }
    dot * cosine.clamp_min(LEAST_COSINE).powf_scalar(power)
}

/// The dot product of channels at each position, times a power of their cosine: `[batch, 1, rows, columns]`.
fn dot_cosine(a: Tensor<4>, v: Tensor<4>, power: f64) -> Tensor<4> {
    let dot = sum_along(a.clone() * v.clone(), 1);
    if power == 0.0 {
        return dot;
    }
    let norms = norm(a, 1).add_scalar(DIRECTION) * norm(v, 1).add_scalar(DIRECTION);
    weighted(dot.clone(), dot / norms, power)
}

/// An array of the size of activations, resized where images of another size have more or fewer of them.
fn beside(constant: Tensor<4>, a: &Tensor<4>) -> Tensor<4> {
    let [_, _, rows, columns] = a.dims();
    resize(constant, [rows, columns], Places::HalfPixel)
}

/// (1 - w) first + w last, w going from 0 to 1 over each group.
#[expect(clippy::cast_precision_loss, reason = "a number of images")]
#[expect(clippy::cast_possible_truncation, reason = "tensors are float32")]
fn interpolated([first, last]: [Tensor<2>; 2], group: usize) -> Tensor<2> {
    let batch = first.dims()[0];
    let weights: Vec<f32> = (0..batch)
        .map(|index| ((index % group) as f64 / (group - 1).max(1) as f64) as f32)
        .collect();
    let weight = Tensor::<2>::from_data(TensorData::new(weights, [batch, 1]), &first.device());
    first.clone() + (last - first) * weight
}

/// For each image the sum over its group's others of the dot product of their normalised Gram matrices.
fn diversity(a: Tensor<4>, group: usize) -> Tensor<2> {
    let [batch, channels, rows, columns] = a.dims();
    let features = a.reshape([batch, channels, rows * columns]);
    let gram = features.clone().matmul(features.swap_dims(1, 2));
    let gram = gram.reshape([batch, channels * channels]);
    let normal = gram.clone() / sum_along(gram.square(), 1).add_scalar(1e-10).sqrt();
    let likeness = |left: usize, right: usize| {
        let row = |index: usize| normal.clone().narrow(0, index, 1);
        sum_along(row(left) * row(right), 1)
    };
    let nothing = || Tensor::<2>::zeros([1, 1], &normal.device());
    let all = (0..batch)
        .map(|image| {
            others(image, batch, group)
                .map(|other| likeness(image, other))
                .fold(nothing(), |sum, likeness| sum + likeness)
        })
        .collect();
    Tensor::cat(all, 0)
}

/// The other images of an image's group.
fn others(image: usize, batch: usize, group: usize) -> impl Iterator<Item = usize> {
    let first = image / group * group;
    (first..(first + group).min(batch)).filter(move |other| *other != image)
}

/// Farthest neighbour in an alignment.
const FARTHEST: usize = 4;

/// For each image half of what is lost by its being unlike its neighbours of the group.
fn alignment(a: Tensor<4>, decay: f64, group: usize) -> Tensor<2> {
    let batch = a.dims()[0];
    let row = |index: usize| a.clone().narrow(0, index, 1);
    let all = (0..batch)
        .map(|image| {
            let nothing = Tensor::<2>::zeros([1, 1], &a.device());
            others(image, batch, group)
                .filter(|other| image.abs_diff(*other) <= FARTHEST)
                .fold(nothing, |sum, other| {
                    let distance = i32::try_from(image.abs_diff(other)).unwrap_or(i32::MAX);
                    sum + mean((row(image) - row(other)).square()).mul_scalar(-0.5 / decay.powi(distance))
                })
        })
        .collect();
    Tensor::cat(all, 0)
}

fn total_variation(image: Tensor<4>) -> Tensor<2> {
    let [batch, _, rows, columns] = image.dims();
    let mut all = Tensor::<2>::zeros([batch, 1], &image.device());
    for (axis, extent) in [(2, rows), (3, columns)] {
        if extent > 1 {
            let (after, before) = (
                image.clone().narrow(axis, 1, extent - 1),
                image.clone().narrow(axis, 0, extent - 1),
            );
            all = all + sum((after - before).abs());
        }
    }
    all
}

/// The images with zeros around them.
fn with_zeros(image: Tensor<4>, width: usize) -> Tensor<4> {
    let [batch, channels, _, columns] = image.dims();
    let device = image.device();
    let beside = |rows: usize, columns: usize| Tensor::<4>::zeros([batch, channels, rows, columns], &device);
    let taller = Tensor::cat(vec![beside(width, columns), image, beside(width, columns)], 2);
    let rows = taller.dims()[2];
    Tensor::cat(vec![beside(rows, width), taller, beside(rows, width)], 3)
}

/// The images blurred by square weights, over what the same weights make of ones: edges keep their brightness.
fn blurred<const N: usize>(image: Tensor<4>, weights: &[[f64; N]; N]) -> Tensor<4> {
    let [_, _, rows, columns] = image.dims();
    let ones = Tensor::<4>::ones([1, 1, rows, columns], &image.device());
    let filtered = |x: Tensor<4>| {
        let around = with_zeros(x, N / 2);
        let mut parts = weights.iter().enumerate().flat_map(|(down, line)| {
            let around = around.clone();
            line.iter().enumerate().map(move |(right, weight)| {
                let moved = around.clone().narrow(2, down, rows).narrow(3, right, columns);
                moved.mul_scalar(*weight)
            })
        });
        let first = parts.next();
        first.map(|first| parts.fold(first, |sum, part| sum + part))
    };
    match (filtered(image.clone()), filtered(ones)) {
        (Some(sum), Some(weight)) => sum / weight,
        (None | Some(_), None | Some(_)) => image,
    }
}

fn boundary(image: Tensor<4>, width: usize, centre: f64) -> Tensor<2> {
    let [_, _, rows, columns] = image.dims();
    let ring = [0.5; 5];
    let inner = [0.5, 1.0, 1.0, 1.0, 0.5];
    let rough = (blurred(image.clone(), &[ring, inner, inner, inner, ring]) - image.clone()).square();
    let grey = image.clone().sub_scalar(centre).square().mul_scalar(0.8);
    let is_inside = |at: usize, extent: usize| at >= width && at + width < extent;
    let mask: Vec<f32> = (0..rows * columns)
        .map(|at| {
            let inside = is_inside(at / columns, rows) && is_inside(at % columns, columns);
            if inside { 0.0 } else { 1.0 }
        })
        .collect();
    let mask = Tensor::<4>::from_data(TensorData::new(mask, [1, 1, rows, columns]), &image.device());
    sum((rough + grey) * mask)
}
