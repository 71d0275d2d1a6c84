//! The layout of version 1: layers with the names of Caffe's blobs, and tensors called `LAYER.PLACE`.
//!
//! Its graph is turned back into Caffe's layers, which are then converted as those of a prototxt are.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::caffe::Caffemodel;
use crate::caffe::convert::{CaffeLayer, Faults, connect, tensor};
use crate::error::{Error, Result};
use crate::graph::{Graph, LayerKind};
use crate::weights::{StoredTensor, Weights};

/// The version number in such files.
pub(super) const VERSION: &str = "1";

#[derive(Deserialize)]
struct OldGraph {
    name: String,
    layers: Vec<OldLayer>,
}

#[derive(Deserialize)]
struct OldLayer {
    name: String,
    type_name: String,
    kind: Value,
    bottoms: Vec<String>,
    tops: Vec<String>,
}

/// The graph of a file.
pub(super) fn graph(json: &str) -> Result<Graph> {
    let old: OldGraph = serde_json::from_str(json).map_err(|e| Error::Net(e.to_string()))?;
    let layers = old.layers.into_iter().map(layer).collect::<Result<Vec<_>>>()?;
    connect(&old.name, &layers, Faults::Refused)
}

/// The tensors of a file, under the names by which the layers of its graph refer to them.
pub(super) fn weights(graph: &Graph, tensors: Vec<(String, StoredTensor)>, path: &Path) -> Result<Weights> {
    let mut layers: BTreeMap<String, Vec<(usize, StoredTensor)>> = BTreeMap::new();
    for (name, stored) in tensors {
        let place = name
            .rsplit_once('.')
            .and_then(|(layer, place)| Some((layer.to_owned(), place.parse().ok()?)));
        let (layer, place) =
            place.ok_or_else(|| Error::Net(format!("the tensor \"{name}\" in it is not a layer's blob")))?;
        layers.entry(layer).or_default().push((place, stored));
    }
    let layers = layers
        .into_iter()
        .map(|(layer, mut blobs)| {
            blobs.sort_by_key(|(place, _)| *place);
            (layer, blobs.into_iter().map(|(_, blob)| blob).collect())
        })
        .collect();
    Ok(Caffemodel::new(layers, path.to_owned()).weights_in_order(graph))
}

fn layer(mut old: OldLayer) -> Result<CaffeLayer> {
    let learns = old.bottoms.len() < 2;
    if old.kind == json!("Unsupported") {
        old.kind = json!({ "Unsupported": { "reason": null } });
    }
    if let Some((kind, Value::Object(settings))) = old.kind.as_object_mut().and_then(|kind| kind.iter_mut().next()) {
        let name = |role: &str| json!(tensor(&old.name, role));
        let bias = settings.get("bias") == Some(&Value::Bool(true));
        let bias = if bias { name("bias") } else { Value::Null };
        match kind.as_str() {
            "Convolution" | "Deconvolution" => {
                settings.insert("weight".into(), name("weight"));
                settings.insert("bias".into(), bias);
                split_pads(settings);
            }
            "InnerProduct" => {
                settings.insert("weight".into(), name("weight"));
                settings.insert("bias".into(), bias);
            }
            "Pooling" => {
                split_pads(settings);
                let ceil = settings.remove("ceil") == Some(Value::Bool(true));
                settings.insert("rounding".into(), json!(if ceil { "Ceil" } else { "Floor" }));
                settings.insert("counted".into(), json!("Padded"));
            }
            "PRelu" => {
                settings.insert("slope".into(), name("slope"));
            }
            "BatchNorm" => {
                for role in ["mean", "variance", "divisor"] {
                    settings.insert(role.into(), name(role));
                }
            }
            "Scale" => {
                let factor = if learns { name("factor") } else { Value::Null };
                settings.insert("factor".into(), factor);
                settings.insert("bias".into(), bias);
            }
            "Bias" => {
                let term = if learns { name("term") } else { Value::Null };
                settings.insert("term".into(), term);
            }
            "Normalize" => {
                settings.insert("scale".into(), name("scale"));
            }
            // Layers without weights and padding are written alike in both layouts.
            _ => {}
        }
    }
    let kind: LayerKind = serde_json::from_value(old.kind)
        .map_err(|e| Error::Net(format!("layer \"{}\" ({}): {e}", old.name, old.type_name)))?;
    Ok(CaffeLayer::new(old.name, old.type_name, kind, &old.bottoms, &old.tops))
}

/// One padding for both sides becomes one for each.
fn split_pads(settings: &mut Map<String, Value>) {
    if let Some(pad) = settings.remove("pad") {
        settings.insert("pads".into(), json!({ "begin": pad.clone(), "end": pad }));
    }
}
