//! The demo network as it is trained: five convolutions and two fully connected layers.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::MaxPool2dConfig;
use burn::nn::{Initializer, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::module::{conv2d, linear};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, activation};

use crate::pictures::SIZE;

/// A convolution: its name in the prototxt, channels, kernel size, stride, and whether 2 x 2 pooling follows.
struct Shape {
    name: &'static str,
    channels: usize,
    kernel: usize,
    stride: usize,
    pooled: bool,
}

const CONVOLUTIONS: [Shape; 5] = [
    Shape {
        name: "conv1",
        channels: 24,
        kernel: 5,
        stride: 2,
        pooled: false,
    },
    Shape {
        name: "conv2",
        channels: 32,
        kernel: 3,
        stride: 1,
        pooled: true,
    },
    Shape {
        name: "conv3",
        channels: 64,
        kernel: 3,
        stride: 1,
        pooled: true,
    },
    Shape {
        name: "conv4",
        channels: 96,
        kernel: 3,
        stride: 1,
        pooled: false,
    },
    Shape {
        name: "conv5",
        channels: 96,
        kernel: 3,
        stride: 1,
        pooled: true,
    },
];
/// Units of the first fully connected layer.
const HIDDEN: usize = 128;

/// The network; layers are named in [`Demo::layers`].
#[derive(Module, Debug)]
pub struct Demo {
    convolutions: Vec<Conv2d>,
    connected: Vec<Linear>,
}

/// The weights of one layer, as Caffe has them.
pub struct LayerWeights {
    /// Of the prototxt.
    pub name: &'static str,
    /// Weights, then biases.
    pub blobs: [(Vec<usize>, Vec<f32>); 2],
}

impl Demo {
    /// Random weights.
    pub fn new(classes: usize, device: &Device) -> Self {
        let initializer = Initializer::KaimingNormal {
            gain: std::f64::consts::SQRT_2,
            fan_out_only: false,
        };
        let mut channels = 3;
        let mut side = SIZE;
        let convolutions = CONVOLUTIONS
            .iter()
            .map(|shape| {
                let pad = shape.kernel / 2;
                let config = Conv2dConfig::new([channels, shape.channels], [shape.kernel; 2])
                    .with_stride([shape.stride; 2])
                    .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
                    .with_initializer(initializer.clone());
                channels = shape.channels;
                side /= shape.stride * if shape.pooled { 2 } else { 1 };
                config.init(device)
            })
            .collect();
        let connected = [(channels * side * side, HIDDEN), (HIDDEN, classes)]
            .map(|(inputs, outputs)| {
                LinearConfig::new(inputs, outputs)
                    .with_initializer(initializer.clone())
                    .init(device)
            })
            .into();
        Self {
            convolutions,
            connected,
        }
    }

    /// Scores, `[batch, classes]`, of images `[batch, 3, SIZE, SIZE]`. With `frozen` weights no gradient goes to them.
    pub fn forward(&self, images: Tensor<4>, frozen: bool) -> Tensor<2> {
        let mut x = images;
        for (shape, layer) in CONVOLUTIONS.iter().zip(&self.convolutions) {
            let options = ConvOptions::new([shape.stride; 2], [shape.kernel / 2; 2], [1, 1], 1);
            let bias = layer.bias.as_ref().map(|bias| held(bias.val(), frozen));
            x = activation::relu(conv2d(x, held(layer.weight.val(), frozen), bias, options));
            if shape.pooled {
                x = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init().forward(x);
            }
        }
        let mut x: Tensor<2> = x.flatten(1, 3);
        for (place, layer) in self.connected.iter().enumerate() {
            let bias = layer.bias.as_ref().map(|bias| held(bias.val(), frozen));
            x = linear(x, held(layer.weight.val(), frozen), bias);
            if place + 1 < self.connected.len() {
                x = activation::relu(x);
            }
        }
        x
    }

    /// All weights, in the prototxt's order and Caffe's layout (fully connected layers as outputs x inputs).
    pub fn layers(&self) -> Vec<LayerWeights> {
        let mut layers = Vec::new();
        for (shape, layer) in CONVOLUTIONS.iter().zip(&self.convolutions) {
            let bias = layer.bias.as_ref().map(|bias| numbers(bias.val())).unwrap_or_default();
            layers.push(LayerWeights {
                name: shape.name,
                blobs: [numbers(layer.weight.val()), bias],
            });
        }
        for (name, layer) in ["fc6", "fc7"].into_iter().zip(&self.connected) {
            let bias = layer.bias.as_ref().map(|bias| numbers(bias.val())).unwrap_or_default();
            layers.push(LayerWeights {
                name,
                blobs: [numbers(layer.weight.val().transpose()), bias],
            });
        }
        layers
    }
}

fn held<const D: usize>(weights: Tensor<D>, frozen: bool) -> Tensor<D> {
    if frozen { weights.inner().autodiff() } else { weights }
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> (Vec<usize>, Vec<f32>) {
    let shape = tensor.dims().to_vec();
    (shape, tensor.into_data().try_into_vec().expect("weights are float32"))
}
