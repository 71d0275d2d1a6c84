//! The `deepvis` program; see the library for what it does.

use std::process::ExitCode;

use deepvis::heap::LargePages;

/// Weights and blobs are large.
#[global_allocator]
static ALLOCATOR: LargePages = LargePages;

fn main() -> ExitCode {
    deepvis::cli::run()
}
