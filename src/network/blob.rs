//! A blob: a tensor of any number of axes.

use burn::tensor::Tensor;

use super::axes::Axes;

/// A tensor whose rank is known only at run time. Burn's tensors have their rank in their type, so the entries are kept
/// with four axes: shorter shapes padded with ones, the last axes of longer ones merged.
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
            self.shape[..axis.min(self.shape.len())].iter().product(),
            self.extent(axis),
            self.shape[(axis + 1).min(self.shape.len())..].iter().product(),
        ])
    }

    /// Of each of `images` the first entry along axis 0: a layer along it may have made more of one image.
    #[must_use]
    pub fn of_images(&self, images: usize) -> Self {
        match self.shape.split_first() {
            Some((count, rest)) if *count > images => {
                let mut shape = self.shape.clone();
                shape[0] = images;
                let each = [images, count / images.max(1), rest.iter().product()];
                Self::new(self.view(each).narrow(1, 0, 1), shape)
            }
            _ => self.clone(),
        }
    }

    /// The same entries with those along an axis in axis 1, before all others of an image.
    #[must_use]
    pub fn with_channels_first(&self, axes: Axes) -> Self {
        let axis = axes.channel;
        if axis < 2 || axis >= self.shape.len() {
            return self.clone();
        }
        let images = self.shape[0];
        let before = self.shape[1..axis].iter().product();
        let after = self.shape[axis + 1..].iter().product();
        let turned = self
            .view([images, before, self.shape[axis], after])
            .permute([0, 2, 1, 3]);
        Self::new(turned, axes.channels_first(&self.shape))
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
