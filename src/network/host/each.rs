//! Functions of each entry, on all cores, in loops that the compiler turns into vectors.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::scratch::CHUNK;
use super::vector::vectorized;

/// `function` of each entry. It must be `#[inline(always)]`.
pub(super) fn map(x: &[f32], function: impl Fn(f32) -> f32 + Sync) -> Vec<f32> {
    written(x.len(), |first, values| {
        let x = &x[first..][..values.len()];
        for (value, x) in values.iter_mut().zip(x) {
            value.write(function(*x));
        }
    })
}

/// `function` of the entries of both at each place. It must be `#[inline(always)]`.
pub(super) fn map_two<T: Copy + Sync>(x: &[f32], y: &[T], function: impl Fn(f32, T) -> f32 + Sync) -> Vec<f32> {
    assert_eq!(x.len(), y.len());
    written(x.len(), |first, values| {
        let (x, y) = (&x[first..][..values.len()], &y[first..][..values.len()]);
        for ((value, x), y) in values.iter_mut().zip(x).zip(y) {
            value.write(function(*x, *y));
        }
    })
}

/// Memory that is not cleared before: `write` gets chunks of it with their places, and writes each entry.
fn written(len: usize, write: impl Fn(usize, &mut [MaybeUninit<f32>]) + Sync) -> Vec<f32> {
    let mut values = Vec::with_capacity(len);
    let chunks = values.spare_capacity_mut()[..len].par_chunks_mut(CHUNK).enumerate();
    chunks.for_each(|(chunk, values)| {
        vectorized(
            #[inline(always)]
            || write(chunk * CHUNK, values),
        );
    });
    // SAFETY: there is room for `len` entries, and both callers write each entry of each chunk: their inputs are as long as it.
    unsafe { values.set_len(len) };
    values
}
