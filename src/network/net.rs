//! Building the layers that the targets need, and running them.

use std::cell::RefCell;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use deepvis_importer::{Graph, LayerKind, Weights};

use super::blob::Blob;
use super::build::{LayerBuild, entries};
use super::error::{Error, Result};
use super::layer::{self, Forward, LayerModule};
use super::target::{self, Target};
use super::wiring::{Version, Wire, Wiring, is_input};
use crate::network::layers::activation::Function;

/// How large the input is to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InputSize {
    /// As the prototxt declares it.
    #[default]
    Declared,
    /// Rows and columns as given, channels as declared.
    Resized([usize; 2]),
}

/// Size of the input where neither the prototxt nor the user gives one: that of the original script.
const DEFAULT_SIZE: [usize; 2] = [227, 227];
/// Channels of the input where nobody says: colour images.
const DEFAULT_CHANNELS: usize = 3;

/// What a forward pass found at a target.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The value, as Caffe's script reads it.
    pub value: Blob,
    /// What the backward pass starts from.
    pub pushed: Blob,
}

/// The layers that some targets depend on, with frozen weights.
#[derive(Module, Debug)]
pub struct Network {
    layers: Vec<LayerModule>,
    #[module(skip)]
    program: Program,
}

/// The order of computation.
#[derive(Debug, Clone)]
struct Program {
    /// One for each layer of the network, in order.
    steps: Vec<Wire>,
    versions: usize,
    input: Version,
    /// Channels, rows, columns.
    image: [usize; 3],
    targets: Vec<Target>,
    /// Shape of each version, for one image.
    shapes: Vec<Option<Vec<usize>>>,
}

impl Network {
    /// Builds what `targets` depend on; the rest of the net is neither built nor are its weights read.
    ///
    /// `most_entries` bounds the size of any one blob.
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
        let wiring = Wiring::new(graph);
        let targets = targets
            .iter()
            .map(|name| target::find(graph, &wiring, name))
            .collect::<Result<Vec<_>>>()?;
        let wanted: Vec<Version> = targets
            .iter()
            .flat_map(|target| [target.value, target.pushed])
            .collect();
        let needed = wiring.needed(&wanted);
        check_supported(graph, &wiring, &targets)?;
        let (input, image) = find_input(graph, &needed, size, most_entries)?;
        let mut shapes = vec![None; wiring.versions()];
        shapes[input] = Some(vec![1, image[0], image[1], image[2]]);
        let mut layers = Vec::new();
        let mut steps = Vec::new();
        for wire in needed {
            let spec = &graph.layers[wire.layer];
            if is_input(&spec.kind) {
                continue;
            }
            let bottoms = wire
                .reads
                .iter()
                .filter_map(|version| shapes[*version].as_deref())
                .collect();
            let build = LayerBuild {
                layer: spec,
                bottoms,
                learned: Some(weights.of(&spec.name)),
                device,
                most_entries,
                asked_for: RefCell::default(),
            };
            let (module, tops) = layer::build(&build)?;
            for (version, shape) in wire.writes.iter().zip(tops) {
                shapes[*version] = Some(shape);
            }
            layers.push(module);
            steps.push(wire);
        }
        let mut network = Self {
            layers,
            program: Program {
                steps,
                versions: wiring.versions(),
                input,
                image,
                targets,
                shapes,
            },
        };
        network.fold(&wanted);
        Ok(network)
    }

    /// Channels, rows and columns of the input.
    pub fn image(&self) -> [usize; 3] {
        self.program.image
    }

    /// The targets, in the order in which they were asked for.
    pub fn targets(&self) -> &[Target] {
        &self.program.targets
    }

    /// A target's shape for one image, with the batch axis.
    pub fn shape(&self, target: usize) -> &[usize] {
        let version = self.program.targets.get(target).map(|target| target.value);
        version
            .and_then(|version| self.program.shapes[version].as_deref())
            .unwrap_or_default()
    }

    /// Entries of all blobs that a forward pass for one image makes.
    pub fn entries_an_image(&self) -> usize {
        let entries = |shape: &Vec<usize>| shape.iter().product::<usize>();
        self.program.shapes.iter().flatten().map(entries).sum()
    }

    /// Entries of the largest of them.
    pub fn largest_blob(&self) -> usize {
        let entries = |shape: &Vec<usize>| shape.iter().product::<usize>();
        self.program.shapes.iter().flatten().map(entries).max().unwrap_or(0)
    }

    /// Weights of fully connected layers: read once for all images of a batch, while those of convolutions are read for each.
    pub fn fully_connected_weights(&self) -> usize {
        let weights = |layer: &LayerModule| match layer {
            LayerModule::InnerProduct(layer) => layer.weights(),
            _ => 0,
        };
        self.layers.iter().map(weights).sum()
    }

    /// How many layers are computed: those the targets need, less those folded into others.
    pub fn computed_layers(&self) -> usize {
        self.layers.len()
    }

    /// Runs a batch of images of shape `[batch, channels, rows, columns]` up to all targets.
    pub fn forward(&self, images: Tensor<4>) -> Vec<Reading> {
        let program = &self.program;
        let mut last_read = vec![usize::MAX; program.versions];
        for (index, step) in program.steps.iter().enumerate() {
            for version in &step.reads {
                last_read[*version] = index;
            }
        }
        for target in &program.targets {
            last_read[target.value] = usize::MAX;
            last_read[target.pushed] = usize::MAX;
        }
        let mut blobs: Vec<Option<Blob>> = vec![None; program.versions];
        blobs[program.input] = Some(Blob::from_image(images));
        for (index, (step, layer)) in program.steps.iter().zip(&self.layers).enumerate() {
            let bottoms: Vec<Blob> = step
                .reads
                .iter()
                .filter_map(|version| {
                    // Blobs are let go after their last reader, which keeps memory down.
                    if last_read[*version] == index && step.reads.iter().filter(|v| *v == version).count() == 1 {
                        blobs[*version].take()
                    } else {
                        blobs[*version].clone()
                    }
                })
                .collect();
            let tops = layer.forward(&bottoms);
            for (version, top) in step.writes.iter().zip(tops) {
                blobs[*version] = Some(top);
            }
        }
        program
            .targets
            .iter()
            .filter_map(|target| {
                Some(Reading {
                    value: blobs[target.value].clone()?,
                    pushed: blobs[target.pushed].clone()?,
                })
            })
            .collect()
    }

    /// Folds BatchNorm, Scale and ReLU into the convolution before them where nobody else reads the blobs between.
    fn fold(&mut self, wanted: &[Version]) {
        let program = &mut self.program;
        let mut readers = vec![0usize; program.versions];
        for version in program.steps.iter().flat_map(|step| &step.reads).chain(wanted) {
            readers[*version] += 1;
        }
        let mut layers: Vec<LayerModule> = Vec::with_capacity(self.layers.len());
        let mut steps: Vec<Wire> = Vec::with_capacity(program.steps.len());
        for (step, layer) in std::mem::take(&mut program.steps)
            .into_iter()
            .zip(std::mem::take(&mut self.layers))
        {
            let before = match step.reads.as_slice() {
                [version] if readers[*version] == 1 => steps.iter().rposition(|s| s.writes == [*version]),
                _ => None,
            };
            let folded = before.is_some_and(|index| fold_into(&mut layers[index], &layer));
            match before {
                Some(index) if folded => steps[index].writes = step.writes,
                _ => {
                    layers.push(layer);
                    steps.push(step);
                }
            }
        }
        self.layers = layers;
        program.steps = steps;
    }
}

/// Folds `next` into the layer that alone feeds it, if that can be done.
fn fold_into(layer: &mut LayerModule, next: &LayerModule) -> bool {
    let LayerModule::Convolution(convolution) = layer else {
        return false;
    };
    if convolution.has_relu() {
        return false;
    }
    match next {
        LayerModule::BatchNorm(norm) => {
            let (factor, shift) = norm.affine();
            convolution.fold_affine(&factor, &shift);
            true
        }
        LayerModule::Scale(scale) => match scale.affine() {
            Some((factor, shift)) => {
                let shift = shift.unwrap_or_else(|| factor.zeros_like());
                convolution.fold_affine(&factor, &shift);
                true
            }
            None => false,
        },
        LayerModule::Activation(activation) => match activation.function() {
            // The sign of the result tells whether a ReLU let it through only if the slope is not negative.
            Function::Relu { slope } if slope >= 0.0 => {
                convolution.fuse_relu(slope);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

fn check_supported(graph: &Graph, wiring: &Wiring, targets: &[Target]) -> Result<()> {
    for target in targets {
        for wire in wiring.needed(&[target.value, target.pushed]) {
            let spec = &graph.layers[wire.layer];
            if matches!(spec.kind, LayerKind::Unsupported | LayerKind::Sink) {
                return Err(Error::Unsupported {
                    layer: spec.name.clone(),
                    kind: spec.type_name.clone(),
                    target: target.name.clone(),
                    supported: deepvis_importer::graph::SUPPORTED.join(", "),
                });
            }
        }
    }
    Ok(())
}

/// The version that holds the image, and its channels, rows and columns.
fn find_input(graph: &Graph, needed: &[Wire], size: InputSize, most_entries: usize) -> Result<(Version, [usize; 3])> {
    let read: Vec<Version> = needed.iter().flat_map(|wire| wire.reads.iter().copied()).collect();
    let inputs: Vec<(&Wire, usize)> = needed
        .iter()
        .filter(|wire| is_input(&graph.layers[wire.layer].kind))
        .flat_map(|wire| (0..wire.writes.len()).map(move |top| (wire, top)))
        .filter(|(wire, top)| read.contains(&wire.writes[*top]))
        .collect();
    let (wire, top) = match inputs.as_slice() {
        [] => {
            return Err(Error::Input(
                "no image reaches the layer asked for: it is an input, or depends on none".into(),
            ));
        }
        [one] => *one,
        several => {
            let names: Vec<&str> = several
                .iter()
                .map(|(wire, top)| graph.layers[wire.layer].tops[*top].as_str())
                .collect();
            return Err(Error::Input(format!(
                "the layer asked for depends on several inputs ({}); only one image can be optimized",
                names.join(", ")
            )));
        }
    };
    let spec = &graph.layers[wire.layer];
    let declared = match &spec.kind {
        LayerKind::Input { shape: Some(shape) } => Some(shape.as_slice()),
        _ => None,
    };
    let image = match declared {
        None => [DEFAULT_CHANNELS, DEFAULT_SIZE[0], DEFAULT_SIZE[1]],
        Some([_, channels, rows, columns]) => [*channels, *rows, *columns],
        Some(other) => {
            return Err(Error::Input(format!(
                "the input \"{}\" has shape {other:?}; an image has 4 axes: batch, channels, rows, columns",
                spec.tops[top]
            )));
        }
    };
    let image = match size {
        InputSize::Declared => image,
        InputSize::Resized([rows, columns]) => [image[0], rows, columns],
    };
    if image.contains(&0) {
        return Err(Error::Input(format!(
            "an input of {image:?} (channels, rows, columns) is empty"
        )));
    }
    if entries(&image).is_none_or(|entries| entries > most_entries) {
        return Err(Error::Input(format!(
            "an input of {image:?} (channels, rows, columns) does not fit the memory that may be used; see --max-memory"
        )));
    }
    Ok((wire.writes[top], image))
}
