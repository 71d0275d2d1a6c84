//! ONNX's `LayerNormalization`, the core of `InstanceNormalization` and `GroupNormalization`, and `LogSoftmax`.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, activation};

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::error::Result;
use crate::network::host;
use crate::network::layers::Forward;
use crate::network::sums::mean_along;

/// y = (x - mean) / sqrt(variance + eps) * factor + term, over all axes from one on.
#[derive(Module, Debug)]
pub struct Standardize {
    factor: Option<Param<Tensor<2>>>,
    term: Option<Param<Tensor<2>>>,
    #[module(skip)]
    axis: usize,
    #[module(skip)]
    eps: f32,
}

impl Standardize {
    pub(in crate::network) fn build(
        build: &LayerBuild<'_>,
        axis: usize,
        eps: f32,
        factor: Option<&str>,
        term: Option<&str>,
    ) -> BuildResult {
        let bottom = build.bottom();
        let Some(normalized) = bottom.get(axis..) else {
            return Err(build.error(format!("axis {axis} of a value of shape {bottom:?}")));
        };
        let entries = normalized.iter().product();
        let constant = |name: Option<&str>, what: &str| -> Result<Option<Param<Tensor<2>>>> {
            let values = name.map(|name| build.values(name, what, normalized)).transpose()?;
            Ok(values.map(|values| build.constant(values, [1, entries])))
        };
        let layer = Self {
            factor: constant(factor, "factor")?,
            term: constant(term, "term")?,
            axis,
            eps,
        };
        build.one(layer, bottom.to_vec())
    }
}

impl Forward for Standardize {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let shape = bottoms[0].shape().to_vec();
        let outer: usize = shape[..self.axis].iter().product();
        let entries = shape[self.axis..].iter().product();
        let x: Tensor<2> = bottoms[0].view([outer, entries]);
        let flat =
            |parameter: &Option<Param<Tensor<2>>>| parameter.as_ref().map(|tensor| tensor.val().reshape([entries]));
        let (factor, term): (Option<Tensor<1>>, Option<Tensor<1>>) = (flat(&self.factor), flat(&self.term));
        let y = if host::is_host(&x.device()) {
            let function = host::standardize::Standardize { entries, eps: self.eps };
            match (factor, term) {
                (None, None) => host::apply(x, function),
                (Some(factor), term) => host::apply_with(x, factor, term, function),
                (None, Some(term)) => host::apply_with(x, term.ones_like(), Some(term), function),
            }
        } else {
            standardized(x, factor, term, self.eps)
        };
        vec![Blob::new(y, shape)]
    }

    fn kept(&self, _bottoms: u64, tops: u64) -> u64 {
        4 * tops
    }

    fn keeps_images_apart(&self) -> bool {
        true // Where it would not, the front end says so: `Graph::alone`.
    }
}

/// The normalization composed of burn's operations, of rows.
pub fn standardized(x: Tensor<2>, factor: Option<Tensor<1>>, term: Option<Tensor<1>>, eps: f32) -> Tensor<2> {
    let centred = x.clone() - mean_along(x, 1);
    let variance = mean_along(centred.clone() * centred.clone(), 1);
    let mut y = centred / variance.add_scalar(eps).sqrt();
    if let Some(factor) = factor {
        y = y * factor.unsqueeze();
    }
    if let Some(term) = term {
        y = y + term.unsqueeze();
    }
    y
}

/// The logarithm of a softmax along an axis.
#[derive(Module, Debug)]
pub struct LogSoftmax {
    #[module(skip)]
    axis: usize,
}

impl LogSoftmax {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, axis: usize) -> BuildResult {
        if axis >= build.bottom().len() {
            return Err(build.error(format!("axis {axis} of a value of shape {:?}", build.bottom())));
        }
        build.one(Self { axis }, build.bottom().to_vec())
    }
}

impl Forward for LogSoftmax {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let y = activation::log_softmax(bottoms[0].around(self.axis), 1);
        vec![Blob::new(y, bottoms[0].shape().to_vec())]
    }

    fn keeps_images_apart(&self) -> bool {
        true // Where it would not, the front end says so: `Graph::alone`.
    }
}
