//! Activation maximization: from a start image, up the gradient of one unit, under regularizers.
//!
//! The data's way: [`start`] makes x0; each iteration [`climb`] clips the image, the network gives values and gradient
//! ([`evaluation`]), [`objective`] reads the unit, [`rate`] sets the step, [`regularize`] keeps the image natural, and
//! [`results`] remembers what was seen. [`device`] does the same without the image ever leaving a GPU.

pub mod climb;
mod crews;
pub mod device;
pub mod error;
pub mod evaluation;
pub mod objective;
pub mod params;
pub mod rate;
pub mod regularize;
pub mod results;
pub mod run;
pub mod start;
pub mod statistics;

pub use climb::{Climb, State};
pub use device::{can_run_on_device, run_on_device};
pub use error::{Error, Result};
pub use params::{Number, Params, Regularizers, StartAt, Unit};
pub use rate::LearningRate;
pub use results::{MetaResult, Results, Snapshot};
pub use run::{Progress, run};
