//! Kinds of layers that work on values of any number of axes, as ONNX's operators do.

use serde::{Deserialize, Serialize};

/// A function of each entry by itself, without gradient where it is constant in steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Unary {
    /// |x| with slope 0 at 0 is [`AbsVal`](super::LayerKind::AbsVal); this is the sign: -1, 0 or 1.
    Sign,
    /// -x.
    Neg,
    /// 1 / x.
    Reciprocal,
    /// The square root.
    Sqrt,
    /// The error function.
    Erf,
    /// sin x.
    Sin,
    /// cos x.
    Cos,
    /// tan x.
    Tan,
    /// arctan x.
    Atan,
    /// The largest whole number that is not greater.
    Floor,
    /// The smallest whole number that is not less.
    Ceil,
    /// The nearest whole number, the even one of two.
    Round,
    /// The whole number towards zero.
    Trunc,
    /// log(1 + exp x).
    Softplus,
    /// x / (1 + |x|).
    Softsign,
    /// min(max(alpha x + beta, 0), 1).
    HardSigmoid {
        /// The slope.
        alpha: f32,
        /// The value at 0.
        beta: f32,
    },
    /// x min(max(x / 6 + 1/2, 0), 1).
    HardSwish,
    /// x/2 (1 + erf(x / sqrt 2)).
    Gelu,
    /// x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
    GeluTanh,
    /// x tanh(log(1 + exp x)).
    Mish,
    /// gamma x for x > 0, else gamma alpha (exp x - 1).
    Selu {
        /// The limit towards minus infinity over gamma, negated.
        alpha: f32,
        /// The factor.
        gamma: f32,
    },
    /// x for x > 0, else alpha (exp(x / alpha) - 1).
    Celu {
        /// The limit towards minus infinity, negated.
        alpha: f32,
    },
    /// x for x > alpha, else 0.
    ThresholdedRelu {
        /// The threshold.
        alpha: f32,
    },
    /// x + bias for x < -lambda, x - bias for x > lambda, else 0.
    Shrink {
        /// What is taken off.
        bias: f32,
        /// The threshold.
        lambda: f32,
    },
    /// 1 where x is 0, else 0.
    Not,
}

/// A function of two entries, shapes stretched to each other by NumPy's rule. Comparisons give 1 or 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Pairwise {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Max,
    Min,
    /// The remainder with the sign of the divisor.
    Mod,
    /// The remainder with the sign of the dividend.
    Fmod,
    Equal,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    And,
    Or,
    Xor,
}

/// What a [`Reduce`] computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reducer {
    /// The sum.
    Sum,
    /// The mean.
    Mean,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// The product.
    Product,
    /// The sum of absolute values.
    L1,
    /// The root of the sum of squares.
    L2,
    /// The sum of squares.
    SumOfSquares,
    /// The logarithm of the sum.
    LogSum,
    /// The logarithm of the sum of exponentials.
    LogSumExp,
}

/// A reduction of some axes, which stay with an extent of 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reduce {
    /// What is computed.
    pub reducer: Reducer,
    /// The axes, in order.
    pub axes: Vec<usize>,
}

/// Where padding gets its entries from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Padding {
    /// One number.
    Constant(f32),
    /// The entries mirrored at the outermost one, which is not repeated.
    Reflect,
    /// The outermost entry.
    Edge,
    /// The entries at the other side.
    Wrap,
}

/// A layer that moves entries and computes nothing. Shapes are those for one image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Move {
    /// The same entries, row-major, under another shape.
    View {
        /// The new shape.
        shape: Vec<usize>,
        /// The axis along which the images of a batch follow each other; none of a constant.
        images: Option<usize>,
    },
    /// Extents of 1 stretched, by NumPy's rule.
    Expand {
        /// The new shape.
        shape: Vec<usize>,
    },
    /// Entries added at both ends of an axis; negative numbers take some off.
    Pad {
        /// The axis.
        axis: usize,
        /// Before the first.
        before: i64,
        /// After the last.
        after: i64,
        /// What is added.
        padding: Padding,
    },
    /// Some entries of an axis, in any order, also several times.
    Gather {
        /// The axis.
        axis: usize,
        /// Which.
        indices: Vec<usize>,
    },
}
