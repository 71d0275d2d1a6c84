//! Caffe's `ArgMax`: the places of the largest entries, of an image or along an axis. Nothing that it computes has a gradient.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::layers::Forward;

/// The places of the `top_k` largest entries, the largest first. Without an axis the result is `[batch, 1, top_k]`, or, with
/// the values after the places, `[batch, 2, top_k]`; along an axis it has places or, if asked for, values alone.
#[derive(Module, Debug)]
pub struct ArgMax {
    #[module(skip)]
    axis: Option<usize>,
    #[module(skip)]
    top_k: usize,
    #[module(skip)]
    out_max_val: bool,
}

impl ArgMax {
    pub(in crate::network) fn build(
        build: &LayerBuild<'_>,
        axis: Option<i32>,
        top_k: usize,
        out_max_val: bool,
    ) -> BuildResult {
        let axis = axis.map(|axis| build.axis(axis)).transpose()?;
        let bottom = build.bottom();
        let compared = match axis {
            Some(axis) => bottom[axis],
            None => bottom.iter().skip(1).product(),
        };
        if top_k > compared {
            return Err(build.error(format!("top_k is {top_k}, of {compared} entries")));
        }
        let top = match axis {
            Some(axis) => {
                let mut top = bottom.to_vec();
                top[axis] = top_k;
                top
            }
            None => vec![
                bottom.first().copied().unwrap_or(1),
                1 + usize::from(out_max_val),
                top_k,
            ],
        };
        let layer = Self {
            axis,
            top_k,
            out_max_val,
        };
        build.one(layer, top)
    }
}

impl Forward for ArgMax {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let shape = bottoms[0].shape();
        let x: Tensor<3> = match self.axis {
            Some(axis) => bottoms[0].around(axis),
            None => bottoms[0].view([shape[0], shape[1..].iter().product(), 1]),
        };
        // A gradient of 0 leads back, so that whoever asks for one gets it.
        let nothing = x.clone().narrow(1, 0, self.top_k).mul_scalar(0.0);
        let (values, places) = x.detach().sort_descending_with_indices(1);
        let values = values.narrow(1, 0, self.top_k) + nothing.clone();
        let places = places.narrow(1, 0, self.top_k).float() + nothing;
        match self.axis {
            Some(axis) => {
                let mut top = shape.to_vec();
                top[axis] = self.top_k;
                vec![Blob::new(if self.out_max_val { values } else { places }, top)]
            }
            None if self.out_max_val => {
                vec![Blob::new(
                    Tensor::cat(vec![places, values], 1),
                    vec![shape[0], 2, self.top_k],
                )]
            }
            None => vec![Blob::new(places, vec![shape[0], 1, self.top_k])],
        }
    }

    fn keeps_images_apart(&self) -> bool {
        self.axis != Some(0)
    }
}
