//! How a step follows from a gradient.

mod adaptive;
mod schedule;

use serde::{Deserialize, Serialize};

pub use adaptive::{Adaptive, Moments};
pub(super) use schedule::Quantity;
pub use schedule::Schedule;

/// How a step follows from a gradient.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Optimizer {
    /// Along the gradient, as far as the schedule says.
    GradientAscent {
        /// The learning rate of each iteration.
        schedule: Schedule,
    },
    /// Of the gradient and those before it: Adam and its kin.
    Adaptive(Adaptive),
}

impl Optimizer {
    /// Its name in records.
    pub fn name(&self) -> &'static str {
        match self {
            Self::GradientAscent { schedule } => schedule.policy(),
            Self::Adaptive(adaptive) => adaptive.name(),
        }
    }

    /// The same with steps `factor` times as long.
    #[must_use]
    pub fn times(&self, factor: f64) -> Self {
        match self {
            Self::GradientAscent { schedule } => Self::GradientAscent {
                schedule: schedule.times(factor),
            },
            Self::Adaptive(adaptive) => Self::Adaptive(adaptive.with_rate(adaptive.rate() * factor)),
        }
    }
}
