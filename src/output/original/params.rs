//! `FindParams`: a recipe as the original's script had it, numbers spelled as they were given.

use crate::ascent::{Optimizer, Recipe, Schedule};
use crate::python::Value;

/// A number as Python had it: the original prints a default of `0` and a given `0.0` differently.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Float(f64),
}

impl Number {
    /// The value.
    #[expect(clippy::cast_precision_loss, reason = "settings are small")]
    pub fn value(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

impl Default for Number {
    fn default() -> Self {
        Self::Int(0)
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        match number {
            Number::Int(value) => Self::Int(value),
            Number::Float(value) => Self::Float(value),
        }
    }
}

/// How the numbers of a recipe were written: the values are the recipe's own.
#[derive(Debug, Clone, PartialEq)]
pub struct Spelling {
    /// The direction.
    pub push_dir: Number,
    /// L2 decay.
    pub decay: Number,
    /// Radius of the blur.
    pub blur_radius: Number,
    /// Percentile of values.
    pub small_val_percentile: Number,
    /// Percentile of norms.
    pub small_norm_percentile: Number,
    /// Percentile of contributions.
    pub px_benefit_percentile: Number,
    /// Percentile of absolute contributions.
    pub px_abs_benefit_percentile: Number,
    /// Parameters of the learning rate, a dict.
    pub lr_params: Value,
}

/// Whole rates from here on are spelled without a point.
const LARGE: f64 = 1e6;

impl Spelling {
    /// The plain one: floats, 0 as `0`, and a dict of the schedule's own names.
    pub fn plain(recipe: &Recipe) -> Self {
        let number = |value: f64| {
            if value == 0.0 {
                Number::Int(0)
            } else {
                Number::Float(value)
            }
        };
        let direction = recipe.objective.direction;
        let r = &recipe.regularizers;
        let rates = match recipe.optimizer {
            Optimizer::GradientAscent { schedule } => match schedule {
                Schedule::Constant { lr } => vec![("lr", lr)],
                Schedule::Progress { max_lr, desired_prog } => vec![("max_lr", max_lr), ("desired_prog", desired_prog)],
                Schedule::Progress01 {
                    max_lr,
                    early_prog,
                    late_prog_mult,
                } => vec![
                    ("max_lr", max_lr),
                    ("early_prog", early_prog),
                    ("late_prog_mult", late_prog_mult),
                ],
            },
            Optimizer::Adaptive(adaptive) => vec![("rate", adaptive.rate())],
        };
        let entries = rates.into_iter().map(|(name, rate)| {
            // As in the specification's command lines, where the largest of rates is 100000000.
            #[expect(clippy::cast_possible_truncation, reason = "a whole number within i64")]
            let spelled = if rate.fract() == 0.0 && (LARGE..1e15).contains(&rate) {
                Value::Int(rate as i64)
            } else {
                Value::Float(rate)
            };
            (Value::Str(name.into()), spelled)
        });
        Self {
            push_dir: Number::Float(direction),
            decay: number(r.decay),
            blur_radius: number(r.blur_radius),
            small_val_percentile: number(r.small_val_percentile),
            small_norm_percentile: number(r.small_norm_percentile),
            px_benefit_percentile: number(r.px_benefit_percentile),
            px_abs_benefit_percentile: number(r.px_abs_benefit_percentile),
            lr_params: Value::Dict(entries.collect()),
        }
    }
}

/// What the original calls `FindParams`.
#[derive(Debug, Clone, Copy)]
pub struct FindParams<'a> {
    /// What was climbed, and how.
    pub recipe: &'a Recipe,
    /// How its numbers were written.
    pub spelling: &'a Spelling,
}
