//! Ctrl-C, and the other signals that ask a program to end: TERM, as containers and job schedulers send it, and HUP,
//! when a terminal goes away.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Once};

/// Exit code after such a signal: the one that shells give Ctrl-C.
pub(super) const INTERRUPTED: u8 = 130;

static CAME: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
static LISTENING: Once = Once::new();

/// What a person at a terminal is told on Ctrl-C, since an iteration may take long, as the first on a GPU does.
const TOLD: &str = "\nstopping after this iteration; Ctrl-C again ends at once\n";

/// From now on the first such signal ends the run after the current iteration, the second ends the program at once; whoever
/// types Ctrl-C is told so, unless the program is `quiet`.
pub(in crate::cli) fn listen(quiet: bool) {
    let tells = !quiet && std::io::stderr().is_terminal();
    LISTENING.call_once(|| system::listen(tells));
}

/// Whether one came.
pub(in crate::cli) fn came() -> bool {
    CAME.load(Ordering::Relaxed)
}

pub(in crate::cli) use system::listen_as_first_process;

#[cfg(unix)]
mod system {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::flag::{register, register_conditional_shutdown};
    use signal_hook::low_level;

    use super::{Arc, AtomicBool, CAME, INTERRUPTED, LazyLock, Ordering, TOLD};

    /// Whether a signal ends the first process at once.
    static AT_ONCE: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

    /// Those of the signals that the program was not started with ignored, as `nohup` does with HUP.
    fn signals() -> impl Iterator<Item = i32> {
        [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| {
            // SAFETY: asks for a signal's action, which is plain data, and changes none.
            unsafe {
                let mut action = std::mem::zeroed::<libc::sigaction>();
                let asked = libc::sigaction(*signal, std::ptr::null(), &raw mut action);
                asked != 0 || action.sa_sigaction != libc::SIG_IGN
            }
        })
    }

    /// The first process of a container does not get signals that it does not listen to, so that nothing but KILL would
    /// end it before it climbs: until then each ends it at once.
    pub(in crate::cli) fn listen_as_first_process() {
        if std::process::id() == 1 {
            for signal in signals() {
                let _ = register_conditional_shutdown(signal, i32::from(INTERRUPTED), AT_ONCE.clone());
            }
        }
    }

    pub(super) fn listen(tells: bool) {
        AT_ONCE.store(false, Ordering::Relaxed);
        for signal in signals() {
            // In this order, so that the first signal does not see what it sets itself. Without them a signal ends the
            // program at once, which loses nothing but the units at work.
            let _ = register_conditional_shutdown(signal, i32::from(INTERRUPTED), CAME.clone());
            let _ = register(signal, CAME.clone());
            if tells && signal == SIGINT {
                // SAFETY: `write` is safe in a signal handler, and nothing else is called there.
                let _ = unsafe {
                    low_level::register(signal, || {
                        libc::write(libc::STDERR_FILENO, TOLD.as_ptr().cast(), TOLD.len());
                    })
                };
            }
        }
    }
}

#[cfg(not(unix))]
mod system {
    use super::{CAME, INTERRUPTED, Ordering, TOLD};

    /// Only Unix has a first process.
    pub(in crate::cli) fn listen_as_first_process() {}

    pub(super) fn listen(tells: bool) {
        let _ = ctrlc::set_handler(move || {
            if CAME.swap(true, Ordering::Relaxed) {
                std::process::exit(i32::from(INTERRUPTED));
            }
            if tells {
                eprintln!("{}", TOLD.trim_end());
            }
        });
    }
}
