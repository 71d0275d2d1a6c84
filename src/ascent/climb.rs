//! One ascent by itself: its recipe, where it is, and what it recorded. The loop is in [`ascend`](super::ascend).

use std::sync::Arc;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::optimizer::Optimizer;
use super::pass::floats;
use super::recipe::{Image, RateChange, Recipe, rate_factor};
use super::record::{Ending, Iteration, Record};
use super::start::start;
use crate::objective::{self, Objective, Reach};
use crate::parameterization::{self, colours};

/// Where an ascent is: with it and the recipe the ascent goes on as if it had never been interrupted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The image after the last step.
    pub x: Vec<f64>,
    /// The iteration that comes next.
    pub iteration: usize,
    /// What was recorded so far.
    pub record: Record,
    /// What the optimizer remembers of gradients.
    #[serde(default)]
    pub moments: Vec<Vec<f32>>,
    /// Changes of the learning rate so far, and those that the recipe asks for.
    #[serde(default)]
    pub rate_changes: Vec<RateChange>,
}

/// One ascent.
#[derive(Debug, Clone)]
pub struct Climb {
    recipe: Recipe,
    /// One entry for each of the image's.
    mean: Arc<[f64]>,
    /// The same for the network's own size.
    network_mean: Arc<[f64]>,
    /// Which of the network's channels are red, green and blue.
    swap: [usize; 3],
    /// The recipe's formula, fitted to the network.
    formula: Option<Arc<Objective>>,
    /// Channels, rows, columns of the pushed layer.
    extents: [usize; 3],
    /// The unit's place in the layer's values; its channel, where the whole channel is climbed.
    place: usize,
    /// Whether it begins with the picture that the recipe names.
    is_of_a_picture: bool,
    state: State,
}

impl Climb {
    /// Starts at x0.
    ///
    /// `mean` has an entry for each of the image's (`[channels, rows, columns]`); `layer` is the pushed layer's shape for
    /// one image, with the batch axis.
    ///
    /// # Errors
    /// When the unit is outside the layer, or the recipe makes no sense.
    pub fn new(recipe: Recipe, mean: Arc<[f64]>, image: [usize; 3], layer: &[usize]) -> Result<Self> {
        recipe.check()?;
        let unit = &recipe.objective.unit;
        let extents = objective::extents(layer, &unit.layer)?;
        let place = unit.place(extents)?;
        if mean.len() != image.iter().product::<usize>() {
            return Err(Error::Setting(format!(
                "a mean of {} entries does not go with an image of {image:?} (channels, rows, columns)",
                mean.len()
            )));
        }
        let network_mean = mean;
        let mean = recipe.mean_of_picture(&network_mean, image);
        let image = recipe.picture(image);
        let place = match recipe.objective.reach {
            Reach::Position => place,
            Reach::Channel => unit.channel,
        };
        let x0 = match &recipe.image {
            Image::GreyLevels => start(recipe.start, recipe.seed, &mean),
            Image::Parameterized(spec) => {
                let built = spec
                    .build(image, &Device::flex())
                    .map_err(|error| Error::Setting(error.to_string()))?;
                let parameters = floats(built.start(&[recipe.seed]))?;
                parameters.into_iter().map(f64::from).collect()
            }
        };
        Ok(Self {
            state: State {
                x: x0.clone(),
                iteration: 0,
                record: Record::new(x0, image),
                moments: Vec::new(),
                rate_changes: recipe.rate_changes.clone(),
            },
            swap: [2, 1, 0],
            formula: None,
            is_of_a_picture: false,
            recipe,
            mean,
            network_mean,
            extents,
            place,
        })
    }

    /// The mean, an entry for each of the image's.
    pub fn mean(&self) -> &Arc<[f64]> {
        &self.mean
    }

    /// The mean for images of the network's size.
    pub(super) fn network_mean(&self) -> &Arc<[f64]> {
        &self.network_mean
    }

    /// Channels, rows, columns of the pushed layer.
    pub fn extents(&self) -> [usize; 3] {
        self.extents
    }

    /// Says which of the network's channels are red, green and blue; (2, 1, 0), as in Caffe's networks, if nobody does.
    #[must_use]
    pub fn with_swap(mut self, swap: [usize; 3]) -> Self {
        self.swap = swap;
        self
    }

    /// Begins with the picture that the recipe names: grey levels less the mean, as the network takes them, an entry for each of
    /// the image's. Comes after [`Climb::with_swap`].
    ///
    /// # Errors
    /// When the picture is of another size, or images of the recipe's kind cannot begin with one.
    pub fn starting_from(mut self, picture: Option<&[f64]>) -> Result<Self> {
        let Some(picture) = picture else { return Ok(self) };
        if picture.len() != self.mean.len() {
            return Err(Error::Setting(format!(
                "the picture to start from has {} entries, and the image {}",
                picture.len(),
                self.mean.len()
            )));
        }
        let x0 = match &self.recipe.image {
            Image::GreyLevels => picture.to_vec(),
            Image::Parameterized(spec) => {
                let image = self.state.record.image;
                let values = colours(picture, &self.mean, image, self.swap);
                let setting = |error: parameterization::Error| Error::Setting(error.to_string());
                let z = spec
                    .build(image, &Device::flex())
                    .and_then(|built| built.invert_colours(values))
                    .map_err(setting)?;
                floats(z)?.into_iter().map(f64::from).collect()
            }
        };
        self.state.x.clone_from(&x0);
        self.state.record.x0 = x0;
        self.is_of_a_picture = true;
        Ok(self)
    }

    /// Whether it begins with what the recipe says.
    pub(super) fn has_its_picture(&self) -> bool {
        self.is_of_a_picture || self.recipe.start_from.is_none()
    }

    /// Says what the recipe's formula is on this network; it must be of that formula.
    #[must_use]
    pub fn with_formula(mut self, formula: Option<Arc<Objective>>) -> Self {
        self.formula = formula;
        self
    }

    /// The recipe's formula, fitted to the network.
    pub(super) fn formula(&self) -> Option<&Objective> {
        self.formula.as_deref()
    }

    /// Which of the network's channels are red, green and blue.
    pub fn swap(&self) -> [usize; 3] {
        self.swap
    }

    /// Channels, rows, columns among which the largest is looked for.
    pub(super) fn ranked(&self) -> [usize; 3] {
        match self.recipe.objective.reach {
            Reach::Position => self.extents,
            Reach::Channel => [self.extents[0], 1, 1],
        }
    }

    /// The recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The recipe with the changes of the learning rate that were made on the way: what leads to the same picture again.
    pub fn recipe_as_climbed(&self) -> Recipe {
        Recipe {
            rate_changes: self.state.rate_changes.clone(),
            ..self.recipe.clone()
        }
    }

    /// Where the learning rate was changed on the way.
    pub fn rate_changes(&self) -> &[RateChange] {
        &self.state.rate_changes
    }

    /// From iteration `iteration` on, rates are `factor` times the optimizer's; changes that were to come are dropped.
    pub(super) fn change_rate(&mut self, iteration: usize, factor: f64) {
        let changes = &mut self.state.rate_changes;
        changes.retain(|change| change.iteration < iteration);
        changes.push(RateChange { iteration, factor });
    }

    /// What the optimizer's rates are multiplied by in an iteration.
    pub(super) fn rate_factor(&self, iteration: usize) -> f64 {
        rate_factor(&self.state.rate_changes, iteration)
    }

    /// What was recorded so far.
    pub fn record(&self) -> &Record {
        &self.state.record
    }

    /// What was recorded.
    pub fn into_record(self) -> Record {
        self.state.record
    }

    /// The unit's place in the layer's row-major values.
    pub fn place(&self) -> usize {
        self.place
    }

    /// The iteration that comes next.
    pub fn iteration(&self) -> usize {
        self.state.iteration
    }

    /// Where the ascent is.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Goes on from a state of the same ascent.
    ///
    /// # Errors
    /// When the state is of an image of another size, or contradicts itself.
    pub fn restore(&mut self, state: State) -> Result<()> {
        let (x, record) = (&state.x, &state.record);
        if x.len() != self.state.x.len() || record.image != self.state.record.image {
            return Err(Error::Setting(format!(
                "the state is of an image of {:?}, this network's is {:?}",
                record.image, self.state.record.image
            )));
        }
        let images = [&record.best, &record.last, &record.majority];
        let images = images.into_iter().flatten().map(|snapshot| &snapshot.xx);
        let lengths = [
            record.ii.len(),
            record.obj.len(),
            record.idxmax.len(),
            record.ismax.len(),
        ];
        let others = [record.norm.len(), record.dist.len(), record.std.len()];
        let is_sound = images
            .map(|image| (image, self.mean.len()))
            .chain([(&record.x0, self.state.x.len()), (x, self.state.x.len())])
            .all(|(image, len)| image.len() == len && image.iter().all(|value| value.is_finite()))
            && lengths.iter().chain(&others).all(|len| *len == state.iteration)
            && record.grad_norm.len() == state.iteration
            && record.lr.len() == state.iteration
            && (state.iteration == 0) == record.best.is_none()
            && record.best.is_some() == record.last.is_some()
            && state.iteration < self.recipe.steps
            && record.ending.is_none()
            && state.moments.len() == if state.iteration == 0 { 0 } else { self.moments() }
            && state
                .moments
                .iter()
                .all(|moment| moment.len() == x.len() && moment.iter().all(|value| value.is_finite()))
            && state
                .rate_changes
                .iter()
                .all(|change| change.factor.is_finite() && change.factor > 0.0);
        if !is_sound {
            return Err(Error::Setting("the state contradicts itself".into()));
        }
        self.state = state;
        Ok(())
    }

    /// How many moments its optimizer keeps of each parameter.
    fn moments(&self) -> usize {
        match &self.recipe.optimizer {
            Optimizer::GradientAscent { .. } => 0,
            Optimizer::Adaptive(adaptive) => adaptive.moments(),
        }
    }

    /// Whether all iterations are done, or there is nothing to climb.
    pub fn is_finished(&self) -> bool {
        self.state.record.ending.is_some()
    }

    /// Ends the ascent where it is.
    pub fn stop(&mut self) {
        let reached = self.state.record.majority.is_some();
        self.state.record.ending.get_or_insert(if reached {
            Ending::MajoritySuccess
        } else {
            Ending::MajorityFailure
        });
    }

    /// Takes the figures of the next iteration.
    ///
    /// # Errors
    /// [`Error::NotFinite`].
    pub(super) fn note(&mut self, found: &Iteration) -> Result<()> {
        let not_finite = |what| Error::NotFinite {
            iteration: self.state.iteration,
            what,
            unit: self.recipe.title(),
        };
        if !found.objective.is_finite() {
            return Err(not_finite("the objective"));
        }
        let objective = &self.recipe.objective;
        let unit = match objective.reach {
            Reach::Position => objective.unit.index(),
            Reach::Channel => [objective.unit.channel, 0, 0],
        };
        let is_largest = self.recipe.has_unit() && found.largest == unit;
        let record = &mut self.state.record;
        record.note(self.state.iteration, found, is_largest, |new, best| {
            objective.improves(new, best)
        });
        if !found.gradient_norm.is_finite() {
            return Err(not_finite("the gradient"));
        }
        record.grad_norm.push(found.gradient_norm);
        if found.gradient_norm == 0.0 && !self.recipe.may_wait() {
            record.ending = Some(Ending::GradZeroFailure);
            return Ok(());
        }
        let optimizer = self
            .recipe
            .optimizer
            .times(rate_factor(&self.state.rate_changes, self.state.iteration));
        match &optimizer {
            Optimizer::GradientAscent { schedule } => {
                let rate = schedule.rate(&f64::from(found.objective), &f64::from(found.gradient_norm));
                record.lr.push(rate);
            }
            Optimizer::Adaptive(adaptive) => record.lr.push(adaptive.rate()),
        }
        self.state.iteration += 1;
        if self.state.iteration >= self.recipe.steps {
            if self.state.record.grad_norm.iter().all(|norm| *norm == 0.0) {
                self.state.record.ending = Some(Ending::GradZeroFailure);
            }
            self.stop();
        }
        Ok(())
    }

    /// Takes what the optimizer remembers.
    pub(super) fn remember(&mut self, moments: Vec<Vec<f32>>) {
        self.state.moments = moments;
    }

    /// Takes how strongly each pixel was pushed so far.
    pub(super) fn weigh(&mut self, pushes: Vec<f32>) {
        self.state.record.pushes = Some(pushes);
    }

    /// Takes how opaque the image is.
    pub(super) fn veil(&mut self, opacity: Vec<f32>) {
        self.state.record.opacity = Some(opacity);
    }

    /// Takes the images that go with the figures.
    pub(super) fn illustrate(&mut self, x: Vec<f64>, best: Vec<f64>, last: Vec<f64>, majority: Vec<f64>) {
        self.state.x = x;
        self.state.record.illustrate(best, last, majority);
    }
}
