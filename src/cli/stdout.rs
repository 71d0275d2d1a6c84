//! Results on standard output. A reader that has gone, as `head` goes, ends the program quietly.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// Prints a line.
pub(super) fn line(text: Arguments<'_>) {
    if let Err(error) = writeln!(std::io::stdout().lock(), "{text}") {
        let code = if error.kind() == ErrorKind::BrokenPipe { 0 } else { 1 };
        std::process::exit(code);
    }
}

/// `println!`, without its panic when nobody reads.
macro_rules! out {
    ($($arguments:tt)*) => {
        $crate::cli::stdout::line(format_args!($($arguments)*))
    };
}
pub(super) use out;
