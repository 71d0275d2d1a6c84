//! The climbs of a batch on the device: images, best images, and a row of figures an iteration.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use super::reduce::{largest, norm, sum};
use super::regularize::DeviceRegularizers;
use crate::network::Network;
use crate::optimizer::climb::{Climb, Images};
use crate::optimizer::error::Result;
use crate::optimizer::evaluation::floats;
use crate::optimizer::rate::LearningRate;

/// Figures of a row: objective, place and value of the layer's largest, norm, distance, standard deviation, gradient's norm.
pub(super) const FIGURES: usize = 7;
/// Black and white, in grey levels.
const RANGE: [f32; 2] = [0.0, 255.0];

/// A batch.
pub(super) struct Batch<'a> {
    network: &'a Network,
    target: usize,
    rate: LearningRate,
    regularizers: DeviceRegularizers,
    upwards: bool,
    /// Channels, rows, columns of the pushed layer.
    extents: [usize; 3],
    /// What an image's entries may be at least and at most: black and white, mean-subtracted; `[1, channels, rows, columns]`.
    limits: [Tensor<4>; 2],
    /// Units' places in the layer's values, `[batch, 1]`.
    indices: Tensor<2, Int>,
    /// What the backward pass begins with, `[batch, values]`.
    seeds: Tensor<2>,
    x: Tensor<4>,
    x0: Tensor<4>,
    best: Tensor<4>,
    last: Tensor<4>,
    majority: Tensor<4>,
    /// Of each climb, `[batch, 1]`.
    best_objective: Option<Tensor<2>>,
    has_majority: Tensor<2, Bool>,
    is_alive: Tensor<2, Bool>,
}

#[expect(clippy::cast_possible_truncation, reason = "the device computes in float32")]
impl<'a> Batch<'a> {
    /// All climbs are at their start and differ in unit and seed alone.
    pub(super) fn new(network: &'a Network, target: usize, climbs: &[Climb], device: &Device) -> Self {
        let [channels, rows, columns] = network.image();
        let batch = climbs.len();
        let params = climbs[0].params();
        let images: Vec<f32> = climbs
            .iter()
            .flat_map(|climb| climb.x().iter().map(|x| *x as f32))
            .collect();
        let x = Tensor::<4>::from_data(TensorData::new(images, [batch, channels, rows, columns]), device);
        let limits = RANGE.map(|edge| {
            let mean = climbs[0].mean().iter().map(|mean| edge - *mean as f32).collect();
            Tensor::from_data(TensorData::new::<f32, _>(mean, [1, channels, rows, columns]), device)
        });
        let values: usize = climbs[0].extents().iter().product();
        let mut seeds = vec![0.0f32; batch * values];
        for (place, climb) in climbs.iter().enumerate() {
            seeds[place * values + climb.index()] = climb.params().push_dir.value() as f32;
        }
        let indices: Vec<i32> = climbs
            .iter()
            .map(|climb| i32::try_from(climb.index()).unwrap_or(i32::MAX))
            .collect();
        let no = Tensor::<2>::zeros([batch, 1], device).greater_elem(0.5);
        Self {
            network,
            target,
            rate: params.rate,
            regularizers: DeviceRegularizers::new(params.regularizers, [rows, columns], device),
            upwards: climbs[0].climbs_up(),
            extents: climbs[0].extents(),
            limits,
            indices: Tensor::from_data(TensorData::new(indices, [batch, 1]), device),
            seeds: Tensor::from_data(TensorData::new(seeds, [batch, values]), device),
            x0: x.clone(),
            best: x.clone(),
            last: x.clone(),
            majority: x.clone(),
            x,
            best_objective: None,
            is_alive: no.clone().bool_not(),
            has_majority: no,
        }
    }

    /// One iteration of all climbs; its figures, `[1, batch, FIGURES]`, stay on the device. The last iteration takes no step.
    pub(super) fn iterate(&mut self, iteration: usize, is_last: bool) -> Tensor<3> {
        let [batch, values] = self.seeds.dims();
        let [low, high] = self.limits.clone();
        let x = self.x.clone().max_pair(low).min_pair(high);
        let images = x.clone().autodiff().require_grad();
        let reading = self.network.forward(images.clone()).swap_remove(self.target);
        let layer = reading.value.view([batch, values]).inner();
        let [channels, rows, columns] = self.extents;
        let pushed = reading.pushed.view([batch, values]);
        drop(reading);
        let gradients = (pushed * self.seeds.clone().autodiff()).sum().backward();
        let gradient = images.grad(&gradients).unwrap_or_else(|| x.zeros_like());
        let objective = layer.clone().gather(1, self.indices.clone());
        let (largest, place) = largest(layer.reshape([batch, channels, rows, columns]));
        let gradient_norm = norm(&gradient);
        let entries = self.network.image().iter().product::<usize>() as f64;
        let deviation = x.clone() - sum(x.clone()) / entries;
        let figures = vec![
            objective.clone(),
            place.clone().float(),
            largest,
            norm(&x),
            norm(&(x.clone() - self.x0.clone())),
            norm(&deviation) / entries.sqrt(),
            gradient_norm.clone(),
        ];
        self.remember(&x, &objective, &place);
        self.is_alive = self.is_alive.clone().bool_and(gradient_norm.clone().greater_elem(0.0));
        self.x = if is_last {
            x
        } else {
            let step = gradient.clone() * self.rates(&objective, &gradient_norm).reshape([batch, 1, 1, 1]);
            self.regularizers.apply(x + step, &gradient, iteration)
        };
        Tensor::cat(figures, 1).reshape([1, batch, FIGURES])
    }

    /// Keeps the image where it is the best, the first majority, or the last.
    fn remember(&mut self, x: &Tensor<4>, objective: &Tensor<2>, place: &Tensor<2, Int>) {
        let better = match &self.best_objective {
            None => self.is_alive.clone(),
            Some(best) if self.upwards => objective.clone().greater(best.clone()).bool_and(self.is_alive.clone()),
            Some(best) => objective.clone().lower(best.clone()).bool_and(self.is_alive.clone()),
        };
        self.best_objective = Some(match self.best_objective.take() {
            None => objective.clone(),
            Some(best) => best.mask_where(better.clone(), objective.clone()),
        });
        let is_first = place.clone().equal(self.indices.clone());
        let is_first = is_first
            .bool_and(self.has_majority.clone().bool_not())
            .bool_and(self.is_alive.clone());
        self.has_majority = self.has_majority.clone().bool_or(is_first.clone());
        keep(&mut self.best, x, better);
        keep(&mut self.majority, x, is_first);
        keep(&mut self.last, x, self.is_alive.clone());
    }

    /// The learning rate of each climb, `[batch, 1]`.
    fn rates(&self, objective: &Tensor<2>, gradient_norm: &Tensor<2>) -> Tensor<2> {
        let square = gradient_norm.clone().square();
        match self.rate {
            LearningRate::Constant { lr } => square.zeros_like() + lr,
            LearningRate::Progress { max_lr, desired_prog } => (square.recip() * desired_prog).clamp_max(max_lr),
            LearningRate::Progress01 {
                max_lr,
                early_prog,
                late_prog_mult,
            } => {
                let late = (-objective.clone() + 1.0) * late_prog_mult;
                (late.clamp_max(early_prog) / square).clamp_max(max_lr)
            }
        }
    }

    /// The images of all climbs.
    ///
    /// # Errors
    /// When the device cannot give them back.
    pub(super) fn images(&self) -> Result<Vec<Images>> {
        let [batch, ..] = self.x.dims();
        let read = |images: &Tensor<4>| -> Result<Vec<Vec<f64>>> {
            let values = floats(images.clone())?;
            let len = values.len() / batch;
            Ok(values
                .chunks(len)
                .map(|image| image.iter().map(|x| f64::from(*x)).collect())
                .collect())
        };
        let (x, best, last, majority) = (
            read(&self.x)?,
            read(&self.best)?,
            read(&self.last)?,
            read(&self.majority)?,
        );
        let mut all = Vec::with_capacity(batch);
        for (((x, best), last), majority) in x.into_iter().zip(best).zip(last).zip(majority) {
            all.push(Images {
                x,
                best,
                last,
                majority,
            });
        }
        Ok(all)
    }
}

/// `kept` where the mask (`[batch, 1]`) is off, `x` where it is on.
fn keep(kept: &mut Tensor<4>, x: &Tensor<4>, mask: Tensor<2, Bool>) {
    let dims = x.dims();
    let mask = mask.reshape([dims[0], 1, 1, 1]).expand(dims);
    *kept = kept.clone().mask_where(mask, x.clone());
}
