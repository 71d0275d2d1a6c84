//! Writes a caffemodel with random weights for any prototxt: to try deepvis, or to measure it, without a trained network.
//!
//! `cargo run --release --example random_caffemodel -- models/deploy/caffenet.prototxt caffenet.caffemodel`

#[path = "../tests/support/random_weights.rs"]
mod random_weights;

use std::path::Path;

use anyhow::ensure;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    ensure!(
        arguments.len() == 2,
        "usage: random_caffemodel DEPLOY.prototxt OUT.caffemodel"
    );
    random_weights::write(Path::new(&arguments[0]), Path::new(&arguments[1]))
}
