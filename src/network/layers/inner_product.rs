//! Caffe's `InnerProduct`: y = W x + b over all axes from `axis` on.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use deepvis_importer::graph::InnerProduct as Settings;

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::host::{self, inner_product};
use crate::network::layers::Forward;

/// A fully connected layer. The weight is kept `outputs x inputs`, also when the file has it transposed, and as the host's function
/// takes it.
#[derive(Module, Debug)]
pub struct InnerProduct {
    weight: Param<Tensor<2>>,
    bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    axis: usize,
    /// What it computes. Rows of one image: 1, unless axes between the images' and `axis` are kept, as that of a transformer's
    /// tokens.
    #[module(skip)]
    product: inner_product::InnerProduct,
}

impl InnerProduct {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, settings: &Settings) -> BuildResult {
        let axis = build.axis(settings.axis)?;
        let bottom = build.bottom();
        let inputs: usize = bottom[axis..].iter().product();
        let outputs = settings.num_output;
        let weight = if settings.transpose {
            let stored: Param<Tensor<2>> = build.parameter(&settings.weight, "weight", [inputs, outputs])?;
            if build.weights.is_none() {
                // For shapes alone no numbers are made.
                stored
            } else {
                // Its numbers are moved once, and not at every pass.
                let turned = Tensor::from_data(stored.val().transpose().into_data(), build.device);
                Param::initialized(stored.id, turned).set_require_grad(false)
            }
        } else {
            build
                .parameter(&settings.weight, "weight", [outputs, inputs])
                .map_err(|error| {
                    if axis == 1 && bottom.len() == 4 {
                        error.and(&format!(
                            "a fully connected layer fixes the size of the image: it gets {bottom:?} here"
                        ))
                    } else {
                        error
                    }
                })?
        };
        let bias = settings
            .bias
            .as_ref()
            .map(|name| build.parameter(name, "bias", [outputs]))
            .transpose()?;
        let mut top = bottom[..axis].to_vec();
        top.push(outputs);
        let product = inner_product::InnerProduct::new(outputs, inputs, bottom[..axis].iter().product());
        let layer = Self {
            weight: build.arranged(weight, &product),
            bias,
            axis,
            product,
        };
        build.one(layer, top)
    }
}

impl Forward for InnerProduct {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let (inputs, outputs) = (self.product.inputs, self.product.outputs);
        let outer: usize = bottoms[0].shape()[..self.axis].iter().product();
        let x = bottoms[0].view([outer, inputs]);
        let bias = self.bias.as_ref().map(Param::val);
        let y: Tensor<2> = if host::is_host(&x.device()) {
            host::apply_with(x, self.weight.val(), bias, self.product.clone())
        } else {
            plain(x, self.weight.val(), bias)
        };
        let mut shape = bottoms[0].shape()[..self.axis].to_vec();
        shape.push(outputs);
        vec![Blob::new(y, shape)]
    }

    fn keeps_images_apart(&self) -> bool {
        self.axis > 0
    }

    fn multiply_adds(&self) -> u64 {
        self.fully_connected_weights() as u64
    }

    fn fully_connected_weights(&self) -> usize {
        self.product.inputs * self.product.outputs
    }

    fn transformed_weights(&self) -> usize {
        self.product.turned_entries()
    }

    fn kept(&self, _bottoms: u64, _tops: u64) -> u64 {
        0
    }
}

/// The product composed of burn's operations.
pub fn plain(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    let y = x.matmul(weight.transpose());
    match bias {
        Some(bias) => y + bias.unsqueeze(),
        None => y,
    }
}
