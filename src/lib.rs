//! Shows what a unit of a trained convolutional network looks for, by gradient ascent on its input.

pub mod network;

pub mod optimizer;
