//! Loops compiled for the vector instructions that the processor turns out to have: the program itself is built for the oldest
//! of its kind.

use pulp::{Simd, WithSimd};

/// Runs `work` with the widest vectors that the processor has.
#[inline]
pub fn with_vectors<W: WithSimd>(work: W) -> W::Output {
    // Asked one by one, for pulp's own choice knows AVX2 only with a feature that would compile burn a second time.
    #[cfg(target_arch = "x86_64")]
    {
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

/// Runs plain loops, compiled anew for each kind of processor. The results are the same on all, for the compiler never
/// reorders sums nor fuses products into them.
///
/// `work` must be `#[inline(always)]`, and so must what it calls, or they stay as they are.
#[inline]
pub fn vectorized<T>(work: impl FnOnce() -> T) -> T {
    with_vectors(Loop(work))
}
