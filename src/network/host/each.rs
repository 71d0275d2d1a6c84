//! Functions of each entry, on all cores, in loops that the compiler turns into vectors.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::scratch::{CHUNK, Unwritten, written};
use super::vector::{LANES, vectorized};

/// `function` of each entry. It must be `#[inline(always)]`.
pub(super) fn map(x: &[f32], function: impl Fn(f32) -> f32 + Sync) -> Vec<f32> {
    map_two(
        x,
        x,
        #[inline(always)]
        |x, _| function(x),
    )
}

/// `function` of the entries of both at each place. It must be `#[inline(always)]`.
pub(super) fn map_two(x: &[f32], y: &[f32], function: impl Fn(f32, f32) -> f32 + Sync) -> Vec<f32> {
    // SAFETY: whole blocks are written, then what is left over.
    unsafe {
        by_chunks(
            CHUNK,
            x,
            y,
            #[inline(always)]
            |values, x, y| {
                let ((x, last_x), (y, last_y)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
                let (values, last_values) = values.as_chunks_mut::<LANES>();
                for ((values, x), y) in values.iter_mut().zip(x).zip(y) {
                    *values = lanes(x, y, &function).map(MaybeUninit::new);
                }
                let (mut padded_x, mut padded_y) = ([0.0; LANES], [0.0; LANES]);
                padded_x[..last_x.len()].copy_from_slice(last_x);
                padded_y[..last_y.len()].copy_from_slice(last_y);
                let of_last = lanes(&padded_x, &padded_y, &function).map(MaybeUninit::new);
                last_values.copy_from_slice(&of_last[..last_x.len()]);
            },
        )
    }
}

/// `function`, which must be `#[inline(always)]`, of an entry and of the byte at its place. The compiler makes vectors of a plain
/// loop over floats and bytes, and none of blocks of them.
pub(super) fn map_masked(x: &[f32], mask: &[u8], function: impl Fn(f32, u8) -> f32 + Copy + Sync) -> Vec<f32> {
    // SAFETY: the three are of the same length, so that the loop writes each place.
    unsafe {
        by_chunks(
            CHUNK,
            x,
            mask,
            #[inline(always)]
            |values, x, mask| {
                // A copy: through a reference the compiler must assume that each value written may change what the function captured
                // (ReLU's slope), and makes no vectors.
                let own = function;
                for ((value, x), mask) in values.iter_mut().zip(x).zip(mask) {
                    value.write(own(*x, *mask));
                }
            },
        )
    }
}

/// What `write`, which must be `#[inline(always)]`, makes of the chunks of both, of `len` entries each.
///
/// # Safety
/// `write` must write every place of the first slice that it is given; all three are of the same length.
pub(super) unsafe fn by_chunks<T: Sync>(
    len: usize,
    x: &[f32],
    y: &[T],
    write: impl Fn(&mut Unwritten, &[f32], &[T]) + Sync,
) -> Vec<f32> {
    assert_eq!(x.len(), y.len());
    // SAFETY: `write` is given all of them, in chunks.
    unsafe {
        written(x.len(), |values| {
            let chunks = values.par_chunks_mut(len).zip(x.par_chunks(len)).zip(y.par_chunks(len));
            chunks.for_each(|((values, x), y)| {
                vectorized(
                    #[inline(always)]
                    || write(values, x, y),
                );
            });
        })
    }
}

/// `function` of the entries of two vectors: in a loop over slices, the compiler does not always find them.
#[inline(always)]
fn lanes(x: &[f32; LANES], y: &[f32; LANES], function: &impl Fn(f32, f32) -> f32) -> [f32; LANES] {
    let mut values = [0.0; LANES];
    for lane in 0..LANES {
        values[lane] = function(x[lane], y[lane]);
    }
    values
}
