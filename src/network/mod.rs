//! The network: a burn `Module` built from a graph specification, as far as the pushed layers need it.
//!
//! - `build` finds what the targets depend on and builds it;
//! - `passes` folds what can be folded;
//! - `run` computes the targets of a batch of images, and `apart` tells whether there may be several in one;
//! - [`layers`] has a file for each kind of layer, [`host`] the fast CPU versions of the costly ones.

mod apart;
mod axes;
mod blob;
mod build;
mod classes;
pub mod error;
pub mod host;
pub mod layers;
mod memory;
mod passes;
mod run;
pub mod sums;
mod survey;

pub use apart::is_in_trial;
pub use axes::Axes;
pub use blob::Blob;
pub use build::{DEFAULT_SIZE, InputSize, assumed_image, fully_connected_take, image};
pub use classes::class_layer;
pub use deepvis_importer::graph::Target;
pub use error::{Error, Result};
pub use memory::{Division, Sizes, gigabytes, taking};
pub use run::{Activation, Network};
pub use survey::{LayerFacts, survey, survey_with_sizes};
