//! Caffe's `Concat` and `Slice`: blobs put together along an axis, and taken apart.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::layers::Forward;

/// Blobs side by side along an axis.
#[derive(Module, Debug)]
pub struct Concat {
    #[module(skip)]
    axis: usize,
}

impl Concat {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, axis: i32) -> BuildResult {
        let axis = build.axis(axis)?;
        let mut top = build.bottom().to_vec();
        top[axis] = 0;
        for bottom in &build.bottoms {
            let fits = bottom.len() == top.len()
                && bottom
                    .iter()
                    .zip(&top)
                    .enumerate()
                    .all(|(i, (b, t))| i == axis || b == t);
            if !fits {
                return Err(build.error(format!(
                    "its bottoms differ in shape beyond axis {axis}: {:?} and {bottom:?}",
                    build.bottom()
                )));
            }
            top[axis] += bottom[axis];
        }
        build.one(Self { axis }, top)
    }
}

impl Forward for Concat {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let shapes: Vec<Vec<usize>> = bottoms.iter().map(|bottom| beside(bottom.shape(), self.axis)).collect();
        let largest = |i: usize| shapes.iter().map(|shape| shape[i]).max().unwrap_or(1);
        let mut shape: Vec<usize> = (0..bottoms[0].shape().len()).map(largest).collect();
        let parts: Vec<Tensor<3>> = bottoms
            .iter()
            .map(|bottom| repeated(bottom, &shape, self.axis).around(self.axis))
            .collect();
        shape[self.axis] = bottoms.iter().map(|bottom| bottom.extent(self.axis)).sum();
        vec![Blob::new(Tensor::cat(parts, 1), shape)]
    }

    fn keeps_images_apart(&self) -> bool {
        self.axis > 0
    }

    fn kept(&self, _bottoms: u64, _tops: u64) -> u64 {
        0
    }
}

/// A shape with an extent of 1 along `axis`.
fn beside(shape: &[usize], axis: usize) -> Vec<usize> {
    let mut shape = shape.to_vec();
    shape[axis] = 1;
    shape
}

/// A constant that stands beside a batch of images, once for each of them.
fn repeated(blob: &Blob, shape: &[usize], beside: usize) -> Blob {
    let mut blob = blob.clone();
    for axis in (0..shape.len()).filter(|axis| *axis != beside) {
        let copies = shape[axis] / blob.extent(axis).max(1);
        if copies > 1 {
            let mut repeated = blob.shape().to_vec();
            repeated[axis] *= copies;
            blob = Blob::new(Tensor::cat(vec![blob.around(axis); copies], 1), repeated);
        }
    }
    blob
}

/// Parts of a blob along an axis.
#[derive(Module, Debug)]
pub struct Slice {
    #[module(skip)]
    axis: usize,
    #[module(skip)]
    extents: Vec<usize>,
}

impl Slice {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, axis: i32, points: &[usize]) -> BuildResult {
        let axis = build.axis(axis)?;
        let whole = build.bottom()[axis];
        let parts = build.layer.outputs.len();
        let extents: Vec<usize> = if points.is_empty() {
            if !whole.is_multiple_of(parts) {
                return Err(build.error(format!(
                    "axis {axis} of {whole} entries does not divide into {parts} parts"
                )));
            }
            vec![whole / parts; parts]
        } else {
            let ends = points.iter().copied().chain([whole]);
            let starts = [0].into_iter().chain(points.iter().copied());
            let extents: Option<Vec<usize>> = starts.zip(ends).map(|(start, end)| end.checked_sub(start)).collect();
            match extents {
                Some(extents) if extents.len() == parts && !extents.contains(&0) => extents,
                _ => {
                    return Err(build.error(format!(
                        "slice points {points:?} of axis {axis} with {whole} entries, for {parts} tops"
                    )));
                }
            }
        };
        let tops = extents
            .iter()
            .map(|extent| {
                let mut top = build.bottom().to_vec();
                top[axis] = *extent;
                top
            })
            .collect();
        build.many(Self { axis, extents }, tops)
    }
}

impl Forward for Slice {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let x = bottoms[0].around(self.axis);
        let mut start = 0;
        self.extents
            .iter()
            .map(|extent| {
                let part = x.clone().narrow(1, start, *extent);
                start += extent;
                let mut shape = bottoms[0].shape().to_vec();
                shape[self.axis] = *extent;
                Blob::new(part, shape)
            })
            .collect()
    }

    fn keeps_images_apart(&self) -> bool {
        self.axis > 0
    }

    fn kept(&self, _bottoms: u64, _tops: u64) -> u64 {
        0
    }
}
