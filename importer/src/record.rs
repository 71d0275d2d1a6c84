//! The burnpack of a network: weights by name, and the graph as JSON in the file's metadata, so that one file is a whole net.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use burn_pack::{DType, Reader, Tensor, Writer};

use crate::Import;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::weights::{Blob, Source, Weights};

/// Metadata key of the graph.
const GRAPH: &str = "deepvis.graph";
/// Metadata key of the layout's version.
const VERSION: &str = "deepvis.version";
/// The layout that this code writes and reads.
const LAYOUT: &str = "1";

/// Writes a network as one burnpack. Blob `i` of a layer becomes the tensor `layer.i`.
///
/// The numbers are read one blob at a time, so that memory stays below the largest blob; the file appears under its name
/// only when it is complete. `progress` is told the bytes of each blob as it is written.
///
/// # Errors
/// When the weights cannot be read, the file cannot be written, or it exists and `overwrite` is false.
pub fn write(
    import: &Import,
    path: &Path,
    overwrite: bool,
    progress: impl Fn(u64) + Send + Sync + Clone + 'static,
) -> Result<()> {
    let failed = |message: String| Error::Pack {
        path: path.to_owned(),
        message,
    };
    let graph = serde_json::to_string(&import.graph).map_err(|e| failed(e.to_string()))?;
    let tensors = import
        .weights
        .layers()
        .filter(|(name, _)| import.graph.layer(name).is_some())
        .flat_map(|(name, blobs)| {
            blobs
                .iter()
                .enumerate()
                .map(move |(i, blob)| (format!("{name}.{i}"), blob.clone()))
        })
        .map(|(name, blob)| {
            let progress = progress.clone();
            let len = blob.count() * 4;
            Tensor::deferred(name, DType::F32, blob.shape().to_vec(), None, len, move || {
                let bytes = blob.bytes().map_err(|e| burn_pack::Error::IoError(e.to_string()))?;
                progress(len as u64);
                Ok(bytes)
            })
        })
        .collect();
    Writer::new(tensors)
        .with_metadata(GRAPH, &graph)
        .with_metadata(VERSION, LAYOUT)
        .auto_extension(false)
        .overwrite(overwrite)
        .write_to_file(path)
        .map_err(|e| match e {
            burn_pack::Error::AlreadyExists(_) => {
                failed("it exists already; give another name, or --brave to overwrite it".into())
            }
            other => failed(other.to_string()),
        })
}

/// Opens a burnpack written by [`write`]; the numbers are read when they are first used.
///
/// # Errors
/// When the file cannot be read, is truncated, or is a burnpack of something else.
pub fn open(path: &Path) -> Result<Import> {
    let failed = |message: String| Error::Pack {
        path: path.to_owned(),
        message,
    };
    let reader = Reader::from_file_exact(path).map_err(|e| failed(e.to_string()))?;
    let foreign = || failed("it is a burnpack, but not of a Caffe network; make one with `deepvis import`".into());
    let graph = reader.metadata().get(GRAPH).ok_or_else(foreign)?;
    match reader.metadata().get(VERSION).map(String::as_str) {
        Some(LAYOUT) => {}
        other => {
            return Err(failed(format!(
                "its layout is version {}, this deepvis reads {LAYOUT}; import the network again",
                other.unwrap_or("unknown")
            )));
        }
    }
    let graph: Graph = serde_json::from_str(graph).map_err(|e| failed(format!("the graph in it is damaged: {e}")))?;
    graph.check_connections().map_err(|e| failed(e.to_string()))?;
    let source = Arc::new(path.to_owned());
    let mut layers: BTreeMap<String, Vec<(usize, Blob)>> = BTreeMap::new();
    for tensor in reader.into_tensors().map_err(|e| failed(e.to_string()))? {
        let (name, dtype, shape, _, bytes) = tensor.into_parts().map_err(|e| failed(e.to_string()))?;
        let place = name
            .rsplit_once('.')
            .and_then(|(layer, i)| Some((layer.to_owned(), i.parse().ok()?)));
        let (Some((layer, index)), DType::F32) = (place, dtype) else {
            return Err(failed(format!("the tensor \"{name}\" in it is not a layer's blob")));
        };
        let blob = Blob::new(shape.to_vec(), Source::Packed(source.clone(), bytes));
        layers.entry(layer).or_default().push((index, blob));
    }
    let layers = layers
        .into_iter()
        .map(|(layer, mut blobs)| {
            blobs.sort_by_key(|(index, _)| *index);
            (layer, blobs.into_iter().map(|(_, blob)| blob).collect())
        })
        .collect();
    Ok(Import {
        graph,
        weights: Weights::new(layers, path.to_owned()),
        warnings: Vec::new(),
    })
}
