//! Reads Caffe networks: `deploy.prototxt` + `.caffemodel` in, a [`Graph`] and its [`Weights`] out.
//!
//! The data's way through this crate:
//!
//! 1. [`text`] parses the prototxt into the messages of [`proto`];
//! 2. [`upgrade`] lifts its V0 and V1 forms to the current one and drops layers of the training phase;
//! 3. [`graph`] turns the layers into a typed, serializable [`Graph`];
//! 4. [`weights`] indexes the caffemodel without reading its numbers;
//! 5. [`record`] writes both as one burnpack file and reads it back.
//!
//! Nothing here knows of tensors or of a backend.

pub mod error;
pub mod graph;
pub mod mean;
pub mod names;
pub mod proto;
pub mod record;
pub mod text;
pub mod upgrade;
pub mod weights;

use std::collections::HashSet;
use std::path::Path;

pub use error::{Error, Result};
pub use graph::{Graph, Layer, LayerKind};
pub use weights::{Blob, Weights};

/// A network as imported: what is computed, and with which numbers.
#[derive(Debug)]
pub struct Import {
    /// The layers, in the order of the prototxt.
    pub graph: Graph,
    /// The learned blobs by layer name; their numbers stay in the file until they are asked for.
    pub weights: Weights,
    /// What a user should know but need not act on, such as fields of a fork that were skipped.
    pub warnings: Vec<String>,
}

/// Reads a prototxt and its caffemodel.
///
/// # Errors
/// When a file is missing, truncated or of another format, when the prototxt is not a valid network, or when the
/// caffemodel holds no layer of it.
pub fn import(deploy: &Path, caffemodel: &Path) -> Result<Import> {
    let (graph, mut warnings) = read_graph(deploy)?;
    let weights = Weights::open_caffemodel(caffemodel)?;
    warnings.extend(weights.compare_with(&graph, deploy)?);
    Ok(Import {
        graph,
        weights,
        warnings,
    })
}

/// Reads a prototxt alone; the second value lists its warnings.
///
/// # Errors
/// When the file is missing, is no protobuf text, or is not a valid network.
pub fn read_graph(deploy: &Path) -> Result<(Graph, Vec<String>)> {
    let parsed = text::read_net(deploy)?;
    let net = upgrade::to_current(parsed.net, deploy)?;
    let graph = Graph::from_proto(&net).map_err(|e| e.in_file(deploy))?;
    let mut warnings = parsed.warnings;
    for layer in graph.layers.iter().filter(|layer| layer.kind == LayerKind::Unsupported) {
        warnings.push(format!(
            "layer \"{}\" is of type {}, which is not computed; units that depend on it cannot be pushed",
            layer.name, layer.type_name
        ));
    }
    let mut names = HashSet::new();
    for layer in graph.layers.iter().filter(|layer| !names.insert(&layer.name)) {
        warnings.push(format!(
            "{}: several layers are named \"{}\"; they share the weights of that name, and the last is meant by it",
            deploy.display(),
            layer.name
        ));
    }
    Ok((graph, warnings))
}
