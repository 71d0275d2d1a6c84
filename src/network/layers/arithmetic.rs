//! Caffe's `Scale` and `Bias`: a product or sum along some axes, with a learned blob or with a second bottom.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::error::Result;
use crate::network::host;
use crate::network::layers::Forward;

/// Which axes of the bottom a factor or term spans: `[first, last)`.
fn span(build: &LayerBuild<'_>, axis: i32, num_axes: i32) -> Result<(usize, usize)> {
    let rank = build.bottom().len();
    let first = build.axis(axis)?;
    let last = match (build.bottoms.get(1), usize::try_from(num_axes)) {
        (Some(second), _) => first + second.len(),
        (None, Ok(count)) => first + count,
        (None, Err(_)) => rank,
    };
    if last > rank {
        return Err(build.error(format!("axes {first} to {last} of a blob with {rank} axes")));
    }
    if let Some(second) = build.bottoms.get(1)
        && build.bottom()[first..last] != **second
    {
        return Err(build.error(format!(
            "its second bottom has shape {second:?}, which is not that of axes {first} to {last} of {:?}",
            build.bottom()
        )));
    }
    Ok((first, last))
}

/// The blob with the span's axes merged: `[before, span, after]`.
fn spanned(blob: &Blob, (first, last): (usize, usize)) -> Tensor<3> {
    let shape = blob.shape();
    blob.view([
        shape[..first].iter().product(),
        shape[first..last].iter().product(),
        shape[last..].iter().product(),
    ])
}

/// The second bottom, or the learned blob, as `[1, span, 1]`, or with the batch in front when that is the first axis.
fn operand(learned: Option<&Param<Tensor<3>>>, bottoms: &[Blob]) -> Tensor<3> {
    match learned {
        Some(learned) => learned.val(),
        None => bottoms[1].view([1, bottoms[1].shape().iter().product(), 1]),
    }
}

/// Whether images stay apart: a learned operand must not span axis 0, and a second bottom, which has an axis of images
/// itself, must begin there.
fn apart(is_learned: bool, (first, _): (usize, usize)) -> bool {
    is_learned == (first > 0)
}

/// y = a * x, or a * x + b, with a and b along some axes.
#[derive(Module, Debug)]
pub struct Scale {
    factor: Option<Param<Tensor<3>>>,
    shift: Option<Param<Tensor<3>>>,
    #[module(skip)]
    span: (usize, usize),
}

impl Scale {
    pub(in crate::network) fn build(
        build: &LayerBuild<'_>,
        factor: Option<&str>,
        bias: Option<&str>,
        axis: i32,
        num_axes: i32,
    ) -> BuildResult {
        let span = span(build, axis, num_axes)?;
        let shape = &build.bottom()[span.0..span.1];
        let count: usize = shape.iter().product();
        let learned = |name: &str, what: &str| -> Result<_> {
            Ok(build.constant(build.values(name, what, shape)?, [1, count, 1]))
        };
        let factor = factor.map(|name| learned(name, "factor")).transpose()?;
        let shift = bias.map(|name| learned(name, "bias")).transpose()?;
        build.one(Self { factor, shift, span }, build.bottom().to_vec())
    }

    /// Factor and shift, when both are learned and along the channels.
    pub(in crate::network) fn affine(&self) -> Option<(Tensor<1>, Option<Tensor<1>>)> {
        let factor = self.factor.as_ref()?.val().flatten(0, 2);
        (self.span == (1, 2)).then(|| (factor, self.shift.as_ref().map(|shift| shift.val().flatten(0, 2))))
    }
}

/// The product of `[before, span, after]` with factors, and the sum with terms, composed of burn's operations.
pub fn scaled(x: Tensor<3>, factor: Tensor<3>, shift: Option<Tensor<3>>) -> Tensor<3> {
    let y = x * factor;
    match shift {
        Some(shift) => y + shift,
        None => y,
    }
}

impl Forward for Scale {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let x = spanned(&bottoms[0], self.span);
        let shift = self.shift.as_ref().map(Param::val);
        let y = match &self.factor {
            Some(factor) if host::is_host(&x.device()) && x.dims()[2] > 1 => {
                let entries = x.dims()[2];
                let shift = shift.map(|shift| shift.flatten(0, 2));
                host::apply_with(x, factor.val(), shift, host::scale::Scale { entries })
            }
            Some(factor) => scaled(x, factor.val(), shift),
            None => scaled(x, operand(None, bottoms), shift),
        };
        vec![Blob::new(y, bottoms[0].shape().to_vec())]
    }

    fn kept(&self, bottoms: u64, _tops: u64) -> u64 {
        if self.factor.is_some() { 0 } else { 4 * bottoms }
    }

    fn keeps_images_apart(&self) -> bool {
        apart(self.factor.is_some(), self.span)
    }
}

/// y = x + b with b along some axes.
#[derive(Module, Debug)]
pub struct Bias {
    term: Option<Param<Tensor<3>>>,
    #[module(skip)]
    span: (usize, usize),
}

impl Bias {
    pub(in crate::network) fn build(
        build: &LayerBuild<'_>,
        term: Option<&str>,
        axis: i32,
        num_axes: i32,
    ) -> BuildResult {
        let span = span(build, axis, num_axes)?;
        let shape = &build.bottom()[span.0..span.1];
        let learned = |name: &str| -> Result<_> {
            let values = build.values(name, "bias", shape)?;
            Ok(build.constant(values, [1, shape.iter().product(), 1]))
        };
        let term = term.map(learned).transpose()?;
        build.one(Self { term, span }, build.bottom().to_vec())
    }
}

impl Forward for Bias {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let y = spanned(&bottoms[0], self.span) + operand(self.term.as_ref(), bottoms);
        vec![Blob::new(y, bottoms[0].shape().to_vec())]
    }

    fn kept(&self, _bottoms: u64, _tops: u64) -> u64 {
        0
    }

    fn keeps_images_apart(&self) -> bool {
        apart(self.term.is_some(), self.span)
    }
}
