//! A network as one burnpack file: tensors by name, and the graph as JSON in the file's metadata.

mod layout1;

use std::path::Path;
use std::sync::Arc;

use burn_pack::{DType, Reader, Tensor, Writer};

use crate::Import;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::weights::{Source, StoredTensor, Weights};

/// Metadata key of the graph.
const GRAPH: &str = "deepvis.graph";
/// Metadata key of the layout's version.
const VERSION: &str = "deepvis.version";
/// The layout that this code writes. It reads that of version 1 too (see [`layout1`]).
const LAYOUT: &str = "2";
/// What the network's files say is done to images; absent where they say nothing.
const TRANSFORM: &str = "deepvis.transform";

/// Writes a network as one burnpack.
///
/// The numbers are read one tensor at a time, so that memory stays below the largest one; the file appears under its
/// name only when it is complete. `progress` is told the bytes of each tensor as it is written.
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
        .tensors()
        .map(|(name, stored)| {
            let progress = progress.clone();
            let stored = stored.clone();
            let len = stored.count() * 4;
            Tensor::deferred(
                name.to_owned(),
                DType::F32,
                stored.shape().to_vec(),
                None,
                len,
                move || {
                    let bytes = stored.bytes().map_err(|e| burn_pack::Error::IoError(e.to_string()))?;
                    progress(len as u64);
                    Ok(bytes)
                },
            )
        })
        .collect();
    let writer = Writer::new(tensors)
        .with_metadata(GRAPH, &graph)
        .with_metadata(VERSION, LAYOUT);
    let writer = match &import.transform {
        Some(transform) => {
            let transform = serde_json::to_string(transform).map_err(|e| failed(e.to_string()))?;
            writer.with_metadata(TRANSFORM, &transform)
        }
        None => writer,
    };
    writer
        .auto_extension(false)
        .overwrite(overwrite)
        .write_to_file(path)
        .map_err(|e| match e {
            burn_pack::Error::AlreadyExists(_) => Error::Exists(path.to_owned()),
            other => failed(other.to_string()),
        })
}

/// Opens a burnpack written by [`write()`], also by one of an earlier version; the numbers are read when they are first
/// used.
///
/// # Errors
/// When the file cannot be read, is truncated, is a burnpack of something else, or its graph is not a valid network.
pub fn open(path: &Path) -> Result<Import> {
    let failed = |message: String| Error::Pack {
        path: path.to_owned(),
        message,
    };
    let damaged = |message: String| failed(format!("the graph in it is damaged: {message}"));
    crate::input::open(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    let reader = Reader::from_file_exact(path).map_err(|e| failed(e.to_string()))?;
    let foreign = || failed("it is a burnpack, but not of a network; make one with `deepvis import`".into());
    let json = reader.metadata().get(GRAPH).ok_or_else(foreign)?.clone();
    let version = reader.metadata().get(VERSION).cloned();
    let transform = reader.metadata().get(TRANSFORM);
    let transform = transform
        .map(|json| serde_json::from_str(json))
        .transpose()
        .map_err(|e| failed(format!("what it says of images is damaged: {e}")))?;
    let source = Arc::new(path.to_owned());
    let mut tensors = Vec::new();
    for tensor in reader.into_tensors().map_err(|e| failed(e.to_string()))? {
        let (name, dtype, shape, _, bytes) = tensor.into_parts().map_err(|e| failed(e.to_string()))?;
        if dtype != DType::F32 {
            return Err(failed(format!("the tensor \"{name}\" in it is not of float32")));
        }
        let stored = StoredTensor::new(shape.to_vec(), Source::Packed(source.clone(), bytes));
        tensors.push((name, stored));
    }
    let (graph, weights) = match version.as_deref() {
        Some(LAYOUT) => {
            let graph: Graph = serde_json::from_str(&json).map_err(|e| damaged(e.to_string()))?;
            graph.check().map_err(|e| damaged(e.to_string()))?;
            let weights = Weights::new(tensors.into_iter().collect(), path.to_owned());
            (graph, weights)
        }
        Some(layout1::VERSION) => {
            let graph = layout1::graph(&json).map_err(|e| damaged(e.to_string()))?;
            let weights = layout1::weights(&graph, tensors, path).map_err(|e| failed(e.to_string()))?;
            (graph, weights)
        }
        other => {
            return Err(failed(format!(
                "its layout is version {}, this deepvis reads {} and {LAYOUT}; import the network again",
                other.unwrap_or("unknown"),
                layout1::VERSION
            )));
        }
    };
    Ok(Import {
        graph,
        weights,
        warnings: Vec::new(),
        doubts: Vec::new(),
        transform,
    })
}
