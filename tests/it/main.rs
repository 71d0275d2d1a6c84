//! Everything that is tested from outside, in one binary so that burn is linked once.

mod commands;
mod files;
mod layers;
mod many;
mod mistakes;
mod optimize;
mod program;
mod robustness;
mod runs;
mod steps;
mod support;
