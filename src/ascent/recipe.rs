//! What one ascent climbs, and how: a value that can be written down, compared and read back.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::file_used::FileUsed;
use super::optimizer::{Optimizer, Schedule};
use super::preset::{Method, Preset};
use super::regularizer::Regularizers;
use super::start::Start;
use crate::objective::{Expression, Neuron, Reach, Unit};
use crate::parameterization::{ImageSpec, LARGEST_SIDE};
use crate::transform::Views;

/// Everything that decides what an ascent does, beside the network and its preprocessing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// What is climbed.
    pub objective: Neuron,
    /// What is climbed instead, where it is given. The unit is then the first that it names, or the first of its first layer:
    /// files are named by it, and the largest of its layer is looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<Expression>,
    /// Seeds of the images whose values hang on each other, this one's among them, in the order in which they climb together;
    /// none where an image's value is its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub company: Vec<u32>,
    /// The files that the formula names, as they were when it was planned; none where nobody looked, as in a recipe of which
    /// nothing is kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileUsed>,
    /// Which numbers images are made of.
    #[serde(default)]
    pub image: Image,
    /// Rows and columns of the image; the network's own where they are not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<[usize; 2]>,
    /// Random changes of the image before the network sees it.
    #[serde(default)]
    pub views: Views,
    /// The image that the ascent begins with, where images are grey levels.
    pub start: Start,
    /// The picture that the ascent begins with instead: see [`Climb::starting_from`](super::Climb::starting_from).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_from: Option<FileUsed>,
    /// How strongly a parameterized image is held to the one that it starts from: what is climbed is less by this times the mean
    /// of the squared distance of each value from what it was (Hamblin et al. 2024).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<f64>,
    /// Seed of the random numbers of the start image.
    pub seed: u32,
    /// How a step follows from a gradient.
    pub optimizer: Optimizer,
    /// What keeps the image natural after each step.
    pub regularizers: Regularizers,
    /// Number of iterations.
    pub steps: usize,
    /// Where the learning rate was changed on the way, in the order of iterations; left out of what is written where it never
    /// was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rate_changes: Vec<RateChange>,
}

/// From an iteration on, steps are so many times as long as the optimizer says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RateChange {
    /// The first iteration that it holds for.
    pub iteration: usize,
    /// What the optimizer's rates are multiplied by, until the next change.
    pub factor: f64,
}

/// What the optimizer's rates are multiplied by in an iteration: 1 where nobody changed them.
pub(super) fn rate_factor(changes: &[RateChange], iteration: usize) -> f64 {
    let holds = |change: &&RateChange| change.iteration <= iteration;
    changes.iter().rev().find(holds).map_or(1.0, |change| change.factor)
}

impl Recipe {
    /// The original script's defaults for a unit of a layer: the corner of a conv layer, upwards, 500 steps of rate 1 without
    /// regularizers, from noise of seed 0.
    pub fn of_unit(layer: impl Into<String>, channel: usize) -> Self {
        Self {
            objective: Neuron {
                unit: Unit {
                    layer: layer.into(),
                    channel,
                    spatial: [0, 0],
                },
                direction: 1.0,
                reach: Reach::Position,
            },
            formula: None,
            company: Vec::new(),
            files: Vec::new(),
            image: Image::GreyLevels,
            size: None,
            views: Views::None,
            start: Start::default(),
            start_from: None,
            hold: None,
            seed: 0,
            optimizer: Optimizer::GradientAscent {
                schedule: Schedule::Constant { lr: 1.0 },
            },
            regularizers: Regularizers::default(),
            steps: 500,
            rate_changes: Vec::new(),
        }
    }

    /// The same unit as a preset climbs it.
    #[must_use]
    pub fn with_preset(mut self, preset: &Preset) -> Self {
        self.steps = preset.steps;
        match &preset.method {
            Method::Classic { regularizers, schedule } => {
                self.regularizers = *regularizers;
                self.optimizer = Optimizer::GradientAscent { schedule: *schedule };
            }
            Method::Modern(modern) => {
                self.image = Image::Parameterized(modern.image());
                self.optimizer = Optimizer::Adaptive(modern.optimizer());
                self.views = modern.views();
                self.hold = modern.hold();
                self.objective.reach = Reach::Channel;
            }
        }
        self
    }

    /// The same with another number of iterations.
    #[must_use]
    pub fn with_steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }

    /// The same from other noise.
    #[must_use]
    pub fn with_seed(mut self, seed: u32) -> Self {
        self.seed = seed;
        self
    }

    /// The same unit at a row and a column of its layer.
    #[must_use]
    pub fn at(mut self, row: usize, column: usize) -> Self {
        self.objective.unit.spatial = [row, column];
        self
    }

    /// Checks what no network is needed for.
    ///
    /// # Errors
    /// [`Error::Setting`] when there are no iterations, or a number is outside its range.
    pub fn check(&self) -> Result<()> {
        if self.steps == 0 {
            return Err(Error::Setting(
                "0 iterations: at least one is needed to see the image".into(),
            ));
        }
        if self.objective.direction == 0.0 || !self.objective.direction.is_finite() {
            return Err(Error::Setting(
                "a direction of 0, or none at all, pushes nothing".into(),
            ));
        }
        if let Some(formula) = &self.formula {
            self.check_formula(formula)?;
        }
        if self.image != Image::GreyLevels && self.regularizers != Regularizers::default() {
            return Err(Error::Setting(
                "the regularizers of the 2015 recipes are for images of grey levels; a parameterized image has none"
                    .into(),
            ));
        }
        if self
            .size
            .is_some_and(|size| size.iter().any(|side| !(1..=LARGEST_SIDE).contains(side)))
        {
            return Err(Error::Setting(format!(
                "an image has from 1 to {LARGEST_SIDE} rows and columns"
            )));
        }
        if self.image == Image::GreyLevels && self.size.is_some() {
            return Err(Error::Setting(
                "another size than the network's goes with a parameterized image, not with one of grey levels".into(),
            ));
        }
        if let Views::Crops(crops) = &self.views {
            let sides = [crops.first, crops.last];
            if crops.count == 0 || !sides.iter().all(|side| *side > 0.0 && *side <= 1.0) {
                return Err(Error::Setting(
                    "crops are at least one, and their side is a part of the image's".into(),
                ));
            }
            if !self.company.is_empty() {
                return Err(Error::Setting(
                    "images that are compared are not seen through crops".into(),
                ));
            }
        }
        if self.image == Image::GreyLevels && self.views != Views::None {
            return Err(Error::Setting(
                "transformations go with a parameterized image, not with one of grey levels".into(),
            ));
        }
        self.check_picture()?;
        let is_sound = |change: &RateChange| change.factor.is_finite() && change.factor > 0.0;
        if !self.rate_changes.iter().all(is_sound) {
            return Err(Error::Setting(
                "a learning rate is changed by a factor greater than 0".into(),
            ));
        }
        self.regularizers.check()
    }

    /// Checks what concerns the picture that it begins with, and the sizes that it is seen in.
    fn check_picture(&self) -> Result<()> {
        let setting = |text: &str| Err(Error::Setting(text.into()));
        if let Some(hold) = self.hold {
            if !hold.is_finite() || hold < 0.0 || self.image == Image::GreyLevels {
                return setting("an image is held to its picture by 0 or more, where it is a parameterized one");
            }
            if self.start_from.is_none() {
                return setting("it accentuates what is in a picture, and no picture to start from is given");
            }
        }
        if let Views::Octaves(octaves) = &self.views {
            if octaves.count == 0 || !octaves.scale.is_finite() || octaves.scale <= 1.0 {
                return setting("octaves are one or more, each larger than the one before");
            }
            if self.hold.is_some() || !self.company.is_empty() {
                return setting("images seen in octaves are neither held to a picture nor compared with each other");
            }
        }
        Ok(())
    }

    /// The arithmetic that suits it unless another is asked for: float64 for images of grey levels on a CPU, else float32.
    pub fn precision(&self, is_on_gpu: bool) -> Precision {
        if is_on_gpu || self.image != Image::GreyLevels {
            Precision::Float32
        } else {
            Precision::Float64
        }
    }

    /// Channels, rows and columns of its images for a network that takes images of `network`.
    pub fn picture(&self, network: [usize; 3]) -> [usize; 3] {
        self.size.map_or(network, |[rows, columns]| [network[0], rows, columns])
    }

    /// The mean for its images, of the network's: that itself, or where sizes differ the mean of each channel.
    pub fn mean_of_picture(&self, mean: &Arc<[f64]>, network: [usize; 3]) -> Arc<[f64]> {
        let [channels, rows, columns] = self.picture(network);
        if [channels, rows, columns] == network {
            return mean.clone();
        }
        let area = (network[1] * network[2]).max(1);
        #[expect(clippy::cast_precision_loss, reason = "pixels of an image")]
        let of_channel = |channel: &[f64]| channel.iter().sum::<f64>() / area as f64;
        mean.chunks(area)
            .flat_map(|channel| std::iter::repeat_n(of_channel(channel), rows * columns))
            .collect()
    }

    fn check_formula(&self, formula: &Expression) -> Result<()> {
        if self.image == Image::GreyLevels {
            return Err(Error::Setting(format!(
                "{formula}: such an objective goes with a parameterized image, not with one of grey levels"
            )));
        }
        if formula.layers().is_empty() {
            return Err(Error::Setting(format!("{formula}: the objective names no layer")));
        }
        let is_veiled = matches!(&self.image, Image::Parameterized(spec) if spec.alpha);
        if formula.reads_opacity() && !is_veiled {
            return Err(Error::Setting(format!(
                "{formula}: the image has no alpha channel whose opacity could be read"
            )));
        }
        if formula.is_of_a_group() && self.company.len() < 2 {
            return Err(Error::Setting(format!(
                "{formula}: the objective compares images, so it takes two seeds or more"
            )));
        }
        if !self.company.is_empty() && !self.company.contains(&self.seed) {
            return Err(Error::Setting(format!("seed {} is not in its own company", self.seed)));
        }
        Ok(())
    }

    /// The layers that are computed for it, the unit's first.
    pub fn layers(&self) -> Vec<&str> {
        let mut layers = vec![self.objective.unit.layer.as_str()];
        let others = self.formula.iter().flat_map(Expression::layers);
        layers.extend(others.filter(|layer| *layer != self.objective.unit.layer));
        layers
    }

    /// What it begins with: the original's name of a start, or the picture's file.
    pub fn start_name(&self) -> &str {
        self.start_from
            .as_ref()
            .map_or(self.start.name(), |picture| &picture.file)
    }

    /// What is climbed, in words.
    pub fn title(&self) -> String {
        match &self.formula {
            Some(formula) => formula.to_string(),
            None => self.objective.unit.to_string(),
        }
    }

    /// Whether there is a unit to be the largest of its layer.
    pub(super) fn has_unit(&self) -> bool {
        self.formula
            .as_ref()
            .is_none_or(|formula| formula.first_unit().is_some())
    }

    /// Whether an iteration without a gradient may be followed by one with: under random changes of the image it may, and a
    /// unit that shows nothing of the start image comes to life.
    pub(super) fn may_wait(&self) -> bool {
        self.views != Views::None
    }

    /// Whether two ascents can share every pass through the network: they differ in unit and seed alone.
    pub fn climbs_with(&self, other: &Self) -> bool {
        let without_unit = |recipe: &Self| {
            let mut recipe = recipe.clone();
            recipe.seed = 0;
            recipe.objective.unit.channel = 0;
            recipe.objective.unit.spatial = [0, 0];
            recipe
        };
        without_unit(self) == without_unit(other)
    }
}

/// Which numbers images are made of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Image {
    /// Grey levels less the mean, as in the original script.
    #[default]
    GreyLevels,
    /// Parameters of an image between 0 and 1, in red, green and blue.
    Parameterized(ImageSpec),
}

/// Which arithmetic an ascent is computed in; the network itself is always computed in float32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// The image in float64 on the CPU, every sum in NumPy's order: the figures of the original script.
    Float64,
    /// The image in float32 on the network's own device, which it never leaves.
    Float32,
}

impl Precision {
    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float64 => "float64",
            Self::Float32 => "float32",
        }
    }
}
