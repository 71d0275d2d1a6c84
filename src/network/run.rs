//! The network, and running it.

use burn::module::Module;
use burn::tensor::Tensor;
use deepvis_importer::Layer;
use deepvis_importer::graph::{Target, ValueId};

use super::apart::Apart;
use super::axes::Axes;
use super::blob::Blob;
use super::host::in_pool;
use super::layers::{Forward, LayerModule};

/// What a forward pass found at a target, for a batch of images.
#[derive(Debug, Clone)]
pub struct Activation {
    /// The value, as Caffe's script reads it.
    pub value: Blob,
    /// What the backward pass starts from.
    pub pushed: Blob,
}

impl Activation {
    /// The same with the channels in axis 1: see [`Blob::with_channels_first`].
    #[must_use]
    pub fn with_channels_first(&self, axes: Axes) -> Self {
        Self {
            value: self.value.with_channels_first(axes),
            pushed: self.pushed.with_channels_first(axes),
        }
    }

    /// The first part of each of `images`: see [`Blob::of_images`].
    #[must_use]
    pub fn of_images(&self, images: usize) -> Self {
        Self {
            value: self.value.of_images(images),
            pushed: self.pushed.of_images(images),
        }
    }
}

/// The layers that some targets depend on, with frozen weights.
#[derive(Module, Debug)]
pub struct Network {
    layers: Vec<LayerModule>,
    #[module(skip)]
    program: Program,
}

/// Which values a layer reads and writes.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) reads: Vec<ValueId>,
    pub(super) writes: Vec<ValueId>,
}

impl Step {
    /// What a layer of a graph reads and writes.
    pub(super) fn of(layer: &Layer) -> Self {
        Self {
            reads: layer.inputs.clone(),
            writes: layer.outputs.clone(),
        }
    }

    /// Of one value that is made of some.
    #[cfg(test)]
    pub(super) fn from(reads: &[ValueId], writes: ValueId) -> Self {
        Self {
            reads: reads.to_vec(),
            writes: vec![writes],
        }
    }
}

/// The order of computation.
#[derive(Debug, Clone)]
pub(super) struct Program {
    /// One for each layer of the network, in order.
    pub(super) steps: Vec<Step>,
    pub(super) input: ValueId,
    /// Channels, rows, columns.
    pub(super) image: [usize; 3],
    pub(super) targets: Vec<Target>,
    /// Shape of each value, for one image.
    pub(super) shapes: Vec<Option<Vec<usize>>>,
    /// What the axes of each value mean.
    pub(super) axes: Vec<Axes>,
    pub(super) apart: Apart,
    /// What each channel of an image is multiplied with before the first layer.
    pub(super) factors: Option<Vec<f32>>,
}

impl Network {
    pub(super) fn new(layers: Vec<LayerModule>, program: Program) -> Self {
        Self { layers, program }
    }

    /// The network for images that each channel of is to be multiplied with a factor first; `None`: images as they are.
    #[must_use]
    pub fn with_factors(mut self, factors: Option<Vec<f32>>) -> Self {
        self.program.factors = factors;
        self
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
        let value = self.program.targets.get(target).map(|target| target.value);
        value
            .and_then(|value| self.program.shapes[value].as_deref())
            .unwrap_or_default()
    }

    /// What the axes of a target's value mean.
    pub fn axes(&self, target: usize) -> Axes {
        let value = self.program.targets.get(target).map(|target| target.value);
        value.map_or(super::axes::CAFFE, |value| self.program.axes[value])
    }

    /// A target's shape for one image as its units are counted: batch, channels, rows and columns (or other places).
    pub fn unit_shape(&self, target: usize) -> Vec<usize> {
        self.axes(target).channels_first(self.shape(target))
    }

    /// Entries of the largest of them.
    pub fn largest_blob(&self) -> usize {
        let entries = |shape: &Vec<usize>| shape.iter().product::<usize>();
        self.program.shapes.iter().flatten().map(entries).max().unwrap_or(0)
    }

    /// The layers, what they read and write, and the entries of each value for one image.
    pub(super) fn course(&self) -> (&[LayerModule], &[Step], Vec<usize>) {
        let entries = |shape: &Option<Vec<usize>>| shape.as_ref().map_or(0, |shape| shape.iter().product());
        let entries = self.program.shapes.iter().map(entries).collect();
        (&self.layers, &self.program.steps, entries)
    }

    /// Whether several images can be run together, each giving what it gives alone (unlike with a softmax along axis 0), and
    /// a target's entries for each image follow those of the one before. If not, [`Network::forward`] must be given one image
    /// at a time.
    ///
    /// Of a network that came as ONNX the first call runs two images, since only its file says so.
    pub fn keeps_images_apart(&self) -> bool {
        self.program.apart.of(self)
    }

    /// How many layers are computed: those the targets need, less those folded into others.
    pub fn computed_layers(&self) -> usize {
        self.layers.len()
    }

    /// The same network, whose ReLUs that would let no gradient of an image through let it through where it pushes their input
    /// up; what it computes on the way forward is the same.
    #[must_use]
    pub fn with_redirected_relus(&self) -> Self {
        let mut network = self.clone();
        network.layers.iter_mut().for_each(Forward::redirect_relus);
        network
    }

    /// As [`Network::forward`], with the channels of every target in axis 1: as its units are counted.
    pub fn units(&self, images: Tensor<4>) -> Vec<Activation> {
        let seen = self.forward(images).into_iter().enumerate();
        seen.map(|(target, seen)| seen.with_channels_first(self.axes(target)))
            .collect()
    }

    /// Runs a batch of images of shape `[batch, channels, rows, columns]` up to all targets.
    pub fn forward(&self, images: Tensor<4>) -> Vec<Activation> {
        in_pool(&images.device(), || self.run(images))
    }

    fn run(&self, images: Tensor<4>) -> Vec<Activation> {
        let program = &self.program;
        let mut last_read = vec![usize::MAX; program.shapes.len()];
        for (index, step) in program.steps.iter().enumerate() {
            for value in &step.reads {
                last_read[*value] = index;
            }
        }
        for target in &program.targets {
            last_read[target.value] = usize::MAX;
            last_read[target.pushed] = usize::MAX;
        }
        let mut blobs: Vec<Option<Blob>> = vec![None; program.shapes.len()];
        let images = match &program.factors {
            Some(factors) => {
                let factors = Tensor::<1>::from_floats(factors.as_slice(), &images.device());
                let channels = factors.dims()[0];
                images * factors.reshape([1, channels, 1, 1])
            }
            None => images,
        };
        blobs[program.input] = Some(Blob::from_image(images));
        for (index, (step, layer)) in program.steps.iter().zip(&self.layers).enumerate() {
            let bottoms: Vec<Blob> = step
                .reads
                .iter()
                .filter_map(|value| {
                    // A blob is dropped after its last reader, so that its memory can be used again.
                    if last_read[*value] == index && step.reads.iter().filter(|v| *v == value).count() == 1 {
                        blobs[*value].take()
                    } else {
                        blobs[*value].clone()
                    }
                })
                .collect();
            let tops = layer.forward(&bottoms);
            for (value, top) in step.writes.iter().zip(tops) {
                blobs[*value] = Some(top);
            }
        }
        program
            .targets
            .iter()
            .filter_map(|target| {
                Some(Activation {
                    value: blobs[target.value].clone()?,
                    pushed: blobs[target.pushed].clone()?,
                })
            })
            .collect()
    }
}
