//! Everything that is tested from outside, in one binary so that burn is linked once.

mod command_line;
mod files;
mod layers;
mod robustness;
mod runs;
mod steps;
mod support;
