//! Activation maximization: from a start image, up the gradient of an objective, under regularizers.
//!
//! A [`Recipe`] says what is climbed and how, [`ascend`] is the one loop, a [`Record`] keeps what was seen. The loop's
//! primitives come in two forms (see [`Precision`]): float64 on the host, to the digit as the original script, and float32
//! tensors that stay on any device.

mod arithmetic;
mod ascend;
mod climb;
pub mod error;
mod file_used;
mod optimizer;
mod parts;
mod pass;
mod preset;
mod recipe;
mod record;
mod regularize;
mod regularizer;
mod start;

pub use arithmetic::ground::blended;
pub use arithmetic::reference::{ImageStatistics, blur, gradient_norm, percentile, statistics};
pub use ascend::{Circumstances, Flow, Listener, Progress, ascend};
pub use climb::{Climb, State};
pub use error::{Error, Result};
pub use file_used::FileUsed;
pub use optimizer::{Adaptive, Moments, Optimizer, Schedule};
pub use parts::{Basis, PartError, Parts, Stepping};
pub use pass::{floats, pass};
pub use preset::{Method, Modern, PRESETS, Preset};
pub use recipe::{Image, Precision, RateChange, Recipe};
pub use record::{Ending, Iteration, Record, Snapshot};
pub use regularizer::{LARGEST_RADIUS, LEAST_USEFUL_RADIUS, Regularizers};
pub use start::{Start, start};
