//! The threads that compute.

use std::num::NonZero;

/// Threads for each of the machine's cores, at most: more only wait, and thousands of them exhaust the system.
const MOST_PER_CORE: usize = 8;

/// Limits `RAYON_NUM_THREADS` to a multiple of the machine's cores.
pub(super) fn bound() {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let most = cores.saturating_mul(MOST_PER_CORE);
    let asked = std::env::var("RAYON_NUM_THREADS")
        .ok()
        .and_then(|asked| asked.parse::<u128>().ok());
    if let Some(asked) = asked.filter(|asked| *asked > most as u128) {
        eprintln!("warning: RAYON_NUM_THREADS is {asked}; with {cores} cores, {most} threads compute");
        // It fails where threads compute already, and at the start of the program none do.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(most).build_global();
    }
}
