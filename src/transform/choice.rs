//! A number that is drawn each time.

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

use crate::random::Random;

/// What a number is drawn from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// Evenly from `low` to `high`. Printed as `0.9..1.1`, or as one number if they are the same.
    Between {
        /// The least.
        low: f64,
        /// The greatest.
        high: f64,
    },
    /// One of these, each as likely. Printed as `{0.9, 1, 1.1}`.
    OneOf(Vec<f64>),
}

impl Choice {
    /// Always the same.
    pub fn always(value: f64) -> Self {
        Self::Between {
            low: value,
            high: value,
        }
    }

    /// Draws one; 0 of nothing.
    pub fn draw(&self, random: &mut Random) -> f64 {
        match self {
            Self::Between { low, high } => random.between(*low, *high),
            Self::OneOf(values) => values.get(random.below(values.len())).copied().unwrap_or(0.0),
        }
    }

    /// The least and the greatest; none of nothing.
    pub fn bounds(&self) -> Option<[f64; 2]> {
        match self {
            Self::Between { low, high } => Some([*low, *high]),
            Self::OneOf(values) => {
                let first = *values.first()?;
                Some(
                    values
                        .iter()
                        .fold([first; 2], |[low, high], value| [low.min(*value), high.max(*value)]),
                )
            }
        }
    }
}

impl Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Between { low, high } if low.to_bits() == high.to_bits() => write!(f, "{low}"),
            Self::Between { low, high } => write!(f, "{low}..{high}"),
            Self::OneOf(values) => {
                f.write_str("{")?;
                for (index, value) in values.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{value}")?;
                }
                f.write_str("}")
            }
        }
    }
}
