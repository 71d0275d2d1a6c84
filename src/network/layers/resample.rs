//! Layers of Caffe's forks that make images larger: `Interp`, `Upsample`, `Unpooling`.

use burn::module::{Module, Param};
use burn::tensor::{IndexingUpdateOp, Int, Tensor};
use deepvis_importer::graph::{InterpSize, UnpoolSize};

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::layers::Forward;

/// `Interp` of DeepLab's fork: bilinear resizing with the corners kept: row i of the result lies at
/// i (rows - 1) / (result's rows - 1) of the image.
#[derive(Module, Debug)]
pub struct Interp {
    /// `[rows, result's rows]`.
    rows: Param<Tensor<2>>,
    /// `[columns, result's columns]`.
    columns: Param<Tensor<2>>,
    #[module(skip)]
    size: [usize; 2],
}

/// The matrix, `[input, output]`, that resizes an axis, of which `cut` entries at its ends are not used.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "extents of images, in Caffe's own float32"
)]
fn weights(input: usize, [first, last]: [usize; 2], output: usize) -> Vec<f32> {
    let inner = input - first - last;
    let step = if output > 1 {
        (inner - 1) as f32 / (output - 1) as f32
    } else {
        0.0
    };
    let mut weights = vec![0.0; input * output];
    for to in 0..output {
        let place = step * to as f32;
        let near = (place as usize).min(inner - 1);
        let far = (near + 1).min(inner - 1);
        let part = place - near as f32;
        weights[(first + near) * output + to] += 1.0 - part;
        weights[(first + far) * output + to] += part;
    }
    weights
}

impl Interp {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, size: InterpSize, cut: [usize; 2]) -> BuildResult {
        let [batch, channels, rows, columns] = build.image()?;
        if cut[0] + cut[1] >= rows || cut[0] + cut[1] >= columns {
            return Err(build.error(format!("{cut:?} pixels cannot be cut off {rows} x {columns}")));
        }
        let inner = [rows, columns].map(|extent| extent - cut[0] - cut[1]);
        let size = match (size, build.bottoms.get(1)) {
            (InterpSize::Fixed(size), _) => size,
            (InterpSize::Factors { shrink, zoom }, _) => inner.map(|extent| {
                let shrunk = (extent - 1) / shrink + 1;
                (shrunk - 1).saturating_mul(zoom - 1).saturating_add(shrunk)
            }),
            (InterpSize::OfSecond, Some([_, _, rows, columns])) => [*rows, *columns],
            (InterpSize::OfSecond, _) => return Err(build.error("its second bottom has not the 4 axes of an image")),
        };
        let top = vec![batch, channels, size[0], size[1]];
        build.check_size(&top)?;
        build.check_size(&[rows.max(columns), size[0].max(size[1])])?;
        let layer = Self {
            rows: build.constant(weights(rows, cut, size[0]), [rows, size[0]]),
            columns: build.constant(weights(columns, cut, size[1]), [columns, size[1]]),
            size,
        };
        build.one(layer, top)
    }
}

impl Forward for Interp {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let x = bottoms[0].tensor();
        let [batch, channels, rows, columns] = x.dims();
        let [to_rows, to_columns] = self.size;
        let planes = batch * channels;
        let y = x.reshape([planes * rows, columns]).matmul(self.columns.val());
        let y = y.reshape([planes, rows, to_columns]).swap_dims(1, 2);
        let y = y.reshape([planes * to_columns, rows]).matmul(self.rows.val());
        let y = y.reshape([planes, to_columns, to_rows]).swap_dims(1, 2);
        vec![Blob::new(y, vec![batch, channels, to_rows, to_columns])]
    }

    fn kept(&self, _bottoms: u64, _tops: u64) -> u64 {
        0
    }

    fn keeps_images_apart(&self) -> bool {
        true
    }
}

/// `Upsample` of the ports of YOLO v3: every pixel repeated.
#[derive(Module, Debug)]
pub struct Upsample {
    #[module(skip)]
    scale: [usize; 2],
}

impl Upsample {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, scale: [usize; 2]) -> BuildResult {
        let [batch, channels, rows, columns] = build.image()?;
        let top = [rows.saturating_mul(scale[0]), columns.saturating_mul(scale[1])];
        build.one(Self { scale }, vec![batch, channels, top[0], top[1]])
    }
}

impl Forward for Upsample {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let x = bottoms[0].tensor();
        let [batch, channels, rows, columns] = x.dims();
        let [down, across] = self.scale;
        let lines = batch * channels * rows;
        let y = x.reshape([lines, 1, columns, 1]).expand([lines, down, columns, across]);
        vec![Blob::new(y, vec![batch, channels, rows * down, columns * across])]
    }

    fn kept(&self, _bottoms: u64, _tops: u64) -> u64 {
        0
    }

    fn keeps_images_apart(&self) -> bool {
        true
    }
}

/// Unpooling: each entry of the first bottom where the second, the mask of a pooling layer, says that it was found, zeros
/// elsewhere. Places outside the result are left out; where windows overlap and two entries have one place they are added up,
/// which Caffe's forks leave undefined.
#[derive(Module, Debug)]
pub struct Unpool {
    #[module(skip)]
    size: [usize; 2],
}

impl Unpool {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, size: UnpoolSize) -> BuildResult {
        let [batch, channels, rows, columns] = build.image()?;
        if build.bottom() != build.bottoms[1] {
            return Err(build.error(format!(
                "its mask has shape {:?}, and its first bottom {:?}",
                build.bottoms[1],
                build.bottom()
            )));
        }
        let input = [rows, columns];
        let size = [0, 1].map(|axis| match size {
            UnpoolSize::Fixed(size) => size[axis],
            UnpoolSize::Scaled { scale, less } => input[axis].saturating_mul(scale[axis]).saturating_sub(less[axis]),
            UnpoolSize::Windows { kernel, stride, pad } => {
                let whole = ((input[axis] - 1).saturating_mul(stride[axis]) + kernel[axis]).saturating_sub(2 * pad);
                whole.max((input[axis].saturating_mul(stride[axis]) + 1).saturating_sub(pad))
            }
        });
        build.one(Self { size }, vec![batch, channels, size[0], size[1]])
    }
}

impl Forward for Unpool {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let x = bottoms[0].tensor();
        let [batch, channels, rows, columns] = x.dims();
        let (planes, area) = (batch * channels, self.size[0] * self.size[1]);
        let places: Tensor<2> = bottoms[1].view([planes, rows * columns]);
        #[expect(clippy::cast_precision_loss, reason = "places within an image are exact in float32")]
        let is_inside = places.clone().lower_elem(area as f32).float();
        #[expect(clippy::cast_precision_loss, reason = "places within an image are exact in float32")]
        let places: Tensor<2, Int> = places.clamp(0.0, (area - 1) as f32).int();
        let values = x.reshape([planes, rows * columns]) * is_inside;
        let empty = Tensor::<2>::zeros([planes, area], &values.device());
        let y = empty.scatter(1, places, values, IndexingUpdateOp::Add);
        vec![Blob::new(y, vec![batch, channels, self.size[0], self.size[1]])]
    }

    fn keeps_images_apart(&self) -> bool {
        true
    }
}
