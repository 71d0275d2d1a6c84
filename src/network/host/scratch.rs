//! Working memory of a thread, kept from layer to layer and from iteration to iteration, and memory for results.

use std::cell::RefCell;
use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::gemm::Cores;

thread_local! {
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Entries of a result that nobody has written yet.
pub(super) type Unwritten = [MaybeUninit<f32>];

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
pub(super) fn zeros<T: Copy + Default + Send + Sync>(len: usize) -> Vec<T> {
    // SAFETY: all are cleared.
    unsafe {
        written(len, |entries| {
            cleared(entries, Cores::All);
        })
    }
}

/// A result of `len` entries that `write` writes: to clear them before would take as long as some layers do.
///
/// # Safety
/// `write` must write each entry.
pub(super) unsafe fn written<T>(len: usize, write: impl FnOnce(&mut [MaybeUninit<T>])) -> Vec<T> {
    let mut values = Vec::with_capacity(len);
    if cfg!(debug_assertions) {
        // What is left out shows: all bits set are no number.
        // SAFETY: there is room for `len` entries, and bytes may be written to memory that holds nothing yet.
        unsafe { std::ptr::write_bytes(values.as_mut_ptr(), u8::MAX, len) };
    }
    write(&mut values.spare_capacity_mut()[..len]);
    // SAFETY: there is room for `len` entries, and each has been written.
    unsafe { values.set_len(len) };
    values
}

/// The entries, all of which are zero then.
pub(super) fn cleared<T: Copy + Default + Send + Sync>(entries: &mut [MaybeUninit<T>], cores: Cores) -> &mut [T] {
    let zero = MaybeUninit::new(T::default());
    match cores {
        Cores::All => entries.par_chunks_mut(CHUNK).for_each(|chunk| chunk.fill(zero)),
        Cores::One => entries.fill(zero),
    }
    // SAFETY: each has been written.
    unsafe { entries.assume_init_mut() }
}

/// A place for an entry of a result, which is written before it is read.
///
/// # Safety
/// It must be laid out as a float32.
pub(super) unsafe trait Place: Send {}

// SAFETY: it is one.
unsafe impl Place for f32 {}

// SAFETY: it is laid out as what it may hold.
unsafe impl Place for MaybeUninit<f32> {}
