//! Writes a caffemodel with random weights for any prototxt: to try deepvis, or to measure it, without a trained network.
//!
//! `cargo run --release --example random_caffemodel -- models/deploy/caffenet.prototxt caffenet.caffemodel`

#[path = "../tests/support/random_weights.rs"]
mod random_weights;

use std::path::Path;

use anyhow::{Context, ensure};
use deepvis_importer::proto::{BlobProto, BlobShape, LayerParameter, NetParameter};
use prost::Message;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    ensure!(
        arguments.len() == 2,
        "usage: random_caffemodel DEPLOY.prototxt OUT.caffemodel"
    );
    write(Path::new(&arguments[0]), Path::new(&arguments[1]))
}

/// Writes a caffemodel for a prototxt.
pub fn write(deploy: &Path, caffemodel: &Path) -> anyhow::Result<()> {
    let (graph, _) = deepvis_importer::read_graph(deploy)?;
    let layer = random_weights::blobs(&graph, 0)
        .into_iter()
        .map(|(name, blobs)| LayerParameter {
            name: Some(name),
            blobs: blobs
                .into_iter()
                .map(|(shape, data)| BlobProto {
                    shape: Some(BlobShape {
                        dim: shape.iter().map(|extent| i64::try_from(*extent).unwrap_or(0)).collect(),
                    }),
                    data,
                    ..BlobProto::default()
                })
                .collect(),
            ..LayerParameter::default()
        })
        .collect();
    let net = NetParameter {
        layer,
        ..NetParameter::default()
    };
    std::fs::write(caffemodel, net.encode_to_vec()).with_context(|| format!("cannot write {}", caffemodel.display()))
}
