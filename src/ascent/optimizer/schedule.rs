//! Learning-rate schedules of gradient ascent (`lr_policy` and `lr_params` of the original).

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// How far along the gradient a step goes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "policy", rename_all = "lowercase")]
pub enum Schedule {
    /// Always the same.
    Constant {
        /// The rate.
        lr: f64,
    },
    /// Such that the objective would rise by `desired_prog` if it were linear.
    Progress {
        /// The largest rate.
        max_lr: f64,
        /// The rise aimed at.
        desired_prog: f64,
    },
    /// The same for outputs between 0 and 1: slower as they come near 1.
    Progress01 {
        /// The largest rate.
        max_lr: f64,
        /// The rise aimed at while the output is small.
        early_prog: f64,
        /// The part of what is missing to 1 that is aimed at later.
        late_prog_mult: f64,
    },
}

impl Schedule {
    /// The schedule of a policy, with its parameters by their names in the original; `None` where there is no such policy.
    ///
    /// # Errors
    /// Those of `parameter`.
    pub fn of_policy<E>(policy: &str, parameter: impl Fn(&str) -> Result<f64, E>) -> Result<Option<Self>, E> {
        Ok(Some(match policy {
            "constant" => Self::Constant { lr: parameter("lr")? },
            "progress" => Self::Progress {
                max_lr: parameter("max_lr")?,
                desired_prog: parameter("desired_prog")?,
            },
            "progress01" => Self::Progress01 {
                max_lr: parameter("max_lr")?,
                early_prog: parameter("early_prog")?,
                late_prog_mult: parameter("late_prog_mult")?,
            },
            _ => return Ok(None),
        }))
    }

    /// The policy's name in the original.
    pub fn policy(&self) -> &'static str {
        match self {
            Self::Constant { .. } => "constant",
            Self::Progress { .. } => "progress",
            Self::Progress01 { .. } => "progress01",
        }
    }

    /// The same with rates `factor` times as large.
    #[must_use]
    pub fn times(&self, factor: f64) -> Self {
        match *self {
            Self::Constant { lr } => Self::Constant { lr: lr * factor },
            Self::Progress { max_lr, desired_prog } => Self::Progress {
                max_lr: max_lr * factor,
                desired_prog: desired_prog * factor,
            },
            Self::Progress01 {
                max_lr,
                early_prog,
                late_prog_mult,
            } => Self::Progress01 {
                max_lr: max_lr * factor,
                early_prog: early_prog * factor,
                late_prog_mult: late_prog_mult * factor,
            },
        }
    }

    /// The rate for an objective and the norm of its gradient: of one ascent, or of each of a batch.
    pub(in crate::ascent) fn rate<Q: Quantity>(&self, objective: &Q, gradient_norm: &Q) -> Q {
        let square = gradient_norm.times(gradient_norm);
        match *self {
            Self::Constant { lr } => square.filled(lr),
            Self::Progress { max_lr, desired_prog } => square.filled(desired_prog).over(&square).at_most(max_lr),
            Self::Progress01 {
                max_lr,
                early_prog,
                late_prog_mult,
            } => {
                let late = objective.missing_to_one().times(&square.filled(late_prog_mult));
                late.at_most(early_prog).over(&square).at_most(max_lr)
            }
        }
    }
}

/// The arithmetic that a rate needs, so that its formula stands once for numbers on the host and on a device.
pub(in crate::ascent) trait Quantity: Sized {
    /// Something of the same form with this value.
    fn filled(&self, value: f64) -> Self;
    /// The product.
    fn times(&self, other: &Self) -> Self;
    /// The quotient.
    fn over(&self, other: &Self) -> Self;
    /// 1 minus itself.
    fn missing_to_one(&self) -> Self;
    /// The smaller of itself and `most`.
    fn at_most(&self, most: f64) -> Self;
}

impl Quantity for f64 {
    fn filled(&self, value: f64) -> Self {
        value
    }

    fn times(&self, other: &Self) -> Self {
        self * other
    }

    fn over(&self, other: &Self) -> Self {
        self / other
    }

    fn missing_to_one(&self) -> Self {
        1.0 - self
    }

    fn at_most(&self, most: f64) -> Self {
        most.min(*self)
    }
}

impl Quantity for Vec<f64> {
    fn filled(&self, value: f64) -> Self {
        vec![value; self.len()]
    }

    fn times(&self, other: &Self) -> Self {
        self.iter().zip(other).map(|(a, b)| a.times(b)).collect()
    }

    fn over(&self, other: &Self) -> Self {
        self.iter().zip(other).map(|(a, b)| a.over(b)).collect()
    }

    fn missing_to_one(&self) -> Self {
        self.iter().map(Quantity::missing_to_one).collect()
    }

    fn at_most(&self, most: f64) -> Self {
        self.iter().map(|a| a.at_most(most)).collect()
    }
}

impl Quantity for Tensor<2> {
    fn filled(&self, value: f64) -> Self {
        self.full_like(value)
    }

    fn times(&self, other: &Self) -> Self {
        self.clone() * other.clone()
    }

    fn over(&self, other: &Self) -> Self {
        self.clone() / other.clone()
    }

    fn missing_to_one(&self) -> Self {
        -self.clone() + 1.0
    }

    fn at_most(&self, most: f64) -> Self {
        self.clone().clamp_max(most)
    }
}
