//! The files of the original script: `FindParams` and `FindResults` as text and as pickles.

pub mod attributes;
mod params;
pub mod pickle;
pub mod text;

pub use params::{FindParams, Number, Spelling};
