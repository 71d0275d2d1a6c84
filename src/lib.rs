//! Shows what a unit of a trained convolutional network looks for, by gradient ascent on its input
//! (activation maximization; Yosinski et al. 2015, "Understanding Neural Networks Through Deep Visualization").
//!
//! The data's way: [`deepvis_importer`] reads a network's files, [`model`] adds what is not in them, [`network`] runs it on
//! any of burn's backends, [`ascent`] climbs an [`objective`], [`session`] lets many units climb together and keeps their
//! results, which [`output`] writes; [`cli`] is what the user sees. Arrows point one way.
//!
//! A picture of what a unit looks for, in ten lines:
//!
//! ```
//! use deepvis::ascent::{Preset, Recipe};
//! use deepvis::backend::Compute;
//! use deepvis::model::Source;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let model = Source::named("demo")?.load()?;
//! let recipe = Recipe::of_unit("fc7", 3).with_preset(Preset::named("demo").ok_or("no such preset")?);
//! let record = deepvis::session::optimize(&model, &Compute::cpu(), recipe.with_steps(20))?;
//! let picture = record.picture(&model)?;
//! assert_eq!((picture.width, picture.height), (64, 64));
//! # Ok(())
//! # }
//! ```
//!
//! A model also comes from a prototxt and a caffemodel ([`model::Source::caffe`]) or from one `.bpk`
//! ([`model::Source::burnpack`]); many units, with files and resume, are a [`session::Session`].

pub use burn::tensor::Device;

pub mod ascent;
pub mod atomic_file;
pub mod backend;
pub mod cli;
pub mod explore;
pub mod heap;
mod hexadecimal;
pub mod model;
pub mod network;
pub mod objective;
pub mod output;
pub mod parameterization;
pub mod python;
pub mod random;
pub mod session;
pub mod transform;
