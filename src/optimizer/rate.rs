//! Learning-rate policies (`--lr-policy`, `--lr-params`).

/// How far along the gradient a step goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LearningRate {
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

impl LearningRate {
    /// The name on the command line.
    pub fn policy(&self) -> &'static str {
        match self {
            Self::Constant { .. } => "constant",
            Self::Progress { .. } => "progress",
            Self::Progress01 { .. } => "progress01",
        }
    }

    /// The rate for an objective and the norm of its gradient.
    pub fn rate(&self, objective: f32, gradient_norm: f32) -> f64 {
        let square = f64::from(gradient_norm) * f64::from(gradient_norm);
        match *self {
            Self::Constant { lr } => lr,
            Self::Progress { max_lr, desired_prog } => max_lr.min(desired_prog / square),
            Self::Progress01 {
                max_lr,
                early_prog,
                late_prog_mult,
            } => {
                let late = late_prog_mult * (1.0 - f64::from(objective));
                max_lr.min(early_prog.min(late) / square)
            }
        }
    }
}
