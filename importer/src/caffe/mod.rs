//! The front end for Caffe: `deploy.prototxt` + `.caffemodel`.
//!
//! 1. [`text`] parses the prototxt into the messages of [`proto`]; what Caffe does not know of it is set aside;
//! 2. [`upgrade`] lifts its V0 and V1 forms to the current one and drops layers of the training phase;
//! 3. [`mod@convert`] turns the layers into a [`Graph`], and Caffe's blobs, which layers may overwrite, into values;
//! 4. [`weights`] indexes the caffemodel without reading its numbers.

pub mod convert;
pub mod mean;
pub mod proto;
mod scan;
mod sniff;
pub mod text;
mod tolerate;
pub mod upgrade;
pub mod weights;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

pub use weights::Caffemodel;

use crate::Import;
use crate::about::{Doubt, InputTransform};
use crate::error::{Error, Result};
use crate::graph::{Graph, LayerKind};
use convert::{Converted, convert};
use proto::{InputParameter, LayerParameter, NetParameter};
use upgrade::Upgraded;

/// How Caffe's files are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Shape of the images, where the prototxt has none or another.
    pub input_shape: Option<Vec<usize>>,
    /// Whether a setting that is not known of a layer that is computed is an error.
    pub strict: bool,
    /// Whether more stored blobs than a layer reads are a warning only.
    pub lenient: bool,
}

/// A prototxt, read.
#[derive(Debug)]
pub struct Description {
    /// The graph.
    pub graph: Graph,
    /// What a user should know but need not act on.
    pub warnings: Vec<String>,
    /// Settings that are not known of layers that are computed: these may compute otherwise.
    pub doubts: Vec<Doubt>,
    /// What the net's own data layer does to images.
    pub transform: Option<InputTransform>,
}

/// Reads a prototxt and its caffemodel.
///
/// # Errors
/// As [`import_with`].
pub fn import(deploy: &Path, caffemodel: &Path) -> Result<Import> {
    import_with(deploy, caffemodel, &Options::default())
}

/// Reads a prototxt and its caffemodel as `options` say.
///
/// # Errors
/// When a file is missing, truncated or of another format, when the prototxt is not a valid network, when the caffemodel
/// holds no layer of it, or more blobs of one than it reads.
pub fn import_with(deploy: &Path, caffemodel: &Path, options: &Options) -> Result<Import> {
    let read = Read::new(deploy, options)?;
    let caffemodel = Caffemodel::open(caffemodel)?;
    let mut converted = read.convert(Some(&caffemodel))?;
    let mut warnings = read.warnings(&mut converted, options)?;
    warnings.extend(caffemodel.compare_with(&converted.graph, deploy)?);
    warnings.extend(caffemodel.surplus(&converted, options.lenient)?);
    Ok(Import {
        weights: caffemodel.weights(&converted),
        transform: read.transform(&converted),
        doubts: converted.doubts,
        graph: converted.graph,
        warnings,
    })
}

/// Reads a prototxt alone; the second value lists its warnings.
///
/// # Errors
/// When the file is missing, is no protobuf text, or is not a valid network.
pub fn read_graph(deploy: &Path) -> Result<(Graph, Vec<String>)> {
    let description = read_graph_with(deploy, &Options::default())?;
    Ok((description.graph, description.warnings))
}

/// Reads a prototxt alone, as `options` say.
///
/// # Errors
/// As [`read_graph`].
pub fn read_graph_with(deploy: &Path, options: &Options) -> Result<Description> {
    let read = Read::new(deploy, options)?;
    let mut converted = read.convert(None)?;
    Ok(Description {
        warnings: read.warnings(&mut converted, options)?,
        transform: read.transform(&converted),
        doubts: converted.doubts,
        graph: converted.graph,
    })
}

/// A prototxt, parsed and upgraded.
struct Read<'a> {
    deploy: &'a Path,
    upgraded: Upgraded,
    /// Fields beside the layers that are not Caffe's.
    unknown: Vec<String>,
    input_shape: Option<&'a [usize]>,
}

impl<'a> Read<'a> {
    fn new(deploy: &'a Path, options: &'a Options) -> Result<Self> {
        let parsed = text::read_net(deploy)?;
        let mut upgraded = upgrade::upgrade(parsed.net, deploy)?;
        add_input(&mut upgraded, options.input_shape.is_some(), deploy)?;
        Ok(Self {
            deploy,
            upgraded,
            unknown: parsed.unknown,
            input_shape: options.input_shape.as_deref(),
        })
    }

    fn convert(&self, stored: Option<&Caffemodel>) -> Result<Converted> {
        let mut converted = convert(&self.upgraded.net, stored).map_err(|e| e.in_file(self.deploy))?;
        if let Some(shape) = self.input_shape {
            converted.graph.set_input_shape(shape);
        }
        Ok(converted)
    }

    /// What the data layer does, also one that rules leave out where no other is left.
    fn transform(&self, converted: &Converted) -> Option<InputTransform> {
        converted.transform.clone().or_else(|| {
            let layers = self.upgraded.left_out.clone();
            let net = NetParameter {
                layer: layers,
                ..NetParameter::default()
            };
            convert::transform(&net)
        })
    }

    /// What should be known of the prototxt.
    fn warnings(&self, converted: &mut Converted, options: &Options) -> Result<Vec<String>> {
        let deploy = self.deploy.display();
        let mut warnings: Vec<String> = Vec::new();
        if !self.unknown.is_empty() {
            warnings.push(format!(
                "{deploy}: {} beside the layers {} not Caffe's; skipped",
                self.unknown.join(", "),
                if self.unknown.len() == 1 { "is" } else { "are" }
            ));
        }
        warnings.extend(doubted(&converted.doubts));
        if options.strict && !converted.doubts.is_empty() {
            return Err(Error::Doubts {
                path: self.deploy.to_owned(),
                message: doubted(&converted.doubts).join("; "),
            });
        }
        warnings.append(&mut converted.notes);
        warnings.extend(not_computed(&converted.graph));
        let mut names = HashSet::new();
        let layers = &self.upgraded.net.layer;
        for layer in layers.iter().filter(|layer| !names.insert(layer.name())) {
            warnings.push(format!(
                "{deploy}: several layers are named \"{}\"; they share the weights of that name, and the last is meant by it",
                layer.name()
            ));
        }
        Ok(warnings)
    }
}

/// A line for each field that is not known, with the layers that have it.
fn doubted(doubts: &[Doubt]) -> Vec<String> {
    let mut by_field: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for doubt in doubts {
        by_field.entry(&doubt.field).or_default().push(&doubt.layer);
    }
    let line = |(field, layers): (&str, Vec<&str>)| {
        let more = match layers.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        format!(
            "layer \"{}\"{more}: {field} is not Caffe's and not known here, and was left out; what it computes may be another",
            layers[0]
        )
    };
    by_field.into_iter().map(line).collect()
}

/// Layers that are not computed: one line for each that others depend on, one in all for the rest.
fn not_computed(graph: &Graph) -> Vec<String> {
    let is_unsupported = |kind: &LayerKind| matches!(kind, LayerKind::Unsupported { .. });
    let computed = graph
        .layers
        .iter()
        .filter(|layer| !is_unsupported(&layer.kind) && layer.kind != LayerKind::Sink);
    let read: HashSet<usize> = computed.flat_map(|layer| layer.inputs.iter().copied()).collect();
    let mut lines = Vec::new();
    let mut rest: Vec<&str> = Vec::new();
    for layer in graph.layers.iter().filter(|layer| is_unsupported(&layer.kind)) {
        if !layer.outputs.iter().any(|output| read.contains(output)) {
            rest.push(&layer.type_name);
            continue;
        }
        let why = match &layer.kind {
            LayerKind::Unsupported { reason: Some(reason) } => {
                format!("({}) is not computed: {reason}", layer.type_name)
            }
            _ => format!("is of type {}, which is not computed", layer.type_name),
        };
        lines.push(format!(
            "layer \"{}\" {why}; units that depend on it cannot be pushed",
            layer.name
        ));
    }
    if !rest.is_empty() {
        let types: BTreeSet<&str> = rest.iter().copied().collect();
        lines.push(format!(
            "{} of training, detection or types that are not computed {} left out ({})",
            if rest.len() == 1 {
                "1 layer".to_owned()
            } else {
                format!("{} layers", rest.len())
            },
            if rest.len() == 1 { "is" } else { "are" },
            types.into_iter().collect::<Vec<_>>().join(", ")
        ));
    }
    lines
}

/// Gives a net whose rules leave out every source of images one: the blob that layers read and nobody writes.
///
/// # Errors
/// When there is none and the shape of the images is not given, so that it may be a mistake.
fn add_input(upgraded: &mut Upgraded, is_shape_given: bool, deploy: &Path) -> Result<()> {
    let layers = &upgraded.net.layer;
    if layers.is_empty() || layers.iter().any(convert::is_source) {
        return Ok(());
    }
    let written: HashSet<&str> = layers.iter().flat_map(|layer| &layer.top).map(String::as_str).collect();
    let mut open = layers
        .iter()
        .flat_map(|layer| &layer.bottom)
        .filter(|bottom| !written.contains(bottom.as_str()));
    let fed: HashSet<&str> = upgraded
        .left_out
        .iter()
        .flat_map(|layer| layer.top.first())
        .map(String::as_str)
        .collect();
    let first = open.clone().next();
    let Some(blob) = open.find(|blob| fed.contains(blob.as_str())).or(first).cloned() else {
        return Ok(());
    };
    if !is_shape_given {
        let left_out: Vec<String> = upgraded
            .left_out
            .iter()
            .map(|layer| format!("\"{}\" ({}) by {}", layer.name(), layer.r#type(), upgrade::rules(layer)))
            .collect();
        return Err(Error::NoInput {
            path: deploy.to_owned(),
            blob,
            left_out: if left_out.is_empty() {
                "; does it declare its input?".to_owned()
            } else {
                format!("; of its data layers rules leave out {}", left_out.join(", "))
            },
        });
    }
    let input = LayerParameter {
        name: Some(blob.clone()),
        r#type: Some("Input".into()),
        top: vec![blob],
        input_param: Some(InputParameter::default()),
        ..LayerParameter::default()
    };
    upgraded.net.layer.insert(0, input);
    Ok(())
}
