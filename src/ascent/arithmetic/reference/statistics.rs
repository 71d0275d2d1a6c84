//! Norm, distance and standard deviation of an image, to NumPy's accuracy.

use rayon::join;

use super::CHUNK;
use crate::network::host::vectorized;

/// Length of the plain sums whose results are added pairwise, as NumPy's `pairwise_sum` does.
const BLOCK: usize = 128;
/// Sums of a block, which are added up at its end.
const SUMS: usize = 8;

/// The sums of `term`, pairwise, over the places of two slices of one length. `term` must be `#[inline(always)]`.
///
/// Where a sum is split depends on the length alone, so that its last bits do not depend on the number of cores.
fn pairwise<const N: usize>(x: &[f64], y: &[f64], term: impl Fn(f64, f64) -> [f64; N] + Copy + Sync) -> [f64; N] {
    let len = x.len();
    if len <= BLOCK {
        return vectorized(
            #[inline(always)]
            || block(x, y, term),
        );
    }
    let half = len / 2 / SUMS * SUMS;
    let ((x, more_x), (y, more_y)) = (x.split_at(half), y.split_at(half));
    let (sums, more) = (|| pairwise(x, y, term), || pairwise(more_x, more_y, term));
    let (sums, more) = if len > CHUNK {
        join(sums, more)
    } else {
        (sums(), more())
    };
    std::array::from_fn(|which| sums[which] + more[which])
}

/// The sums of `term` over the places of a block.
#[inline(always)]
fn block<const N: usize>(x: &[f64], y: &[f64], term: impl Fn(f64, f64) -> [f64; N]) -> [f64; N] {
    let ((x, last_x), (y, last_y)) = (x.as_chunks::<SUMS>(), y.as_chunks::<SUMS>());
    let mut sums = [[0.0; SUMS]; N];
    for (x, y) in x.iter().zip(y) {
        for place in 0..SUMS {
            let terms = term(x[place], y[place]);
            for which in 0..N {
                sums[which][place] += terms[which];
            }
        }
    }
    std::array::from_fn(|which| {
        let rest: f64 = last_x.iter().zip(last_y).map(|(x, y)| term(*x, *y)[which]).sum();
        sums[which].iter().sum::<f64>() + rest
    })
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
    let [sum, square, distance] = pairwise(
        x,
        x0,
        #[inline(always)]
        |x, x0| [x, x * x, (x - x0) * (x - x0)],
    );
    let mean = sum / len as f64;
    let [deviation] = pairwise(
        x,
        x,
        #[inline(always)]
        |x, _| [(x - mean) * (x - mean)],
    );
    ImageStatistics {
        norm: square.sqrt(),
        dist: distance.sqrt(),
        std: (deviation / len as f64).sqrt(),
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
    vectorized(
        #[inline(always)]
        || {
            for block in blocks {
                for (sum, value) in sums.iter_mut().zip(block) {
                    *sum = (f64::from(*value) * f64::from(*value) + f64::from(*sum)) as f32;
                }
            }
        },
    );
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

#[cfg(test)]
mod tests {
    use rayon::ThreadPoolBuilder;

    use super::*;

    /// Lengths about those at which sums are split, and of images.
    const LENGTHS: [usize; 9] = [0, 1, 7, 127, 129, CHUNK, CHUNK + 1, 3 * 227 * 227, 154_587 + 5];

    /// Whole numbers, of which all sums are exact.
    #[test]
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn every_place_counts_once() {
        for len in LENGTHS {
            let x: Vec<f64> = (0..len).map(|i| (i % 8) as f64).collect();
            let x0: Vec<f64> = (0..len).map(|i| (i % 3) as f64).collect();
            let found = statistics(&x, &x0);
            let squares: usize = (0..len).map(|i| (i % 8) * (i % 8)).sum();
            let distance: usize = (0..len).map(|i| (i % 8).abs_diff(i % 3).pow(2)).sum();
            assert_eq!(found.norm, (squares as f64).sqrt(), "{len}");
            assert_eq!(found.dist, (distance as f64).sqrt(), "{len}");
            if len > 0 && len % 8 == 0 {
                // The mean is 3.5, and (0 - 3.5)^2 and so on 5.25 in the mean.
                assert_eq!(found.std, 5.25f64.sqrt(), "{len}");
            }
        }
        assert!(statistics(&[], &[]).std.is_nan(), "as NumPy says of nothing");
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn bits_do_not_depend_on_threads() {
        let on = |threads: usize, len: usize| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            let x: Vec<f64> = (0..len).map(|i| (i as f64).sin() * 100.0).collect();
            let x0: Vec<f64> = (0..len).map(|i| (i as f64).cos()).collect();
            let ImageStatistics { norm, dist, std } = pool.install(|| statistics(&x, &x0));
            [norm, dist, std].map(f64::to_bits)
        };
        for len in LENGTHS {
            assert_eq!(on(1, len), on(3, len), "{len}");
        }
    }
}
