//! Working memory of a thread, kept from layer to layer and from iteration to iteration, and zeroed memory for results.

use std::cell::RefCell;
use std::mem::MaybeUninit;

use rayon::prelude::*;

thread_local! {
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Runs `work` with scratch space of `len` entries, whose contents are arbitrary.
pub(super) fn with_scratch<T>(len: usize, work: impl FnOnce(&mut [f32]) -> T) -> T {
    // Taken out rather than borrowed: while a product waits for its parts, rayon may run another task on this thread,
    // which needs scratch space too.
    let mut scratch = SCRATCH.take();
    if scratch.len() < len {
        scratch.resize(len, 0.0);
    }
    let result = work(&mut scratch[..len]);
    SCRATCH.replace(scratch);
    result
}

/// Entries of a parallel task in loops over single entries.
pub(super) const CHUNK: usize = 1 << 14;

/// Zeros, written by all cores: by one, it would take a tenth of a small network's iteration.
pub(super) fn zeros<T: Copy + Default + Send>(len: usize) -> Vec<T> {
    let mut values = Vec::with_capacity(len);
    let chunks = values.spare_capacity_mut()[..len].par_chunks_mut(CHUNK);
    chunks.for_each(|chunk| chunk.fill(MaybeUninit::new(T::default())));
    // SAFETY: there is room for `len` entries, and each has been written.
    unsafe { values.set_len(len) };
    values
}
