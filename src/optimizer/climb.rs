//! One unit's way up: the image and its record, without the network.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::objective::{self, Reading};
use super::params::Params;
use super::regularize::regularize;
use super::results::{MetaResult, Results};
use super::start::start;
use super::statistics::{ImageStatistics, gradient_norm, statistics};

/// Black and white, in grey levels.
const RANGE: std::ops::RangeInclusive<f64> = 0.0..=255.0;

/// Where a climb is: with it and its settings the climb goes on as if it had never been interrupted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The image after the last step.
    pub x: Vec<f64>,
    /// The iteration that comes next.
    pub iteration: usize,
    /// What was recorded so far.
    pub results: Results,
}

/// The images of a climb, as they come back from a device.
#[derive(Debug)]
pub(super) struct Images {
    pub(super) x: Vec<f64>,
    pub(super) best: Vec<f64>,
    pub(super) last: Vec<f64>,
    pub(super) majority: Vec<f64>,
}

/// The optimization of one unit, one iteration at a time.
#[derive(Debug, Clone)]
pub struct Climb {
    params: Params,
    /// One entry for each of the image's.
    mean: Arc<[f64]>,
    image: [usize; 3],
    /// Channels, rows, columns of the pushed layer.
    extents: [usize; 3],
    /// The unit's place in the layer's values.
    index: usize,
    x: Vec<f64>,
    iteration: usize,
    results: Results,
}

impl Climb {
    /// Starts at x0.
    ///
    /// `mean` has an entry for each of the image's (`[channels, rows, columns]`); `layer` is the pushed layer's shape for
    /// one image, with the batch axis.
    ///
    /// # Errors
    /// When the unit is outside the layer, or there are no iterations.
    pub fn new(params: Params, mean: Arc<[f64]>, image: [usize; 3], layer: &[usize]) -> Result<Self> {
        let extents = objective::extents(layer, &params.unit.layer)?;
        let index = objective::index(&params.unit, extents)?;
        if params.max_iter == 0 {
            return Err(Error::Setting(
                "--max-iter 0: at least one iteration is needed to see the image".into(),
            ));
        }
        let x0 = start(params.start_at, params.rand_seed, &mean);
        Ok(Self {
            x: x0.clone(),
            results: Results::new(x0, image),
            params,
            mean,
            image,
            extents,
            index,
            iteration: 0,
        })
    }

    /// The mean, an entry for each of the image's.
    pub(super) fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Channels, rows, columns of the pushed layer.
    pub(super) fn extents(&self) -> [usize; 3] {
        self.extents
    }

    /// The settings.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// What was recorded so far.
    pub fn results(&self) -> &Results {
        &self.results
    }

    /// What was recorded.
    pub fn into_results(self) -> Results {
        self.results
    }

    /// The unit's place in the layer's row-major values.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The iteration that comes next.
    pub fn iteration(&self) -> usize {
        self.iteration
    }

    /// The image as it is: after the last step, mean-subtracted.
    pub fn x(&self) -> &[f64] {
        &self.x
    }

    /// Where the climb is.
    pub fn state(&self) -> State {
        State {
            x: self.x.clone(),
            iteration: self.iteration,
            results: self.results.clone(),
        }
    }

    /// Goes on from a state of the same climb.
    ///
    /// # Errors
    /// When the state is of an image of another size.
    pub fn restore(&mut self, state: State) -> Result<()> {
        if state.x.len() != self.x.len() || state.results.image != self.image {
            return Err(Error::Setting(format!(
                "the checkpoint is of an image of {:?}, this network's is {:?}",
                state.results.image, self.image
            )));
        }
        self.x = state.x;
        self.iteration = state.iteration;
        self.results = state.results;
        Ok(())
    }

    /// Puts another image in place, as if the last step had led there.
    pub fn set_x(&mut self, x: &[f64], iteration: usize) {
        self.x.copy_from_slice(x);
        self.iteration = iteration;
    }

    /// Whether all iterations are done, or the climb failed.
    pub fn is_finished(&self) -> bool {
        self.results.meta_result.is_some()
    }

    /// Clips the image to what can be shown and appends it to `batch` as the network takes it, in float32.
    pub fn write_image(&mut self, batch: &mut Vec<f32>) {
        for (x, mean) in self.x.iter_mut().zip(self.mean.iter()) {
            *x = (*x + mean).clamp(*RANGE.start(), *RANGE.end()) - mean;
        }
        #[expect(clippy::cast_possible_truncation, reason = "the network computes in float32")]
        batch.extend(self.x.iter().map(|x| *x as f32));
    }

    /// Takes one iteration's result: the layer's values and the gradient of `push_dir` times the unit.
    ///
    /// # Errors
    /// When the objective or the gradient is not finite.
    pub fn advance(&mut self, values: &[f32], gradient: &[f32]) -> Result<Reading> {
        let reading = objective::read(values, self.index, self.extents);
        let statistics = statistics(&self.x, &self.results.x0);
        let x = std::mem::take(&mut self.x);
        let recorded = self.record(reading, statistics, &x);
        self.x = x;
        recorded?;
        let iteration = self.iteration;
        if let Some(rate) = self.judge(reading.objective, gradient_norm(gradient))? {
            self.step(rate, gradient, iteration);
        }
        Ok(reading)
    }

    /// Takes one iteration's figures, where image and gradient stayed on the device.
    ///
    /// # Errors
    /// When the objective or the gradient is not finite.
    pub(super) fn note(&mut self, reading: Reading, statistics: ImageStatistics, gradient_norm: f32) -> Result<()> {
        self.record(reading, statistics, &[])?;
        self.judge(reading.objective, gradient_norm)?;
        Ok(())
    }

    /// Gives the record its images, which stayed on the device until now.
    pub(super) fn illustrate(&mut self, images: Images) {
        let Images {
            x,
            best,
            last,
            majority,
        } = images;
        self.x = x;
        let results = &mut self.results;
        for (snapshot, image) in [
            (&mut results.best, best),
            (&mut results.last, last),
            (&mut results.majority, majority),
        ] {
            if let Some(snapshot) = snapshot {
                snapshot.xx = image;
            }
        }
    }

    /// Ends the climb where it is.
    pub fn stop(&mut self) {
        let reached = self.results.majority.is_some();
        self.results.meta_result.get_or_insert(if reached {
            MetaResult::MajoritySuccess
        } else {
            MetaResult::MajorityFailure
        });
    }

    fn not_finite(&self, what: &'static str) -> Error {
        Error::NotFinite {
            iteration: self.iteration,
            what,
            unit: self.params.unit.to_string(),
        }
    }

    /// Records an iteration; `x` is empty where the image is on the device.
    fn record(&mut self, reading: Reading, statistics: ImageStatistics, x: &[f64]) -> Result<()> {
        if !reading.objective.is_finite() {
            return Err(self.not_finite("the objective"));
        }
        let unit = &self.params.unit;
        let is_largest = reading.largest == [unit.channel, unit.spatial[0], unit.spatial[1]];
        let upwards = self.climbs_up();
        self.results
            .record(self.iteration, x, reading, is_largest, statistics, |new, best| {
                if upwards { new > best } else { new < best }
            });
        Ok(())
    }

    /// Whether a larger objective is better.
    pub(super) fn climbs_up(&self) -> bool {
        self.params.push_dir.value() >= 0.0
    }

    /// Ends the climb or gives the rate of its next step.
    fn judge(&mut self, objective: f32, gradient_norm: f32) -> Result<Option<f64>> {
        if !gradient_norm.is_finite() {
            return Err(self.not_finite("the gradient"));
        }
        self.results.grad_norm.push(gradient_norm);
        if gradient_norm == 0.0 {
            self.results.meta_result = Some(MetaResult::GradZeroFailure);
            return Ok(None);
        }
        let rate = self.params.rate.rate(objective, gradient_norm);
        self.results.lr.push(rate);
        self.iteration += 1;
        if self.iteration >= self.params.max_iter {
            self.stop();
            return Ok(None);
        }
        Ok(Some(rate))
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the reference rounds the rate to float32"
    )]
    fn step(&mut self, rate: f64, gradient: &[f32], iteration: usize) {
        let rate = rate as f32;
        for (x, gradient) in self.x.iter_mut().zip(gradient) {
            *x += f64::from(rate * gradient);
        }
        let [_, rows, columns] = self.image;
        regularize(
            &mut self.x,
            gradient,
            &self.params.regularizers,
            iteration,
            [rows, columns],
        );
    }
}
