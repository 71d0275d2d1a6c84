//! The network: a burn `Module` built from a graph specification, as far as the pushed layers need it.
//!
//! - [`target`] finds what a layer's name stands for: which value is read, and where the backward pass starts;
//! - [`wiring`] numbers every writing of a blob, so that in-place layers are nothing special;
//! - [`net`] builds the layers, folds what can be folded, and runs them;
//! - [`layers`] has a file for each kind of layer, [`host`] the fast CPU versions of the costly ones.

pub mod blob;
mod build;
pub mod error;
pub mod host;
pub mod layer;
pub mod layers;
mod net;
pub mod sums;
mod survey;
pub mod target;
mod wiring;

pub use blob::Blob;
pub use error::{Error, Result};
pub use net::{InputSize, Network, Reading};
pub use survey::{LayerFacts, survey};
pub use target::Target;
