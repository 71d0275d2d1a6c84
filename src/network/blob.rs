//! A blob: a tensor of any number of axes.

use burn::tensor::Tensor;

/// A tensor with Caffe's shape. Burn's tensors have their rank in their type; blobs get theirs from the prototxt, so they
/// are kept with four axes, shorter shapes filled up with ones, the last axes of longer ones taken together.
#[derive(Debug, Clone)]
pub struct Blob {
    tensor: Tensor<4>,
    shape: Vec<usize>,
}

fn four_axes(shape: &[usize]) -> [usize; 4] {
    let mut four = [1; 4];
    for (axis, extent) in shape.iter().enumerate() {
        four[axis.min(3)] *= extent;
    }
    four
}

impl Blob {
    /// The blob of `shape` with a tensor's entries, in row-major order.
    pub fn new<const D: usize>(tensor: Tensor<D>, shape: Vec<usize>) -> Self {
        let four = four_axes(&shape);
        Self {
            tensor: tensor.reshape(four),
            shape,
        }
    }

    /// An image, or a batch of them.
    pub fn from_image(tensor: Tensor<4>) -> Self {
        let shape = tensor.dims().to_vec();
        Self { tensor, shape }
    }

    /// The shape, with the batch axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The extent of an axis; 1 beyond the last.
    pub fn extent(&self, axis: usize) -> usize {
        self.shape.get(axis).copied().unwrap_or(1)
    }

    /// The same entries with other axes.
    pub fn view<const D: usize>(&self, dims: [usize; D]) -> Tensor<D> {
        self.tensor.clone().reshape(dims)
    }

    /// The entries as `[before axis, axis, after axis]`.
    pub fn around(&self, axis: usize) -> Tensor<3> {
        self.view([
            self.shape[..axis].iter().product(),
            self.extent(axis),
            self.shape[(axis + 1).min(self.shape.len())..].iter().product(),
        ])
    }

    /// The tensor, with four axes.
    pub fn tensor(&self) -> Tensor<4> {
        self.tensor.clone()
    }

    /// A function of each entry, or any that keeps four axes and shape.
    pub fn map(&self, function: impl FnOnce(Tensor<4>) -> Tensor<4>) -> Self {
        Self {
            tensor: function(self.tensor.clone()),
            shape: self.shape.clone(),
        }
    }

    /// The same blob under another shape of as many entries.
    pub fn reshaped(&self, shape: Vec<usize>) -> Self {
        Self::new(self.tensor.clone(), shape)
    }
}
