//! Memory for what a layer computes on its way, kept from layer to layer and from iteration to iteration.

use std::cell::RefCell;

thread_local! {
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Runs `work` with scratch space of `len` entries, whose contents are arbitrary.
pub(super) fn with_scratch<T>(len: usize, work: impl FnOnce(&mut [f32]) -> T) -> T {
    // Taken out rather than borrowed: while one matrix product waits for its threads, rayon may run another here.
    let mut scratch = SCRATCH.take();
    if scratch.len() < len {
        scratch.resize(len, 0.0);
    }
    let result = work(&mut scratch[..len]);
    SCRATCH.replace(scratch);
    result
}
