//! Norm, distance and standard deviation of an image, in one pass and to NumPy's accuracy.

/// Entries that are summed up plainly before partial sums are added pairwise, as NumPy does.
const BLOCK: usize = 128;

/// The sum of `term(i)` for i in `[0, len)`, pairwise.
fn pairwise(len: usize, term: &impl Fn(usize) -> f64) -> f64 {
    fn sum(start: usize, len: usize, term: &impl Fn(usize) -> f64) -> f64 {
        if len <= BLOCK {
            let mut lanes = [0.0; 8];
            let mut i = start;
            while i + 8 <= start + len {
                for (lane, sum) in lanes.iter_mut().enumerate() {
                    *sum += term(i + lane);
                }
                i += 8;
            }
            let rest: f64 = (i..start + len).map(term).sum();
            return lanes.iter().sum::<f64>() + rest;
        }
        let half = len / 2 / 8 * 8;
        sum(start, half, term) + sum(start + half, len - half, term)
    }
    sum(0, len, term)
}

/// The figures that are recorded of an image in each iteration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImageStatistics {
    /// Euclidean norm of x.
    pub norm: f64,
    /// Euclidean distance of x from x0.
    pub dist: f64,
    /// Population standard deviation of x.
    pub std: f64,
}

/// The statistics of `x`, which started at `x0`.
#[expect(clippy::cast_precision_loss, reason = "images are far smaller than 2^52 entries")]
pub fn statistics(x: &[f64], x0: &[f64]) -> ImageStatistics {
    let len = x.len().min(x0.len());
    let (x, x0) = (&x[..len], &x0[..len]);
    let mean = pairwise(len, &|i| x[i]) / len as f64;
    let variance = pairwise(len, &|i| (x[i] - mean) * (x[i] - mean)) / len as f64;
    ImageStatistics {
        norm: pairwise(len, &|i| x[i] * x[i]).sqrt(),
        dist: pairwise(len, &|i| (x[i] - x0[i]) * (x[i] - x0[i])).sqrt(),
        std: variance.sqrt(),
    }
}

/// The norm of a gradient as the reference has it: rounded to float32.
#[expect(clippy::cast_possible_truncation, reason = "the reference computes it in float32")]
pub fn gradient_norm(gradient: &[f32]) -> f32 {
    pairwise(gradient.len(), &|i| f64::from(gradient[i]) * f64::from(gradient[i])).sqrt() as f32
}
