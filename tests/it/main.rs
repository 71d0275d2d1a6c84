//! Everything that is tested from outside, in one binary so that burn is linked once.

mod browser;
mod commands;
mod composition;
mod demo;
mod device;
mod fetch;
mod files;
mod layers;
mod many;
mod mistakes;
mod models;
mod optimize;
mod program;
mod robustness;
mod runs;
mod steps;
mod support;
