//! Layers of Caffe's forks that put entries in another order: `ShuffleChannel`, `Reorg`.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::layers::Forward;

/// Entries in another order: an image seen with five axes, these in another order, and seen as an image again.
#[derive(Module, Debug)]
pub struct Rearrange {
    #[module(skip)]
    axes: [usize; 5],
    #[module(skip)]
    order: [usize; 5],
    #[module(skip)]
    top: [usize; 3],
}

impl Rearrange {
    /// `ShuffleChannel` (Zhang et al. 2017): channel i of group j becomes channel j of group i.
    pub(in crate::network) fn shuffle(build: &LayerBuild<'_>, groups: usize) -> BuildResult {
        let [batch, channels, rows, columns] = build.image()?;
        if !channels.is_multiple_of(groups) {
            return Err(build.error(format!("{channels} channels are no {groups} groups")));
        }
        let layer = Self {
            axes: [groups, channels / groups, rows, columns, 1],
            order: [1, 0, 2, 3, 4],
            top: [channels, rows, columns],
        };
        build.one(layer, vec![batch, channels, rows, columns])
    }

    /// `Reorg`: what darknet's `reorg_cpu` does with an image of its own layout. Forward, the image is seen as
    /// `[channels / s^2, rows / s, s, columns / s, s]`, and both s become the first axes of the channels; reverse, the other way.
    pub(in crate::network) fn reorg(build: &LayerBuild<'_>, stride: usize, reverse: bool) -> BuildResult {
        let [batch, channels, rows, columns] = build.image()?;
        let area = stride.saturating_mul(stride);
        let fits = channels.is_multiple_of(area)
            && (reverse || (rows.is_multiple_of(stride) && columns.is_multiple_of(stride)));
        if !fits {
            return Err(build.error(format!(
                "{channels} x {rows} x {columns} entries do not divide by its stride {stride}"
            )));
        }
        let inner = channels / area;
        let layer = if reverse {
            Self {
                axes: [stride, stride, inner, rows, columns],
                order: [2, 3, 0, 4, 1],
                top: [inner, rows * stride, columns * stride],
            }
        } else {
            // Seen so, the image has the rows of an image of fewer channels.
            Self {
                axes: [inner, rows, stride, columns, stride],
                order: [2, 4, 0, 1, 3],
                top: [channels * area, rows / stride, columns / stride],
            }
        };
        build.one(layer.clone(), [&[batch][..], &layer.top[..]].concat())
    }
}

impl Forward for Rearrange {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let batch = bottoms[0].extent(0);
        let [a, b, c, d, e] = self.axes;
        let x: Tensor<6> = bottoms[0].view([batch, a, b, c, d, e]);
        let [a, b, c, d, e] = self.order.map(|axis| axis + 1);
        let y = x.permute([0, a, b, c, d, e]);
        let [channels, rows, columns] = self.top;
        vec![Blob::new(y, vec![batch, channels, rows, columns])]
    }

    fn kept(&self, _bottoms: u64, _tops: u64) -> u64 {
        0
    }

    fn keeps_images_apart(&self) -> bool {
        true
    }
}
