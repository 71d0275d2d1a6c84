//! Layers that move entries and compute nothing: Caffe's `Flatten`, `Reshape`, `Crop`, `Tile`, and the SSD fork's
//! `Permute`.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::error::Result;
use crate::network::host;
use crate::network::layers::Forward;

/// `Flatten` and `Reshape`: the same entries under another shape. The batch axis is kept where the shape keeps it.
#[derive(Module, Debug)]
pub struct Reshape {
    /// For one image.
    #[module(skip)]
    top: Vec<usize>,
    /// Batch size that `top` was computed for.
    #[module(skip)]
    batch: usize,
}

impl Reshape {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, dims: &[i64], axis: i32, num_axes: i32) -> BuildResult {
        Self::to(build, reshaped(build, dims, axis, num_axes)?)
    }

    pub(in crate::network) fn flatten(build: &LayerBuild<'_>, axis: i32, end_axis: i32) -> BuildResult {
        Self::to(build, flattened(build, axis, end_axis)?)
    }

    fn to(build: &LayerBuild<'_>, top: Vec<usize>) -> BuildResult {
        let layer = Self {
            top: top.clone(),
            batch: build.bottom().first().copied().unwrap_or(1),
        };
        build.one(layer, top)
    }
}

fn flattened(build: &LayerBuild<'_>, axis: i32, end_axis: i32) -> Result<Vec<usize>> {
    let bottom = build.bottom();
    let (first, last) = (build.axis(axis)?, build.axis(end_axis)?);
    if first > last {
        return Err(build.error(format!("it flattens from axis {first} to the earlier axis {last}")));
    }
    let mut top = bottom[..first].to_vec();
    top.push(bottom[first..=last].iter().product());
    top.extend_from_slice(&bottom[last + 1..]);
    Ok(top)
}

fn reshaped(build: &LayerBuild<'_>, dims: &[i64], axis: i32, num_axes: i32) -> Result<Vec<usize>> {
    let bottom = build.bottom();
    let rank = bottom.len();
    // One past the last axis is a legal place to insert axes at, so -1 means that here.
    let first = build.axis_of(axis, rank + 1)?;
    let last = match usize::try_from(num_axes) {
        Ok(count) if first + count <= rank => first + count,
        Ok(_) => {
            return Err(build.error(format!(
                "it replaces {num_axes} axes from {first} of a blob with {rank}"
            )));
        }
        Err(_) => rank,
    };
    let mut top = bottom[..first].to_vec();
    let mut inferred = None;
    for (i, dim) in dims.iter().enumerate() {
        top.push(match dim {
            0 => *bottom
                .get(first + i)
                .ok_or_else(|| build.error(format!("it copies axis {} of a blob with {rank}", first + i)))?,
            -1 if inferred.is_none() => {
                inferred = Some(top.len());
                1
            }
            dim => usize::try_from(*dim).map_err(|_| build.error(format!("a dimension of {dim}")))?,
        });
    }
    top.extend_from_slice(&bottom[last..]);
    let whole: usize = bottom.iter().product();
    let known: usize = top
        .iter()
        .try_fold(1usize, |product, dim| product.checked_mul(*dim))
        .unwrap_or(usize::MAX);
    match inferred {
        Some(place) if known > 0 && whole.is_multiple_of(known) => top[place] = whole / known,
        None if known == whole => {}
        _ => {
            return Err(build.error(format!(
                "{bottom:?} cannot become {dims:?}: the numbers of entries differ"
            )));
        }
    }
    Ok(top)
}

impl Forward for Reshape {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let batch = bottoms[0].extent(0);
        let mut top = self.top.clone();
        if batch != self.batch
            && let Some(first) = top.first_mut()
        {
            *first = *first / self.batch * batch;
        }
        vec![bottoms[0].reshaped(top)]
    }

    fn keeps_images_apart(&self) -> bool {
        // Each image keeps its entries, in order, so that a batch is reshaped image by image.
        self.batch == 1 && self.top.first() == Some(&1)
    }

    fn kept(&self, _bottoms: u64, _tops: u64) -> u64 {
        0
    }
}

/// `Crop`: the first bottom cut to the size of the second, from an offset on.
#[derive(Module, Debug)]
pub struct Crop {
    #[module(skip)]
    axis: usize,
    #[module(skip)]
    offsets: Vec<usize>,
}

impl Crop {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, axis: i32, offset: &[usize]) -> BuildResult {
        let axis = build.axis(axis)?;
        let (from, to) = (build.bottom(), build.bottoms[1]);
        let cut = from.len() - axis;
        if from.len() != to.len() || !(offset.len() <= 1 || offset.len() == cut) {
            return Err(build.error(format!(
                "{} offsets to cut {from:?} to {to:?} from axis {axis} on",
                offset.len()
            )));
        }
        let offsets: Vec<usize> = (0..cut)
            .map(|i| offset.get(i).or(offset.first()).copied().unwrap_or(0))
            .collect();
        let mut top = from.to_vec();
        for (i, offset) in offsets.iter().enumerate() {
            if to[axis + i] + offset > from[axis + i] {
                return Err(build.error(format!("{from:?} is too small to be cut to {to:?} at offset {offset}")));
            }
            top[axis + i] = to[axis + i];
        }
        build.one(Self { axis, offsets }, top)
    }
}

impl Forward for Crop {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let mut blob = bottoms[0].clone();
        for (i, offset) in self.offsets.iter().enumerate() {
            let axis = self.axis + i;
            let extent = bottoms[1].extent(axis);
            let mut shape = blob.shape().to_vec();
            shape[axis] = extent;
            blob = Blob::new(blob.around(axis).narrow(1, *offset, extent), shape);
        }
        vec![blob]
    }

    fn kept(&self, _bottoms: u64, _tops: u64) -> u64 {
        0
    }

    fn keeps_images_apart(&self) -> bool {
        // Both bottoms have as many images, so that axis 0 is never cut.
        true
    }
}

/// `Tile`: copies of a blob along an axis.
#[derive(Module, Debug)]
pub struct Tile {
    #[module(skip)]
    axis: usize,
    #[module(skip)]
    tiles: usize,
}

impl Tile {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, axis: i32, tiles: usize) -> BuildResult {
        let axis = build.axis(axis)?;
        let mut top = build.bottom().to_vec();
        top[axis] = top[axis].saturating_mul(tiles);
        build.one(Self { axis, tiles }, top)
    }
}

impl Forward for Tile {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let mut shape = bottoms[0].shape().to_vec();
        shape[self.axis] *= self.tiles;
        let copies: Vec<Tensor<3>> = vec![bottoms[0].around(self.axis); self.tiles];
        vec![Blob::new(Tensor::cat(copies, 1), shape)]
    }

    fn kept(&self, _bottoms: u64, _tops: u64) -> u64 {
        0
    }

    fn keeps_images_apart(&self) -> bool {
        self.axis > 0
    }
}

/// `Permute`: the axes in another order.
#[derive(Module, Debug)]
pub struct Permute {
    #[module(skip)]
    order: Vec<usize>,
}

impl Permute {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, order: &[usize]) -> BuildResult {
        let rank = build.bottom().len();
        let mut order = order.to_vec();
        order.extend((0..rank).filter(|axis| !order.contains(axis)).collect::<Vec<_>>());
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if rank > 6 || sorted != (0..rank).collect::<Vec<_>>() {
            return Err(build.error(format!("order {order:?} of a blob with {rank} axes")));
        }
        let top = order.iter().map(|axis| build.bottom()[*axis]).collect();
        build.one(Self { order }, top)
    }
}

impl Forward for Permute {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let shape: Vec<usize> = self.order.iter().map(|axis| bottoms[0].extent(*axis)).collect();
        // Axes of a single entry may go anywhere.
        let moved: Vec<usize> = self
            .order
            .iter()
            .copied()
            .filter(|axis| bottoms[0].extent(*axis) > 1)
            .collect();
        if moved.is_sorted() {
            return vec![bottoms[0].reshaped(shape)];
        }
        // Padded with ones in front to six axes, more than any known network has.
        let missing = 6 - self.order.len();
        let mut dims = [1; 6];
        dims[missing..].copy_from_slice(bottoms[0].shape());
        let mut axes = [0, 1, 2, 3, 4, 5];
        for (axis, source) in axes[missing..].iter_mut().zip(&self.order) {
            *axis = missing + source;
        }
        let x: Tensor<6> = bottoms[0].view(dims);
        let y: Tensor<6> = if host::is_host(&x.device()) {
            host::apply(x, host::permute::Permute { order: axes.to_vec() })
        } else {
            x.permute(axes.map(|axis| isize::try_from(axis).unwrap_or(0)))
        };
        vec![Blob::new(y, shape)]
    }

    fn kept(&self, _bottoms: u64, _tops: u64) -> u64 {
        0
    }

    fn keeps_images_apart(&self) -> bool {
        self.order.first() == Some(&0)
    }
}
