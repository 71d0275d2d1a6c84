//! What is pushed, and how: the settings of one optimization, `FindParams` in the original.

use serde::{Deserialize, Serialize};

use super::rate::LearningRate;
use crate::python::Value;

/// A number as Python had it: the original prints a default of `0` and a given `0.0` differently.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Number {
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Float(f64),
}

impl Number {
    /// The value.
    #[expect(clippy::cast_precision_loss, reason = "settings are small")]
    pub fn value(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

impl Default for Number {
    fn default() -> Self {
        Self::Int(0)
    }
}

/// How x0 is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartAt {
    /// The mean image plus noise of standard deviation 10.
    #[default]
    MeanPlusRand,
    /// Uniform noise from 0 to 255.
    Randu,
    /// The mean image.
    Mean,
}

impl StartAt {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::MeanPlusRand => "mean_plus_rand",
            Self::Randu => "randu",
            Self::Mean => "mean",
        }
    }
}

/// The unit that is pushed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Unit {
    /// Name of the layer.
    pub layer: String,
    /// Channel of a conv layer, index of a fully connected one.
    pub channel: usize,
    /// Row and column; (0, 0) for fully connected layers.
    pub spatial: [usize; 2],
}

impl std::fmt::Display for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "unit ({}, {}, {}) of \"{}\"",
            self.channel, self.spatial[0], self.spatial[1], self.layer
        )
    }
}

/// The regularizers; 0 turns each off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Regularizers {
    /// L2 decay: the part of x that is taken away each iteration.
    pub decay: Number,
    /// Standard deviation of the Gaussian blur, in pixels.
    pub blur_radius: Number,
    /// Iterations from one blur to the next.
    pub blur_every: i64,
    /// Entries with an absolute value below this percentile become 0.
    pub small_val_percentile: Number,
    /// Pixels with a norm below this percentile become 0.
    pub small_norm_percentile: Number,
    /// Pixels with a contribution below this percentile become 0.
    pub px_benefit_percentile: Number,
    /// Pixels with an absolute contribution below this percentile become 0.
    pub px_abs_benefit_percentile: Number,
}

/// The settings of one optimization.
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    /// What is pushed.
    pub unit: Unit,
    /// In what direction: the value that the backward pass begins with.
    pub push_dir: Number,
    /// How x0 is made.
    pub start_at: StartAt,
    /// Seed of x0.
    pub rand_seed: u32,
    /// What keeps the image natural.
    pub regularizers: Regularizers,
    /// How far each step goes.
    pub rate: LearningRate,
    /// The same as the user wrote it, for the record.
    pub lr_params: Value,
    /// Number of iterations.
    pub max_iter: usize,
}
