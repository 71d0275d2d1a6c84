//! Ctrl-C.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// Exit code after Ctrl-C, as shells give it.
pub(super) const INTERRUPTED: u8 = 130;

static CAME: AtomicBool = AtomicBool::new(false);
static LISTENING: Once = Once::new();

/// From now on the first Ctrl-C lets the iteration be finished; the second ends the program at once.
pub(super) fn listen() {
    LISTENING.call_once(|| {
        // Without a handler Ctrl-C ends the program at once, which loses nothing but the units at work.
        let _ = ctrlc::set_handler(|| {
            if CAME.swap(true, Ordering::Relaxed) {
                std::process::exit(i32::from(INTERRUPTED));
            }
        });
    });
}

/// Whether Ctrl-C was pressed.
pub(super) fn came() -> bool {
    CAME.load(Ordering::Relaxed)
}
