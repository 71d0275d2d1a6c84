//! Shapes stretched to each other by NumPy's rule.

use burn::tensor::Tensor;

use crate::network::blob::Blob;

/// Most axes of a value.
pub(super) const AXES: usize = 6;

/// A shape with ones in front, up to the most axes.
pub(super) fn padded(shape: &[usize]) -> [usize; AXES] {
    let mut dims = [1; AXES];
    let missing = AXES.saturating_sub(shape.len());
    for (dim, extent) in dims[missing..].iter_mut().zip(shape) {
        *dim = *extent;
    }
    dims
}

/// The shape that all are stretched to: the largest extent along each axis, counted from the end.
pub(super) fn stretched(shapes: &[&[usize]]) -> Vec<usize> {
    let rank = shapes.iter().map(|shape| shape.len()).max().unwrap_or(0);
    let mut target = vec![1; rank];
    for shape in shapes {
        let missing = rank - shape.len();
        for (extent, own) in target[missing..].iter_mut().zip(*shape) {
            *extent = (*extent).max(*own);
        }
    }
    target
}

/// Whether shapes fit each other, for one image.
pub(super) fn fits(shapes: &[&[usize]]) -> bool {
    let target = stretched(shapes);
    shapes.iter().all(|shape| {
        let missing = target.len() - shape.len();
        shape
            .iter()
            .zip(&target[missing..])
            .all(|(own, extent)| *own == 1 || own == extent)
    })
}

/// A blob's entries, ready to be combined with others of the shape `target`: its extents are those of `target`, or 1. A
/// constant that is as long as one image's part of an axis is repeated for every image.
pub(super) fn aligned(blob: &Blob, target: &[usize]) -> Tensor<AXES> {
    let own = padded(blob.shape());
    let target = padded(target);
    let mut tensor: Tensor<AXES> = blob.view(own);
    for axis in 0..AXES {
        if own[axis] != 1 && own[axis] != target[axis] {
            tensor = Tensor::cat(vec![tensor; target[axis] / own[axis]], axis);
        }
    }
    tensor
}
