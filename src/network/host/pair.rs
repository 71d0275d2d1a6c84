//! Functions of two tensors that both depend on the image, with their gradients for burn's autodiff.

use std::fmt::{self, Debug};
use std::sync::Arc;

use burn::backend::Dispatch;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::tensor::Tensor;

use super::{Host, HostArray, HostOps};

/// The backward pass: maps the gradient of a function's output to those of its two inputs, of which it gives the ones asked
/// for.
pub type PairGradient = Arc<dyn Fn(&HostArray, [bool; 2]) -> [Option<Vec<f32>>; 2] + Send + Sync>;

/// A function of two tensors, computed on slices of host memory.
pub trait PairFunction: Debug + Send + Sync + 'static {
    /// The output's entries and shape, and, when `track`, its backward pass.
    fn forward(&self, inputs: [&HostArray; 2], track: bool) -> PairOutput;
}

/// What a [`PairFunction`] computed.
pub struct PairOutput {
    /// The entries, row-major.
    pub values: Vec<f32>,
    /// The shape.
    pub shape: Vec<usize>,
    /// The backward pass; present exactly when it was asked for.
    pub gradient: Option<PairGradient>,
}

/// A shared function of two tensors, as it travels through burn's dispatch.
pub type SharedPair = Arc<dyn PairFunction>;

/// What the backward pass of a function of two tensors needs.
#[derive(Clone)]
pub(super) struct Saved {
    pub(super) gradient: PairGradient,
    pub(super) shapes: [Vec<usize>; 2],
}

impl Debug for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Saved({:?})", self.shapes)
    }
}

#[derive(Debug)]
pub(super) struct PairBackward;

impl<B: Host> Backward<B, 2> for PairBackward {
    type State = Saved;

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = B::to_host(grads.consume::<B>(&ops.node));
        let asked = ops.parents.each_ref().map(Option::is_some);
        let found = (ops.state.gradient)(&grad, asked);
        for ((parent, values), shape) in ops.parents.into_iter().zip(found).zip(ops.state.shapes) {
            if let (Some(parent), Some(values)) = (parent, values) {
                grads.register::<B>(parent.id, B::from_host(values, &shape));
            }
        }
    }
}

/// Applies a host function to two tensors on a CPU device.
pub fn apply_two<const D: usize, const E: usize, const F: usize>(
    left: Tensor<D>,
    right: Tensor<E>,
    function: impl PairFunction,
) -> Tensor<F> {
    Tensor::from_dispatch(<Dispatch as HostOps>::apply_two(
        left.into_dispatch(),
        right.into_dispatch(),
        Arc::new(function),
    ))
}
