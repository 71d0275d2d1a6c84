//! Products of matrices that both depend on the image, and linear maps along an axis.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::stretch::{aligned, fits, padded, stretched};
use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::host::inner_product::InnerProduct;
use crate::network::host::{self, product};
use crate::network::layers::Forward;

/// ONNX's `MatMul`: the product of the matrices in the last two axes, those before stretched to each other.
#[derive(Module, Debug)]
pub struct MatMul {
    /// Multiply-adds for one image.
    #[module(skip)]
    multiply_adds: u64,
}

impl MatMul {
    pub(in crate::network) fn build(build: &LayerBuild<'_>) -> BuildResult {
        let (a, b) = (build.bottoms[0], build.bottoms[1]);
        let wrong = || build.error(format!("shapes {a:?} and {b:?} do not fit"));
        let ([left @ .., rows, inner], [right @ .., k, columns]) = (a, b) else {
            return Err(wrong());
        };
        if inner != k || !fits(&[left, right]) {
            return Err(wrong());
        }
        let mut top = stretched(&[left, right]);
        top.extend([*rows, *columns]);
        let multiply_adds = top.iter().map(|extent| *extent as u64).product::<u64>() * *inner as u64;
        build.one(Self { multiply_adds }, top)
    }
}

impl Forward for MatMul {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let (a, b) = (bottoms[0].shape(), bottoms[1].shape());
        let ([left @ .., rows, inner], [right @ .., _, columns]) = (a, b) else {
            return Vec::new();
        };
        let mut shape = stretched(&[left, right]);
        let batch: usize = shape.iter().product();
        let whole = |blob: &Blob, last: [usize; 2]| -> Tensor<3> {
            let mut target = shape.clone();
            target.extend(last);
            let dims = [batch, last[0], last[1]];
            if blob.shape() == target {
                return blob.view(dims);
            }
            aligned(blob, &target).expand(padded(&target)).reshape(dims)
        };
        let (rows, inner, columns) = (*rows, *inner, *columns);
        let (left, right) = (whole(&bottoms[0], [rows, inner]), whole(&bottoms[1], [inner, columns]));
        let y: Tensor<3> = if host::is_host(&left.device()) && rows.min(inner).min(columns) > 1 {
            host::apply_two(left, right, product::Products { rows, inner, columns })
        } else {
            left.matmul(right)
        };
        shape.extend([rows, columns]);
        vec![Blob::new(y, shape)]
    }

    fn kept(&self, bottoms: u64, _tops: u64) -> u64 {
        4 * bottoms
    }

    fn keeps_images_apart(&self) -> bool {
        true // Where it would not, the front end says so: `Graph::alone`.
    }

    fn multiply_adds(&self) -> u64 {
        self.multiply_adds
    }
}

/// A linear map along one axis: ONNX's `Resize` and `CumSum` are such.
#[derive(Module, Debug)]
pub struct AlongAxis {
    /// `[outputs, inputs]`.
    weight: Param<Tensor<2>>,
    #[module(skip)]
    axis: usize,
    /// What it computes where the axis is the last: its sums do not depend on how many rows there are.
    #[module(skip)]
    product: InnerProduct,
    /// Whether it is.
    #[module(skip)]
    is_last: bool,
}

impl AlongAxis {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, axis: usize, outputs: usize, weight: &str) -> BuildResult {
        let mut top = build.bottom().to_vec();
        let Some(extent) = top.get_mut(axis) else {
            return Err(build.error(format!("axis {axis} of a value of shape {:?}", build.bottom())));
        };
        let weight = build.parameter(weight, "matrix", [outputs, *extent])?;
        let rows = build.bottom()[..axis].iter().product();
        let product = InnerProduct::new(outputs, *extent, rows);
        *extent = outputs;
        // An axis behind it, of one entry for one image, may be that of the images.
        let is_last = axis + 1 == build.bottom().len();
        let weight = if is_last {
            build.arranged(weight, &product)
        } else {
            weight
        };
        let layer = Self {
            weight,
            axis,
            product,
            is_last,
        };
        build.one(layer, top)
    }
}

impl Forward for AlongAxis {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let x = bottoms[0].around(self.axis);
        let weight = self.weight.val();
        let [outputs, inputs] = weight.dims();
        let outer = x.dims()[0];
        let y: Tensor<3> = if self.is_last {
            let rows: Tensor<2> = x.reshape([outer, inputs]);
            let y = if host::is_host(&rows.device()) {
                host::apply_with(rows, weight, None, self.product.clone())
            } else {
                rows.matmul(weight.transpose())
            };
            y.reshape([outer, outputs, 1])
        } else {
            weight
                .reshape([1, outputs, inputs])
                .expand([outer, outputs, inputs])
                .matmul(x)
        };
        let mut shape = bottoms[0].shape().to_vec();
        shape[self.axis] = outputs;
        vec![Blob::new(y, shape)]
    }

    fn kept(&self, _bottoms: u64, _tops: u64) -> u64 {
        0
    }

    fn transformed_weights(&self) -> usize {
        if self.is_last { self.product.turned_entries() } else { 0 }
    }

    fn keeps_images_apart(&self) -> bool {
        true // Where it would not, the front end says so: `Graph::alone`.
    }
}
