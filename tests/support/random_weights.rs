//! Random weights for any prototxt, so that tests and benches need no downloaded network.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use deepvis::network::{InputSize, survey};
use deepvis_importer::caffe::proto::{BlobProto, BlobShape, LayerParameter, NetParameter};
use deepvis_importer::{Graph, StoredTensor, Weights};
use prost::Message;
use rand_mt::Mt;

/// No net that is tested has a blob near this size.
const MOST_ENTRIES: usize = 1 << 30;

/// Shape and values of a blob.
pub type Drawn = (Vec<usize>, Vec<f32>);

/// Weights of He's size (uniform, of variance 2 / inputs), biases near zero.
fn blobs(graph: &Graph, seed: u32) -> BTreeMap<String, Vec<(String, Drawn)>> {
    let mut random = Mt::new(seed);
    let mut uniform = |limit: f32| (random.next_u32() as f32 / u32::MAX as f32 * 2.0 - 1.0) * limit;
    survey(graph, None, InputSize::Declared, MOST_ENTRIES)
        .into_iter()
        .filter(|fact| !fact.parameter_shapes.is_empty())
        .map(|fact| {
            let blobs = fact
                .parameter_shapes
                .iter()
                .zip(fact.parameter_names)
                .map(|(shape, name)| {
                    // A variance and what it is divided by are positive; factors are near 1, or a deep net would give nothing.
                    let centre = match name.rsplit('.').next() {
                        Some("variance" | "divisor" | "factor") => 1.0,
                        _ => 0.0,
                    };
                    let inputs: usize = shape[1..].iter().product();
                    let limit = if shape.len() > 1 {
                        (6.0 / inputs as f32).sqrt()
                    } else {
                        0.1
                    };
                    let values = (0..shape.iter().product())
                        .map(|_| uniform(limit))
                        .map(|value| value + centre)
                        .collect();
                    (name, (shape.clone(), values))
                })
                .collect();
            (fact.name, blobs)
        })
        .collect()
}

/// The same as weights to build a network with.
#[allow(dead_code, reason = "not every program that this file is part of builds networks")]
pub fn weights(graph: &Graph, seed: u32) -> Weights {
    let tensors = blobs(graph, seed)
        .into_values()
        .flatten()
        .map(|(name, (shape, values))| (name, StoredTensor::from_values(shape, values)))
        .collect();
    Weights::new(tensors, "random".into())
}

/// The same as a caffemodel for a prototxt.
#[allow(dead_code, reason = "not every program that this file is part of writes files")]
pub fn write(deploy: &Path, caffemodel: &Path) -> anyhow::Result<()> {
    let (graph, _) = deepvis_importer::read_graph(deploy)?;
    let layer = blobs(&graph, 0)
        .into_iter()
        .map(|(name, blobs)| LayerParameter {
            name: Some(name),
            blobs: blobs
                .into_iter()
                .map(|(_, (shape, data))| BlobProto {
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
