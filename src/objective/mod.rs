//! What is climbed: a number for each image, made of what the network's layers say about it.
//!
//! [`Neuron`] is the objective of the original script: one unit of one layer. An [`Expression`] is made of activations of any
//! layers and of the image itself: [`Expression::parse`] reads one and `Display` writes it; [`Objective::new`] fits it to a
//! network (channels by their labels, files, shapes); [`Objective::evaluate`] computes it. The formulas are beside the terms,
//! in [`Kind`]; they are lucid's (Olah et al. 2017) unless another source is named.

mod arguments;
mod error;
mod evaluate;
mod expression;
mod fitted;
mod neuron;
mod parse;
mod terms;
mod unit;
mod written;

pub use error::{Error, ParseError};
pub use evaluate::{Array, Objective, Sources};
pub use expression::{Channel, Expression, Kind, Operator, Term};
pub use neuron::{Neuron, Reach, Unit, extents};
pub use unit::{Axis, UnitError};
