//! Failures on the GPU backends' own threads. Burn does not return them: it logs a warning, leaves the result out, and
//! goes on. They are collected from the log.

use std::panic;
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

use log::{Level, LevelFilter, Log, Metadata, Record};

/// Where burn's GPU backends run tasks on a thread of their own, and log those that panicked.
const TASKS: &str = "cubecl_common::device";
/// What the names of these threads begin with.
const THREADS: &str = "DSD-";

static FIRST: Mutex<Option<String>> = Mutex::new(None);

struct Watch;

impl Log for Watch {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Warn && metadata.target().starts_with(TASKS)
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let mut first = FIRST.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert_with(|| record.args().to_string());
        }
    }

    fn flush(&self) {}
}

/// Begins to notice failures, and keeps their threads from printing them: most come from kernels that burn tries and
/// rejects, which is no failure. Later calls change nothing; where a program around this library listens to the log
/// already, failures go there alone.
pub fn watch() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        if log::set_logger(&Watch).is_err() {
            return;
        }
        log::set_max_level(LevelFilter::Warn);
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !thread::current().name().is_some_and(|name| name.starts_with(THREADS)) {
                usual(panic);
            }
        }));
    });
}

/// The first failure since the last call, if any. Results computed in between must not be used.
pub fn take() -> Option<String> {
    FIRST.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_device_thread_lost_is_a_failure() {
        watch();
        log::warn!(target: "cubecl_runtime::tune::schedule", "a kernel was rejected");
        assert_eq!(take(), None);
        log::warn!(target: "cubecl_common::device::handle::channel", "the first");
        log::warn!(target: "cubecl_common::device::handle::channel", "the second");
        assert_eq!(take().as_deref(), Some("the first"));
        assert_eq!(take(), None);
    }
}
