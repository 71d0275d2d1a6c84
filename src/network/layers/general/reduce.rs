//! ONNX's reductions.

use burn::module::Module;
use burn::tensor::Tensor;
use deepvis_importer::graph::{Reduce as Settings, Reducer};

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::host::{self, row_sums};
use crate::network::layers::Forward;
use crate::network::sums::{mean_along, sum_along};

/// A reduction of some axes, which stay with an extent of 1.
#[derive(Module, Debug)]
pub struct Reduce {
    #[module(skip)]
    reducer: Reducer,
    /// Neighbouring axes together: the first, and how many.
    #[module(skip)]
    runs: Vec<[usize; 2]>,
}

impl Reduce {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, settings: &Settings) -> BuildResult {
        let mut top = build.bottom().to_vec();
        let mut runs: Vec<[usize; 2]> = Vec::new();
        for axis in &settings.axes {
            let Some(extent) = top.get_mut(*axis) else {
                return Err(build.error(format!("axis {axis} of a value of shape {:?}", build.bottom())));
            };
            *extent = 1;
            match runs.last_mut() {
                Some([first, count]) if *first + *count == *axis => *count += 1,
                _ => runs.push([*axis, 1]),
            }
        }
        let layer = Self {
            reducer: settings.reducer,
            runs,
        };
        build.one(layer, top)
    }

    /// One run of axes after the other.
    fn along(&self, x: &Blob, function: impl Fn(Tensor<3>) -> Tensor<3>) -> Blob {
        let mut x = x.clone();
        for [first, count] in &self.runs {
            let mut shape = x.shape().to_vec();
            let product = |part: &[usize]| part.iter().product::<usize>();
            let dims = [
                product(&shape[..*first]),
                product(&shape[*first..first + count]),
                product(&shape[first + count..]),
            ];
            shape[*first..first + count].fill(1);
            x = Blob::new(function(x.view(dims)), shape);
        }
        x
    }
}

impl Forward for Reduce {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let x = &bottoms[0];
        let sum = |x: &Blob| self.along(x, |x| on_host(&x, 1.0).unwrap_or_else(|| sum_along(x, 1)));
        vec![match self.reducer {
            Reducer::Sum => sum(x),
            #[expect(clippy::cast_precision_loss, reason = "a mean in float32")]
            Reducer::Mean => self.along(x, |x| {
                let share = 1.0 / x.dims()[1] as f32;
                on_host(&x, share).unwrap_or_else(|| mean_along(x, 1))
            }),
            Reducer::Max => self.along(x, |x| x.max_dim(1)),
            Reducer::Min => self.along(x, |x| x.min_dim(1)),
            Reducer::Product => self.along(x, product),
            Reducer::L1 => sum(&x.map(Tensor::abs)),
            Reducer::L2 => sum(&x.map(|x| x.clone() * x)).map(Tensor::sqrt),
            Reducer::SumOfSquares => sum(&x.map(|x| x.clone() * x)),
            Reducer::LogSum => sum(x).map(Tensor::log),
            Reducer::LogSumExp => self.along(x, |x| {
                let largest = x.clone().detach().max_dim(1);
                sum_along((x - largest.clone()).exp(), 1).log() + largest
            }),
        }]
    }

    fn kept(&self, bottoms: u64, _tops: u64) -> u64 {
        if matches!(self.reducer, Reducer::Sum | Reducer::Mean) {
            0
        } else {
            8 * bottoms
        }
    }

    fn keeps_images_apart(&self) -> bool {
        true // Where it would not, the front end says so: `Graph::alone`.
    }
}

/// The sum along the middle axis times a factor, where it is that of rows on the host.
fn on_host(x: &Tensor<3>, factor: f32) -> Option<Tensor<3>> {
    let [outer, entries, inner] = x.dims();
    if inner > 1 || entries < 2 || !host::is_host(&x.device()) {
        return None;
    }
    let sums: Tensor<1> = host::apply(x.clone(), row_sums::RowSums { entries, factor });
    Some(sums.reshape([outer, 1, 1]))
}

/// The product along the middle axis, by halves, so that zeros have a gradient too.
fn product(x: Tensor<3>) -> Tensor<3> {
    let mut x = x;
    loop {
        let extent = x.dims()[1];
        if extent <= 1 {
            return x;
        }
        let half = extent / 2;
        let both = x.clone().narrow(1, 0, half) * x.clone().narrow(1, half, half);
        x = if extent.is_multiple_of(2) {
            both
        } else {
            Tensor::cat(vec![both, x.narrow(1, extent - 1, 1)], 1)
        };
    }
}
