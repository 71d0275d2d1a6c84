//! NumPy's percentile, with linear interpolation.

/// `numpy.percentile(values, percent)`; NaN of nothing.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions in an image"
)]
pub fn percentile(values: &[f64], percent: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else {
        return f64::NAN;
    };
    let position = last as f64 * (percent / 100.0).clamp(0.0, 1.0);
    let below = (position.floor() as usize).min(last);
    let mut values = values.to_vec();
    let (_, low, above) = values.select_nth_unstable_by(below, f64::total_cmp);
    let low = *low;
    let high = above.iter().copied().min_by(f64::total_cmp).unwrap_or(low);
    let part = position - below as f64;
    // NumPy interpolates from the nearer end.
    if part >= 0.5 {
        high - (high - low) * (1.0 - part)
    } else {
        low + (high - low) * part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures of `numpy.percentile`.
    #[test]
    fn interpolates_as_numpy_does() {
        let values = [3.0, 1.0, 2.0, 5.0];
        assert_eq!(percentile(&values, 50.0), 2.5);
        assert_eq!(percentile(&values, 90.0), 4.4);
        assert_eq!(percentile(&values, 100.0), 5.0);
        assert_eq!(percentile(&values, 0.0), 1.0);
        assert_eq!(percentile(&[7.0], 30.0), 7.0);
    }
}
