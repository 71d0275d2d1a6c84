//! Fast layer functions for the CPU backends, as a burn backend extension with its own backward passes.
//!
//! An extension operation, [`HostOps::apply`], takes an image tensor, frozen parameters and a [`HostFunction`], and
//! registers the function's gradient with burn's autodiff. The gradient is that with respect to the image only:
//! parameters are constants, so that the gradients of weights, which only training needs, are never computed. Another,
//! [`HostOps::apply_two`], takes two tensors that both depend on the image, and gives the gradients of both ([`mod@pair`]).
//!
//! On other backends layers are composed of burn's own operations (see the `plain` functions beside each layer), which
//! is also what the functions here are tested against.

#![expect(deprecated, reason = "the ndarray backend was asked for")]

mod array;
pub mod convolution;
pub mod curve;
mod each;
mod gemm;
pub mod inner_product;
pub mod lrn;
mod of_weight;
pub mod pair;
mod panels;
pub mod permute;
pub mod pooling;
pub mod product;
pub mod redirect;
mod relu;
pub mod row_sums;
pub mod scale;
mod scratch;
pub mod softmax;
pub mod standardize;
mod vector;

use std::fmt::{self, Debug};
use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, DispatchDevice, ExtensionType, Flex, backend_extension};
use burn::tensor::{Device, Tensor};

use burn::backend::NdArray;

pub use array::{Host, HostArray};
pub use of_weight::OfWeight;
pub use pair::apply_two;
pub use vector::vectorized;

use pair::{PairBackward, PairGradient, SharedPair};

/// The backward pass: maps the gradient of a function's output to that of its input.
pub type Gradient = Arc<dyn Fn(&HostArray) -> Vec<f32> + Send + Sync>;

/// A function of one tensor, computed on slices of host memory.
pub trait HostFunction: Debug + Send + Sync + 'static {
    /// The output's entries and shape, and, when `track`, its backward pass.
    fn forward(&self, x: &HostArray, parameters: &[HostArray], track: bool) -> Output;
}

/// What a [`HostFunction`] computed.
pub struct Output {
    /// The entries, row-major.
    pub values: Vec<f32>,
    /// The shape.
    pub shape: Vec<usize>,
    /// The backward pass; present exactly when it was asked for.
    pub gradient: Option<Gradient>,
}

/// A shared host function, as it travels through burn's dispatch.
pub type SharedFunction = Arc<dyn HostFunction>;

/// The frozen parameters of a layer.
#[derive(ExtensionType)]
pub enum Parameters<B: Backend> {
    /// None at all.
    None,
    /// A weight.
    Weight(FloatTensor<B>),
    /// A weight and a bias.
    WeightAndBias(FloatTensor<B>, FloatTensor<B>),
}

/// The extension of burn's CPU backends.
#[backend_extension(Autodiff, Flex, NdArray)]
pub trait HostOps: Backend {
    /// Applies a function to `x`; `parameters` are constants.
    fn apply(
        x: FloatTensor<Self>,
        #[extension_type] parameters: Parameters<Self>,
        function: SharedFunction,
    ) -> FloatTensor<Self>;

    /// Applies a function of two tensors.
    fn apply_two(left: FloatTensor<Self>, right: FloatTensor<Self>, function: SharedPair) -> FloatTensor<Self>;
}

fn run<B: Host>(
    x: FloatTensor<B>,
    parameters: Parameters<B>,
    function: &SharedFunction,
    track: bool,
) -> (FloatTensor<B>, Option<Gradient>) {
    let parameters = match parameters {
        Parameters::None => Vec::new(),
        Parameters::Weight(weight) => vec![B::to_host(weight)],
        Parameters::WeightAndBias(weight, bias) => vec![B::to_host(weight), B::to_host(bias)],
    };
    let output = function.forward(&B::to_host(x), &parameters, track);
    (B::from_host(output.values, &output.shape), output.gradient)
}

fn run_two<B: Host>(
    left: FloatTensor<B>,
    right: FloatTensor<B>,
    function: &SharedPair,
    track: bool,
) -> (FloatTensor<B>, Option<PairGradient>) {
    let output = function.forward([&B::to_host(left), &B::to_host(right)], track);
    (B::from_host(output.values, &output.shape), output.gradient)
}

impl HostOps for Flex {
    fn apply(x: FloatTensor<Self>, parameters: Parameters<Self>, function: SharedFunction) -> FloatTensor<Self> {
        run::<Self>(x, parameters, &function, false).0
    }

    fn apply_two(left: FloatTensor<Self>, right: FloatTensor<Self>, function: SharedPair) -> FloatTensor<Self> {
        run_two::<Self>(left, right, &function, false).0
    }
}

impl HostOps for NdArray {
    fn apply(x: FloatTensor<Self>, parameters: Parameters<Self>, function: SharedFunction) -> FloatTensor<Self> {
        run::<Self>(x, parameters, &function, false).0
    }

    fn apply_two(left: FloatTensor<Self>, right: FloatTensor<Self>, function: SharedPair) -> FloatTensor<Self> {
        run_two::<Self>(left, right, &function, false).0
    }
}

/// What the backward pass of a host function needs.
#[derive(Clone)]
struct Saved {
    gradient: Gradient,
    shape: Vec<usize>,
}

impl Debug for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Saved({:?})", self.shape)
    }
}

#[derive(Debug)]
struct HostBackward;

impl<B: Host> Backward<B, 1> for HostBackward {
    type State = Saved;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [parent] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        if let Some(parent) = parent {
            let values = (ops.state.gradient)(&B::to_host(grad));
            grads.register::<B>(parent.id, B::from_host(values, &ops.state.shape));
        }
    }
}

impl<B: Host, C: CheckpointStrategy> HostOps for Autodiff<B, C> {
    fn apply(x: FloatTensor<Self>, parameters: Parameters<Self>, function: SharedFunction) -> FloatTensor<Self> {
        let parameters = match parameters {
            Parameters::None => Parameters::None,
            Parameters::Weight(weight) => Parameters::Weight(weight.into_primitive()),
            Parameters::WeightAndBias(weight, bias) => {
                Parameters::WeightAndBias(weight.into_primitive(), bias.into_primitive())
            }
        };
        match HostBackward.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let shape = B::shape_of(x.primitive());
                let (output, gradient) = run::<B>(x.into_primitive(), parameters, &function, true);
                let gradient = gradient.expect("a host function that is asked to track gives its gradient");
                prep.finish(Saved { gradient, shape }, output)
            }
            OpsKind::UnTracked(prep) => prep.finish(run::<B>(x.into_primitive(), parameters, &function, false).0),
        }
    }

    fn apply_two(left: FloatTensor<Self>, right: FloatTensor<Self>, function: SharedPair) -> FloatTensor<Self> {
        match PairBackward
            .prepare::<C>([left.node(), right.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let shapes = [&left, &right].map(|input| B::shape_of(input.primitive()));
                let (output, gradient) = run_two::<B>(left.into_primitive(), right.into_primitive(), &function, true);
                let gradient = gradient.expect("a host function that is asked to track gives its gradient");
                prep.finish(pair::Saved { gradient, shapes }, output)
            }
            OpsKind::UnTracked(prep) => {
                prep.finish(run_two::<B>(left.into_primitive(), right.into_primitive(), &function, false).0)
            }
        }
    }
}

/// Whether [`apply`] runs on `device`.
pub fn is_host(device: &Device) -> bool {
    fn is_cpu(device: &DispatchDevice) -> bool {
        match device {
            DispatchDevice::Flex(_) | DispatchDevice::NdArray(_) => true,
            DispatchDevice::Autodiff(inner) => is_cpu(inner),
            #[allow(unreachable_patterns, reason = "there are no others when built without wgpu")]
            _ => false,
        }
    }
    is_cpu(device.as_dispatch())
}

/// Runs what computes on `device`: on a CPU in one of rayon's threads, since a thread outside of the pool would be put to sleep and
/// woken for each parallel loop. The calling thread waits. From inside of a pool it stays in that pool.
///
/// A thread of the pool that waits for others takes up other work, and so perhaps a whole pass that another thread asked for: work
/// must not hold a lock while it computes in parallel.
pub fn in_pool<T: Send>(device: &Device, work: impl FnOnce() -> T + Send) -> T {
    if is_host(device) {
        rayon::scope(|_| work())
    } else {
        work()
    }
}

/// Applies a host function without parameters to a tensor on a CPU device.
pub fn apply<const D: usize, const E: usize>(x: Tensor<D>, function: impl HostFunction) -> Tensor<E> {
    Tensor::from_dispatch(<Dispatch as HostOps>::apply(
        x.into_dispatch(),
        Parameters::None,
        Arc::new(function),
    ))
}

/// Applies a host function to a tensor on a CPU device; weight and bias are constants.
pub fn apply_with<const D: usize, const E: usize, const W: usize>(
    x: Tensor<D>,
    weight: Tensor<W>,
    bias: Option<Tensor<1>>,
    function: impl HostFunction,
) -> Tensor<E> {
    let weight = weight.into_dispatch();
    let parameters = match bias {
        Some(bias) => Parameters::WeightAndBias(weight, bias.into_dispatch()),
        None => Parameters::Weight(weight),
    };
    Tensor::from_dispatch(<Dispatch as HostOps>::apply(
        x.into_dispatch(),
        parameters,
        Arc::new(function),
    ))
}
