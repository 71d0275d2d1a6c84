//! What graphics drivers write on standard error while they are asked what there is, such as "error: XDG_RUNTIME_DIR is
//! invalid" on a machine without a desktop.

use crate::backend::{Adapter, adapters};

/// All adapters, without the chatter of their drivers.
pub(super) fn adapters_quietly() -> Vec<Adapter> {
    let _silence = silence::Silence::begin();
    adapters()
}

#[cfg(unix)]
mod silence {
    use std::fs::File;
    use std::os::fd::{AsFd, AsRawFd, OwnedFd};

    /// While it lives nothing reaches standard error.
    pub(super) struct Silence {
        before: Option<OwnedFd>,
    }

    impl Silence {
        /// Where standard error cannot be turned away it stays as it is.
        pub(super) fn begin() -> Self {
            let before = std::io::stderr().as_fd().try_clone_to_owned().ok();
            if before.is_some()
                && let Ok(nowhere) = File::options().write(true).open("/dev/null")
            {
                point_to(nowhere.as_raw_fd());
            }
            Self { before }
        }
    }

    impl Drop for Silence {
        fn drop(&mut self) {
            if let Some(before) = &self.before {
                point_to(before.as_raw_fd());
            }
        }
    }

    fn point_to(descriptor: i32) {
        // SAFETY: makes standard error another name of an open descriptor, which changes no memory.
        unsafe {
            libc::dup2(descriptor, libc::STDERR_FILENO);
        }
    }
}

#[cfg(not(unix))]
mod silence {
    /// Other systems' drivers say nothing.
    pub(super) struct Silence;

    impl Silence {
        pub(super) fn begin() -> Self {
            Self
        }
    }
}
