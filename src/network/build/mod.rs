//! Building the layers that some targets depend on.

mod input;
mod layer_build;
mod needed;

use std::cell::RefCell;
use std::cmp::Ordering;

use burn::tensor::Device;
use deepvis_importer::graph::{Origin, SUPPORTED, Target, ValueId};
use deepvis_importer::names::suggest;
use deepvis_importer::{Graph, Layer, LayerKind, Weights};

pub(super) use input::shape as input_shape;
pub use input::{DEFAULT_SIZE, InputSize, assumed_image};
pub(super) use layer_build::{BuildResult, LayerBuild, entries, is_same};

use super::apart::Apart;
use super::axes::axes;
use super::error::{Error, Result};
use super::layers::{self, Forward, LayerModule};
use super::passes::{fold, gather};
use super::run::{Network, Program, Step};

impl Network {
    /// Builds what `targets` depend on; the rest of the net is neither built nor are its weights read.
    ///
    /// `most_entries` bounds the size of any one value.
    ///
    /// # Errors
    /// When a target does not exist, depends on a layer of an unsupported type, on weights that are missing or of another
    /// shape, on more than one input, or when the input's size does not suit a layer.
    pub fn build(
        graph: &Graph,
        weights: &Weights,
        targets: &[&str],
        size: InputSize,
        device: &Device,
        most_entries: usize,
    ) -> Result<Self> {
        let targets = targets
            .iter()
            .map(|name| find(graph, name))
            .collect::<Result<Vec<_>>>()?;
        let wanted: Vec<ValueId> = targets
            .iter()
            .flat_map(|target| [target.value, target.pushed])
            .collect();
        check_supported(graph, &targets)?;
        let needed = needed::layers(graph, &wanted);
        let (input, image) = input::find(graph, &needed, size, most_entries)?;
        let mut builder = Builder::new(graph, Some(weights), device, most_entries);
        builder.shapes[input] = Some(vec![1, image[0], image[1], image[2]]);
        let mut computed = needed.iter().flat_map(|layer| &layer.outputs);
        let no_value_alone = computed.all(|value| !graph.alone.contains(value));
        let mut layers = Vec::new();
        let mut steps = Vec::new();
        for layer in needed {
            if matches!(layer.kind, LayerKind::Input { .. }) {
                continue;
            }
            layers.push(builder.layer(layer)?.module);
            steps.push(Step::of(layer));
        }
        for target in &targets {
            let [value, pushed] = [target.value, target.pushed].map(|value| builder.shapes[value].as_deref());
            if value != pushed {
                return Err(Error::Input(format!(
                    "\"{}\" is of shape {:?} where it is computed, and overwritten by a value of shape {:?}; ask for another layer",
                    target.name,
                    pushed.unwrap_or_default(),
                    value.unwrap_or_default()
                )));
            }
        }
        let in_order = |value: &ValueId| !graph.scattered.contains(value);
        let apart = match graph.origin {
            // Axis 0 counts images everywhere, so that each layer knows by itself.
            Origin::Caffe => Apart::Known(layers.iter().all(Forward::keeps_images_apart)),
            Origin::Onnx if no_value_alone && wanted.iter().all(in_order) => Apart::said(device),
            Origin::Onnx => Apart::Known(false),
        };
        fold::into_convolutions(&mut layers, &mut steps, &wanted);
        gather::functions(&mut layers, &mut steps, &wanted);
        let program = Program {
            steps,
            input,
            image,
            targets,
            axes: axes(graph, &builder.shapes),
            shapes: builder.shapes,
            apart,
            factors: None,
        };
        Ok(Self::new(layers, program))
    }
}

/// Channels, rows and columns of the image that `target` depends on; no layer is built.
///
/// # Errors
/// When the target does not exist, or depends on no image or on several.
pub fn image(graph: &Graph, target: &str, size: InputSize, most_entries: usize) -> Result<[usize; 3]> {
    let target = find(graph, target)?;
    let needed = needed::layers(graph, &[target.value, target.pushed]);
    Ok(input::find(graph, &needed, size, most_entries)?.1)
}

/// Whether the fully connected layers of a graph, its input being as declared, take less than their stored weights are for, as
/// much, or more: the first that differs tells. Less, too, where none can be reached, as of an image that is too small.
pub fn fully_connected_take(graph: &Graph, weights: &Weights, device: &Device) -> Ordering {
    let mut builder = Builder::new(graph, None, device, usize::MAX);
    let mut found = None;
    for layer in &graph.layers {
        if let LayerKind::Input { shape } = &layer.kind {
            if let Some(output) = layer.outputs.first() {
                builder.shapes[*output] = Some(input_shape(shape.as_deref(), InputSize::Declared));
            }
            continue;
        }
        let is_computed = !matches!(layer.kind, LayerKind::Sink | LayerKind::Unsupported { .. });
        if !is_computed || !builder.has_inputs_of(layer) {
            continue;
        }
        let (Ok(built), LayerKind::InnerProduct(settings)) = (builder.layer(layer), &layer.kind) else {
            continue;
        };
        let mut tensors = built.tensors.iter();
        let wanted = tensors.find(|(name, _)| *name == settings.weight);
        if let (Some((name, shape)), Some(entries)) = (wanted, wanted.and_then(|(_, shape)| entries(shape)))
            && let Some(stored) = weights.get(name)
            && !shape.is_empty()
        {
            match entries.cmp(&stored.count()) {
                Ordering::Equal => found = Some(Ordering::Equal),
                other => return other,
            }
        }
    }
    found.unwrap_or(Ordering::Less)
}

/// A layer that was built.
pub(super) struct Built {
    pub(super) module: LayerModule,
    /// Names and shapes of the stored tensors that it uses.
    pub(super) tensors: Vec<(String, Vec<usize>)>,
}

/// Builds one layer after the other, and keeps the shapes of the values between them.
pub(super) struct Builder<'a> {
    weights: Option<&'a Weights>,
    device: &'a Device,
    most_entries: usize,
    /// The shape of each value for one image, with the batch axis; `None` where it is not known.
    pub(super) shapes: Vec<Option<Vec<usize>>>,
}

impl<'a> Builder<'a> {
    /// Without weights, layers are built for their shapes alone.
    pub(super) fn new(graph: &Graph, weights: Option<&'a Weights>, device: &'a Device, most_entries: usize) -> Self {
        Self {
            weights,
            device,
            most_entries,
            shapes: vec![None; graph.values.len()],
        }
    }

    /// Whether the shapes of all inputs of a layer are known.
    pub(super) fn has_inputs_of(&self, layer: &Layer) -> bool {
        layer.inputs.iter().all(|input| self.shapes[*input].is_some())
    }

    /// Builds a layer, and notes the shapes of its outputs.
    pub(super) fn layer(&mut self, layer: &Layer) -> Result<Built> {
        let bottoms = layer.inputs.iter().map(|input| self.shapes[*input].as_deref());
        let build = LayerBuild {
            layer,
            bottoms: bottoms
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| Error::of(layer, "it depends on a value of unknown shape"))?,
            weights: self.weights,
            device: self.device,
            most_entries: self.most_entries,
            asked_for: RefCell::default(),
        };
        let built = layers::build(&build);
        let tensors = build.asked_for.take();
        let (module, shapes) = built?;
        for (output, shape) in layer.outputs.iter().zip(shapes) {
            self.shapes[*output] = Some(shape);
        }
        Ok(Built { module, tensors })
    }
}

/// What a name stands for.
fn find(graph: &Graph, name: &str) -> Result<Target> {
    graph.target(name).cloned().ok_or_else(|| {
        let names: Vec<&str> = graph.targets.iter().map(|target| target.name.as_str()).collect();
        Error::UnknownLayer {
            name: name.to_owned(),
            hint: suggest(name, &names, 20),
        }
    })
}

/// Refuses targets that depend on a layer that is not computed.
fn check_supported(graph: &Graph, targets: &[Target]) -> Result<()> {
    for target in targets {
        for layer in needed::layers(graph, &[target.value, target.pushed]) {
            if let LayerKind::Unsupported { reason: Some(reason) } = &layer.kind {
                return Err(Error::NotComputed {
                    layer: layer.name.clone(),
                    kind: layer.type_name.clone(),
                    target: target.name.clone(),
                    reason: reason.clone(),
                });
            }
            if matches!(layer.kind, LayerKind::Unsupported { .. } | LayerKind::Sink) {
                return Err(Error::Unsupported {
                    layer: layer.name.clone(),
                    kind: layer.type_name.clone(),
                    target: target.name.clone(),
                    supported: SUPPORTED.join(", "),
                });
            }
        }
    }
    Ok(())
}
