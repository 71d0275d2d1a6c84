//! Norm, distance and standard deviation of an image, in one pass and to NumPy's accuracy.

/// Length of the plain sums whose results are added pairwise, as NumPy's `pairwise_sum` does.
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

/// Running sums of the reference's dot product: 4 vectors of 16.
const LANES: usize = 64;

/// The norm of a gradient, in float32 as the reference has it.
///
/// The reference is NumPy's norm by way of OpenBLAS' `sdot`, which keeps 64 float32 sums by fused multiply-add. Its
/// rounding (1e-6 or so) sets the learning rate of `progress`, so that steps are only reproduced to 1e-9 when it is
/// repeated here.
#[expect(clippy::cast_possible_truncation, reason = "the reference sums up in float32")]
pub fn gradient_norm(gradient: &[f32]) -> f32 {
    let (blocks, rest) = gradient.as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for block in blocks {
        for (sum, value) in sums.iter_mut().zip(block) {
            *sum = (f64::from(*value) * f64::from(*value) + f64::from(*sum)) as f32;
        }
    }
    let mut lanes = [0.0f32; 16];
    for vector in sums.chunks(16) {
        for (lane, sum) in lanes.iter_mut().zip(vector) {
            *lane += sum;
        }
    }
    let mut width = lanes.len();
    while width > 1 {
        width /= 2;
        for i in 0..width {
            lanes[i] = lanes[2 * i] + lanes[2 * i + 1];
        }
    }
    let rest: f64 = rest.iter().map(|value| f64::from(value * value)).sum();
    ((f64::from(lanes[0]) + rest) as f32).sqrt()
}
