//! What keeps the image natural after each step (Section 3 of the paper): the settings.

use serde::{Deserialize, Serialize};

use super::error::{Error, Result};

/// Blurs of a smaller radius change the image in ways that the paper advises against.
pub const LEAST_USEFUL_RADIUS: f64 = 0.3;
/// The widest blur, in pixels.
pub const LARGEST_RADIUS: f64 = 1000.0;

/// The regularizers; 0 turns each off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Regularizers {
    /// L2 decay: the part of x that is taken away each iteration.
    pub decay: f64,
    /// Standard deviation of the Gaussian blur, in pixels.
    pub blur_radius: f64,
    /// Iterations from one blur to the next.
    pub blur_every: u64,
    /// Entries with an absolute value below this percentile become 0.
    pub small_val_percentile: f64,
    /// Pixels with a norm below this percentile become 0.
    pub small_norm_percentile: f64,
    /// Pixels with a contribution below this percentile become 0.
    pub px_benefit_percentile: f64,
    /// Pixels with an absolute contribution below this percentile become 0.
    pub px_abs_benefit_percentile: f64,
}

impl Regularizers {
    /// Checks that every number is in its range.
    ///
    /// # Errors
    /// [`Error::Setting`] with the first that is not.
    pub fn check(&self) -> Result<()> {
        let percentiles = [
            ("small_val_percentile", self.small_val_percentile),
            ("small_norm_percentile", self.small_norm_percentile),
            ("px_benefit_percentile", self.px_benefit_percentile),
            ("px_abs_benefit_percentile", self.px_abs_benefit_percentile),
        ];
        let ranges = [
            ("decay", self.decay, 1.0),
            ("blur_radius", self.blur_radius, LARGEST_RADIUS),
        ];
        let percentiles = percentiles.into_iter().map(|(name, value)| (name, value, 100.0));
        match ranges
            .into_iter()
            .chain(percentiles)
            .find(|(_, value, most)| !(0.0..=*most).contains(value))
        {
            Some((name, value, most)) => Err(Error::Setting(format!(
                "{name} {value} is out of range: it goes from 0 to {most}"
            ))),
            None => Ok(()),
        }
    }

    /// Whether the image is blurred at all.
    pub fn blurs(&self) -> bool {
        self.blur_radius > 0.0 && self.blur_every != 0
    }

    /// Whether the image is blurred after the step of `iteration`.
    pub(super) fn blur_is_due(&self, iteration: usize) -> bool {
        self.blurs() && (iteration as u64).is_multiple_of(self.blur_every)
    }
}
