//! Shows what a unit of a trained convolutional network looks for, by gradient ascent on its input
//! (activation maximization; Yosinski et al. 2015, "Understanding Neural Networks Through Deep Visualization").
//!
//! The data's way: [`deepvis_importer`] reads a Caffe network, [`network`] runs it on any of burn's backends,
//! [`optimizer`] climbs, [`output`] writes pictures and records, [`cli`] is what the user sees. Arrows point one way.

pub mod backend;
pub mod cli;
pub mod network;
pub mod optimizer;
pub mod output;
pub mod python;
