//! Lines for the user: results on standard output, messages on standard error. A reader that goes away, as `head` does,
//! ends neither the work nor the program, and control characters in names from files do not reach the terminal.

use std::borrow::Cow;
use std::fmt::{Arguments, Write as _};
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether results did not get where they should, for another reason than that nobody reads them.
static LOST: AtomicBool = AtomicBool::new(false);

/// Prints a line of results.
pub(super) fn line(text: Arguments<'_>) {
    let text = text.to_string();
    if let Err(error) = writeln!(std::io::stdout().lock(), "{}", printable(&text))
        && error.kind() != ErrorKind::BrokenPipe
        && !LOST.swap(true, Ordering::Relaxed)
    {
        note(format_args!("deepvis: cannot write to standard output: {error}"));
    }
}

/// Prints a message. Where nobody reads it there is nobody to tell.
pub(super) fn note(text: Arguments<'_>) {
    let text = text.to_string();
    let _ = writeln!(std::io::stderr().lock(), "{}", printable(&text));
}

/// Whether some results of [`line`] could not be written.
pub(super) fn is_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// A text with its control characters spelled out, but for the ends of lines and tabulators: names of layers and labels
/// come from files, and terminals obey what they are sent. So are the characters that turn the direction of writing
/// around.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    let steers = |c: char| {
        (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if steers(c) {
            // Writing to a string cannot fail.
            let _ = write!(shown, "{}", c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// `println!`, without its panic when nobody reads.
macro_rules! out {
    ($($arguments:tt)*) => {
        $crate::cli::stdout::line(format_args!($($arguments)*))
    };
}
pub(super) use out;

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn control_characters_are_spelled_out() {
        assert_eq!(printable("conv1\ta\nb é"), "conv1\ta\nb é");
        assert_eq!(
            printable("a\u{1b}]0;b\u{7}\r\u{9b}c\u{202e}"),
            "a\\u{1b}]0;b\\u{7}\\r\\u{9b}c\\u{202e}"
        );
    }
}
