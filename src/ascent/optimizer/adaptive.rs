//! Gradient ascent's steps: how far to go, and where, of a gradient and those before.
//!
//! Every row of parameters has moments and a count of its own, so that an image climbs the same alone and in a batch, and can
//! be taken out of one and go on in another. Steps go up: the gradient is that of what is to be maximised.

use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::network::sums::mean_along;

/// Which steps, and how large. The weights of moments are named as in the papers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Adaptive {
    /// The gradient times the rate.
    Plain {
        /// The learning rate.
        rate: f64,
    },
    /// `rate * g / mean |g|`, the mean being over all parameters of an image: steps are as long whatever the gradient is
    /// (Mordvintsev, Olah and Tyka 2015).
    Normalized {
        /// How far the mean parameter goes: 1.5 of 255 grey levels in their notebook.
        rate: f64,
    },
    /// Adam (Kingma and Ba 2015), as PyTorch and Keras have it: `rate * m' / (sqrt(v') + epsilon)`, m' and v' free of bias.
    /// TensorFlow 1, hence lucid, adds its epsilon before v is made so.
    Adam {
        /// The learning rate: 0.05 in lucid and lucent.
        rate: f64,
        /// The two moments' decay: 0.9 and 0.999.
        betas: [f64; 2],
        /// What keeps the divisor from 0: 1e-8.
        epsilon: f64,
    },
    /// Adam whose parameters shrink by `rate * decay` of themselves in each step (Loshchilov and Hutter 2019).
    AdamW {
        /// The learning rate.
        rate: f64,
        /// The two moments' decay.
        betas: [f64; 2],
        /// What keeps the divisor from 0.
        epsilon: f64,
        /// The weight decay: 0.01.
        decay: f64,
    },
    /// Adam with Nesterov's momentum (Dozat 2016), as PyTorch and Keras have it: the first moment's decay in step t is
    /// `beta1 (1 - 0.96^(t momentum_decay) / 2)`.
    NAdam {
        /// The learning rate: 1 for images of fixed magnitude.
        rate: f64,
        /// The two moments' decay.
        betas: [f64; 2],
        /// What keeps the divisor from 0.
        epsilon: f64,
        /// 0.004 in PyTorch; 1 is Keras's.
        momentum_decay: f64,
    },
    /// `rate * g / sqrt(v + epsilon)` (Tieleman and Hinton 2012), as Keras has it; PyTorch adds its epsilon to the root.
    RmsProp {
        /// The learning rate.
        rate: f64,
        /// The moment's decay: 0.999 in tf-keras-vis.
        rho: f64,
        /// What keeps the divisor from 0: 1e-7 in Keras.
        epsilon: f64,
    },
}

impl Adaptive {
    /// The name in records.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Plain { .. } => "plain",
            Self::Normalized { .. } => "normalized",
            Self::Adam { .. } => "adam",
            Self::AdamW { .. } => "adamw",
            Self::NAdam { .. } => "nadam",
            Self::RmsProp { .. } => "rmsprop",
        }
    }

    /// Adam with the usual constants.
    pub fn adam(rate: f64) -> Self {
        Self::Adam {
            rate,
            betas: [0.9, 0.999],
            epsilon: 1e-8,
        }
    }

    /// `NAdam` with PyTorch's constants.
    pub fn nadam(rate: f64) -> Self {
        Self::NAdam {
            rate,
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            momentum_decay: 0.004,
        }
    }

    /// The learning rate.
    pub fn rate(&self) -> f64 {
        match self {
            Self::Plain { rate }
            | Self::Normalized { rate }
            | Self::Adam { rate, .. }
            | Self::AdamW { rate, .. }
            | Self::NAdam { rate, .. }
            | Self::RmsProp { rate, .. } => *rate,
        }
    }

    /// The same with another learning rate.
    pub fn with_rate(mut self, new: f64) -> Self {
        match &mut self {
            Self::Plain { rate }
            | Self::Normalized { rate }
            | Self::Adam { rate, .. }
            | Self::AdamW { rate, .. }
            | Self::NAdam { rate, .. }
            | Self::RmsProp { rate, .. } => *rate = new,
        }
        self
    }

    /// How many moments it keeps of each parameter.
    pub fn moments(&self) -> usize {
        match self {
            Self::Plain { .. } | Self::Normalized { .. } => 0,
            Self::RmsProp { .. } => 1,
            Self::Adam { .. } | Self::AdamW { .. } | Self::NAdam { .. } => 2,
        }
    }

    /// The state before the first step of parameters like `z`, `[rows, parameters]`.
    pub fn start(&self, z: &Tensor<2>) -> Moments {
        let [rows, _] = z.dims();
        let zeros = || z.clone().without_autodiff().zeros_like();
        Moments {
            steps: vec![0; rows],
            moments: (0..self.moments()).map(|_| zeros()).collect(),
        }
    }

    /// Parameters after a step up `gradient`; all three are `[rows, parameters]`. The state is the one of these rows.
    pub fn step(&self, z: Tensor<2>, gradient: Tensor<2>, state: &mut Moments) -> Tensor<2> {
        state.steps.iter_mut().for_each(|steps| *steps += 1);
        let device = z.device();
        // A number for each row, of how many steps it has made.
        let of_rows = |number: &dyn Fn(usize) -> f64| -> Tensor<2> {
            #[expect(clippy::cast_possible_truncation, reason = "tensors are float32")]
            let values: Vec<f32> = state.steps.iter().map(|steps| number(*steps) as f32).collect();
            Tensor::from_data(TensorData::new(values, [state.steps.len(), 1]), &device)
        };
        match *self {
            Self::Plain { rate } => z + gradient.mul_scalar(rate),
            Self::Normalized { rate } => {
                // Where there is no gradient there is no step either.
                let size = mean_along(gradient.clone().abs(), 1).clamp_min(f32::MIN_POSITIVE);
                z + gradient.mul_scalar(rate) / size
            }
            Self::Adam { rate, betas, epsilon } => {
                let [first, second] = [0, 1].map(|index| of_rows(&|t| 1.0 / (1.0 - power(betas[index], t))));
                let [m, v] = averaged(&mut state.moments, &gradient, betas);
                z + (m * first.mul_scalar(rate)) / (v * second).sqrt().add_scalar(epsilon)
            }
            Self::AdamW {
                rate,
                betas,
                epsilon,
                decay,
            } => {
                let adam = Self::Adam { rate, betas, epsilon };
                state.steps.iter_mut().for_each(|steps| *steps -= 1);
                adam.step(z.mul_scalar(1.0 - rate * decay), gradient, state)
            }
            Self::NAdam {
                rate,
                betas,
                epsilon,
                momentum_decay,
            } => {
                #[expect(clippy::cast_precision_loss, reason = "a number of steps")]
                let momentum = |t: usize| betas[0] * (1.0 - 0.5 * 0.96f64.powf(t as f64 * momentum_decay));
                let product = |t: usize| (1..=t).map(momentum).product::<f64>();
                let of_gradient = of_rows(&|t| rate * (1.0 - momentum(t)) / (1.0 - product(t)));
                let of_moment = of_rows(&|t| rate * momentum(t + 1) / (1.0 - product(t + 1)));
                let second = of_rows(&|t| 1.0 / (1.0 - power(betas[1], t)));
                let [m, v] = averaged(&mut state.moments, &gradient, betas);
                z + (gradient * of_gradient + m * of_moment) / (v * second).sqrt().add_scalar(epsilon)
            }
            Self::RmsProp { rate, rho, epsilon } => {
                let squares = gradient.clone().square().mul_scalar(1.0 - rho);
                let v = match state.moments.pop() {
                    Some(before) => before.mul_scalar(rho) + squares,
                    None => squares,
                };
                state.moments.push(v.clone());
                z + gradient.mul_scalar(rate) / v.add_scalar(epsilon).sqrt()
            }
        }
    }
}

fn power(base: f64, exponent: usize) -> f64 {
    base.powi(i32::try_from(exponent).unwrap_or(i32::MAX))
}

/// The running means of the gradient and of its square, which are kept as well.
fn averaged(moments: &mut Vec<Tensor<2>>, gradient: &Tensor<2>, [first, second]: [f64; 2]) -> [Tensor<2>; 2] {
    let mut before = moments.drain(..);
    let mut average = |new: Tensor<2>, beta: f64| match before.next() {
        Some(before) => before.mul_scalar(beta) + new.mul_scalar(1.0 - beta),
        None => new.mul_scalar(1.0 - beta),
    };
    let m = average(gradient.clone(), first);
    let v = average(gradient.clone().square(), second);
    drop(before);
    moments.extend([m.clone(), v.clone()]);
    [m, v]
}

/// What a [`Adaptive`] knows of the steps so far.
#[derive(Debug, Clone)]
pub struct Moments {
    /// Steps that each row has made.
    pub steps: Vec<usize>,
    /// [`Adaptive::moments`] tensors `[rows, parameters]`.
    pub moments: Vec<Tensor<2>>,
}

impl Moments {
    /// The state of some of the rows, in this order.
    pub fn rows(&self, rows: &[usize]) -> Self {
        Self {
            steps: rows.iter().map(|row| self.steps[*row]).collect(),
            moments: self
                .moments
                .iter()
                .map(|moment| Tensor::cat(rows.iter().map(|row| moment.clone().narrow(0, *row, 1)).collect(), 0))
                .collect(),
        }
    }

    /// The states of several, one after another; of none, none. They must be of one kind of [`Adaptive`].
    pub fn together(states: &[Self]) -> Option<Self> {
        let kept = states.first()?.moments.len();
        Some(Self {
            steps: states.iter().flat_map(|state| state.steps.clone()).collect(),
            moments: (0..kept)
                .map(|index| Tensor::cat(states.iter().map(|state| state.moments[index].clone()).collect(), 0))
                .collect(),
        })
    }
}
