//! Smooth functions of each entry, with their slopes, in loops that the compiler turns into vectors: burn calls `exp` and `erf` of
//! a library once an entry.

use std::sync::Arc;

use super::each::{map, map_two};
use super::{Gradient, HostArray, HostFunction, Output};

/// A smooth function of each entry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Curve {
    /// x times the share of a normal distribution below x (Hendrycks & Gimpel 2016).
    Gelu,
    /// The same by a hyperbolic tangent, which is a sigmoid: x * sigmoid(2 sqrt(2 / pi) (x + 0.044715 x^3)).
    GeluTanh,
    /// x / (1 + exp(-beta x)).
    Swish {
        /// beta.
        beta: f32,
    },
    /// x * min(max(x / 6 + 1/2, 0), 1) (Howard et al. 2019).
    HardSwish,
    /// 1 / (1 + exp(-x)).
    Sigmoid,
}

/// e^x: 2^k e^r with |r| at most ln 2 / 2, whose power series is cut off (Cephes' `expf`; the last bit or two differ).
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    /// Adding 1.5 * 2^23 rounds to a whole number, which then stands in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let whole = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    // ln 2 in two parts, the first of which has few bits.
    let r = x - whole * 0.693_359_4 + whole * 2.121_944_4e-4;
    let series = 1.987_569_1e-4 * r + 1.398_199_9e-3;
    let series = (series * r + 8.333_452e-3) * r + 4.166_579_6e-2;
    let series = (series * r + 1.666_666_5e-1) * r + 0.5;
    let power = f32::from_bits((whole + (ROUND + 127.0)).to_bits() << 23);
    (series * r * r + r + 1.0) * power
}

/// Value and slope of GELU. The share above |x| is Abramowitz & Stegun's 7.1.26, whose error is below 1e-7.
#[inline(always)]
fn gelu(x: f32) -> (f32, f32) {
    let bell = exp(-0.5 * x * x);
    let t = 1.0 / (1.0 + 0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2 * x.abs());
    let series = (1.061_405_4 * t - 1.453_152) * t + 1.421_413_8;
    let series = ((series * t - 0.284_496_72) * t + 0.254_829_6) * t;
    let tail = 0.5 * series * bell;
    let share = if x < 0.0 { tail } else { 1.0 - tail };
    (x * share, share + x * bell * 0.398_942_3)
}

/// Value and slope of GELU's approximation.
#[inline(always)]
fn gelu_tanh(x: f32) -> (f32, f32) {
    const FACTOR: f32 = 1.595_769;
    let share = 1.0 / (1.0 + exp(-FACTOR * (x + 0.044_715 * x * x * x)));
    let slope = FACTOR * (1.0 + 3.0 * 0.044_715 * x * x);
    (x * share, share + x * share * (1.0 - share) * slope)
}

/// Value and slope of a sigmoid.
#[inline(always)]
fn sigmoid(x: f32) -> (f32, f32) {
    let share = 1.0 / (1.0 + exp(-x));
    (share, share * (1.0 - share))
}

/// Value and slope of hard swish; at its two bends, the slope within.
#[inline(always)]
fn hard_swish(x: f32) -> (f32, f32) {
    let line = x * (1.0 / 6.0) + 0.5;
    let share = line.clamp(0.0, 1.0);
    let is_within = if line == share { 1.0 } else { 0.0 };
    (x * share, share + x * (1.0 / 6.0) * is_within)
}

/// Value and slope of swish.
#[inline(always)]
fn swish(x: f32, beta: f32) -> (f32, f32) {
    let share = 1.0 / (1.0 + exp(-beta * x));
    (x * share, share + beta * x * share * (1.0 - share))
}

/// The values, and the way back: slopes are computed anew there, which takes less time than keeping them.
fn each(x: &HostArray, track: bool, curve: impl Fn(f32) -> (f32, f32) + Copy + Send + Sync + 'static) -> Output {
    let values = map(
        x,
        #[inline(always)]
        |x| curve(x).0,
    );
    let gradient = track.then(|| {
        let x = x.clone();
        Arc::new(move |grad: &HostArray| {
            map_two(
                grad,
                &x,
                #[inline(always)]
                |grad, x| grad * curve(x).1,
            )
        }) as Gradient
    });
    Output {
        values,
        shape: x.shape().to_vec(),
        gradient,
    }
}

impl HostFunction for Curve {
    fn forward(&self, x: &HostArray, _: &[HostArray], track: bool) -> Output {
        match *self {
            Self::Gelu => each(x, track, gelu),
            Self::GeluTanh => each(x, track, gelu_tanh),
            Self::HardSwish => each(x, track, hard_swish),
            Self::Sigmoid => each(x, track, sigmoid),
            Self::Swish { beta } => each(
                x,
                track,
                #[inline(always)]
                move |x| swish(x, beta),
            ),
        }
    }
}
