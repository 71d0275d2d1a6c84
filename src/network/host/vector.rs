//! Loops compiled for several instruction sets, of which the processor's best is chosen at run time: the program as a
//! whole is built for the oldest processors of its architecture.

use pulp::{Simd, WithSimd};

/// Numbers of float32 in the widest vector there is (AVX-512): what loops keep side by side, so that the compiler finds it, and
/// how many channels are transformed at once.
pub(super) const LANES: usize = 16;

/// Runs `work` with the widest vectors that the processor has.
#[inline]
pub fn with_vectors<W: WithSimd>(work: W) -> W::Output {
    // Tried one by one: pulp's own dispatch has AVX2 only with a feature that would compile burn a second time.
    #[cfg(target_arch = "x86_64")]
    {
        #[cfg(feature = "avx512")]
        if let Some(simd) = pulp::x86::V4::try_new() {
            return Simd::vectorize(simd, work);
        }
        if let Some(simd) = pulp::x86::V3::try_new() {
            return Simd::vectorize(simd, work);
        }
    }
    pulp::Arch::new().dispatch(work)
}

struct Loop<F>(F);

impl<T, F: FnOnce() -> T> WithSimd for Loop<F> {
    type Output = T;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> T {
        (self.0)()
    }
}

/// Runs plain loops, compiled for each instruction set. The results are the same with all of them, as the compiler
/// neither reorders sums nor fuses multiplications into them.
///
/// `work` must be `#[inline(always)]`, and so must what it calls: otherwise they are compiled once, for the oldest
/// processors.
#[inline]
pub fn vectorized<T>(work: impl FnOnce() -> T) -> T {
    with_vectors(Loop(work))
}

/// The sum of `term` over the places of two rows.
#[inline(always)]
pub(super) fn sum(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += term(*a, *b);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| term(*a, *b)).sum();
    sums.iter().sum::<f32>() + rest
}

/// Whether all of them are zero, of either sign.
#[inline(always)]
pub(super) fn is_zero(values: &[f32]) -> bool {
    // Without the sign bit, as -0.0 is zero too.
    values.iter().fold(0, |bits, value| bits | value.to_bits()) << 1 == 0
}
