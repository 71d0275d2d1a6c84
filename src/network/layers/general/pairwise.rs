//! ONNX's arithmetic and comparisons of two values, and `Where`.

use burn::module::Module;
use burn::tensor::Tensor;
use deepvis_importer::graph::Pairwise as Operation;

use super::stretch::{AXES, aligned, fits, padded, stretched};
use crate::network::blob::Blob;
use crate::network::build::{BuildResult, LayerBuild};
use crate::network::host::{self, scale};
use crate::network::layers::Forward;

/// A function of two values, stretched to each other.
#[derive(Module, Debug)]
pub struct Pairwise {
    #[module(skip)]
    operation: Operation,
}

impl Pairwise {
    pub(in crate::network) fn build(build: &LayerBuild<'_>, operation: Operation) -> BuildResult {
        if !fits(&build.bottoms) {
            return Err(build.error(format!("shapes {:?} do not fit each other", build.bottoms)));
        }
        build.one(Self::new(operation), stretched(&build.bottoms))
    }

    pub(in crate::network) fn new(operation: Operation) -> Self {
        Self { operation }
    }

    /// Which function it is.
    pub(in crate::network) fn operation(&self) -> Operation {
        self.operation
    }
}

impl Forward for Pairwise {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let (a, b) = (&bottoms[0], &bottoms[1]);
        if a.shape() == b.shape() {
            let y = apply(self.operation, a.tensor(), b.tensor());
            return vec![Blob::new(y, a.shape().to_vec())];
        }
        if self.operation == Operation::Mul
            && let Some(y) = gated(a, b).or_else(|| gated(b, a))
        {
            return vec![y];
        }
        let shape = stretched(&[a.shape(), b.shape()]);
        let y = apply(self.operation, aligned(a, &shape), aligned(b, &shape));
        vec![Blob::new(y, shape)]
    }

    fn kept(&self, bottoms: u64, _tops: u64) -> u64 {
        if matches!(self.operation, Operation::Add | Operation::Sub) {
            0
        } else {
            4 * bottoms
        }
    }

    fn keeps_images_apart(&self) -> bool {
        true // Where it would not, the front end says so: `Graph::alone`.
    }
}

/// The product with a factor for each row, on the host: of a shape that is that of `x` up to some axis, and 1 along the others.
fn gated(x: &Blob, factors: &Blob) -> Option<Blob> {
    // What is the same for all images is repeated, so that a batch is summed as an image alone.
    let repeated = match (x.shape(), factors.shape()) {
        ([1, _, ..], [images, _, ..]) if *images > 1 => {
            let shape = [&[*images], &x.shape()[1..]].concat();
            Blob::new(x.tensor().repeat_dim(0, *images), shape)
        }
        _ => x.clone(),
    };
    let x = &repeated;
    let (shape, of_factors) = (x.shape(), factors.shape());
    if shape.len() != of_factors.len() || !host::is_host(&x.tensor().device()) {
        return None;
    }
    let same = shape.iter().zip(of_factors).take_while(|(a, b)| a == b).count();
    let entries: usize = shape[same..].iter().product();
    if entries < 2 || of_factors[same..].iter().any(|extent| *extent != 1) {
        return None;
    }
    let rows: usize = shape[..same].iter().product();
    let y: Tensor<2> = host::apply_two(x.view([rows, entries]), factors.view([rows]), scale::Gate { entries });
    Some(Blob::new(y, shape.to_vec()))
}

fn apply<const D: usize>(operation: Operation, a: Tensor<D>, b: Tensor<D>) -> Tensor<D> {
    match operation {
        Operation::Add => a + b,
        Operation::Sub => a - b,
        Operation::Mul => a * b,
        Operation::Div => a / b,
        Operation::Pow => a.powf(b),
        Operation::Max => {
            let (a, b) = same(a, b);
            let smaller = a.clone().lower(b.clone());
            a.mask_where(smaller, b)
        }
        Operation::Min => {
            let (a, b) = same(a, b);
            let greater = a.clone().greater(b.clone());
            a.mask_where(greater, b)
        }
        Operation::Mod => {
            let quotient = (a.clone() / b.clone()).detach().floor();
            a - b * quotient
        }
        Operation::Fmod => {
            let quotient = super::unary::truncated(a.clone() / b.clone());
            a - b * quotient
        }
        Operation::Equal => comparable(a, b, |a, b| a.equal(b)),
        Operation::Less => comparable(a, b, |a, b| a.lower(b)),
        Operation::Greater => comparable(a, b, |a, b| a.greater(b)),
        Operation::LessOrEqual => comparable(a, b, |a, b| a.lower_equal(b)),
        Operation::GreaterOrEqual => comparable(a, b, |a, b| a.greater_equal(b)),
        Operation::And => holds(a) * holds(b),
        Operation::Or => {
            let (a, b) = (holds(a), holds(b));
            a.clone() + b.clone() - a * b
        }
        Operation::Xor => {
            let (a, b) = (holds(a), holds(b));
            a.clone() + b.clone() - (a * b).mul_scalar(2.0)
        }
    }
}

/// 1 where an entry is not 0.
fn holds<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.not_equal_elem(0.0).float()
}

fn comparable<const D: usize>(
    a: Tensor<D>,
    b: Tensor<D>,
    compare: impl Fn(Tensor<D>, Tensor<D>) -> Tensor<D, burn::tensor::Bool>,
) -> Tensor<D> {
    let (a, b) = same(a.detach(), b.detach());
    compare(a, b).float()
}

/// Both with the larger extent along every axis.
fn same<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> (Tensor<D>, Tensor<D>) {
    let (of_a, of_b) = (a.dims(), b.dims());
    let mut dims = of_a;
    for (dim, other) in dims.iter_mut().zip(of_b) {
        *dim = (*dim).max(other);
    }
    let a = if of_a == dims { a } else { a.expand(dims) };
    let b = if of_b == dims { b } else { b.expand(dims) };
    (a, b)
}

/// `Where`: the second value where the first is not 0, else the third.
#[derive(Module, Debug)]
pub struct Where {
    /// Number of values; nothing else is needed to choose.
    #[module(skip)]
    values: usize,
}

impl Where {
    pub(in crate::network) fn build(build: &LayerBuild<'_>) -> BuildResult {
        if !fits(&build.bottoms) {
            return Err(build.error(format!("shapes {:?} do not fit each other", build.bottoms)));
        }
        let values = build.bottoms.len();
        build.one(Self { values }, stretched(&build.bottoms))
    }
}

impl Forward for Where {
    fn forward(&self, bottoms: &[Blob]) -> Vec<Blob> {
        let shapes: Vec<&[usize]> = bottoms.iter().take(self.values).map(Blob::shape).collect();
        let shape = stretched(&shapes);
        let dims = padded(&shape);
        let whole = |blob: &Blob| -> Tensor<AXES> {
            let tensor = aligned(blob, &shape);
            if tensor.dims() == dims {
                tensor
            } else {
                tensor.expand(dims)
            }
        };
        let condition = whole(&bottoms[0]).detach().not_equal_elem(0.0);
        let y = whole(&bottoms[2]).mask_where(condition, whole(&bottoms[1]));
        vec![Blob::new(y, shape)]
    }

    fn keeps_images_apart(&self) -> bool {
        true // Where it would not, the front end says so: `Graph::alone`.
    }
}
