//! Trains the bundled network of `models/demo` on pictures that it draws itself, and writes it as a caffemodel.
//!
//! `cargo run --release --example train_demo -- models/demo` takes about 25 minutes on two cores; the same seed gives the
//! same network. `-- --sheet FILE.png` only draws examples of every class.

mod export;
mod network;
mod pictures;
mod training;

use std::path::PathBuf;

use clap::Parser;

/// Trains the bundled network on pictures that it draws itself.
#[derive(Parser)]
pub struct Arguments {
    /// The folder to write weights.caffemodel and labels.txt into
    #[arg(default_value = "models/demo")]
    folder: PathBuf,
    /// Seed of weights and pictures
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Steps of training
    #[arg(long, default_value_t = 2400)]
    steps: usize,
    /// Pictures a step
    #[arg(long, default_value_t = 48)]
    batch: usize,
    /// Largest learning rate
    #[arg(long, default_value_t = 1e-3)]
    rate: f64,
    /// Length of the disturbance that the network learns to withstand, in grey levels over the whole picture
    #[arg(long, default_value_t = 1100.0)]
    disturbance: f32,
    /// Fresh pictures a class that accuracy is measured on
    #[arg(long, default_value_t = 100)]
    held_out: u64,
    /// Only draw examples of every class into this picture
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(path) = &arguments.sheet {
        return export::sheet(path, arguments.seed);
    }
    let network = training::train(&arguments);
    export::model(&network, &arguments.folder)
}
