//! `info.txt`: parameters and results for people.

use std::fmt::Write;

use super::attributes::{self, Attributes};
use super::params::FindParams;
use crate::ascent::Record;

/// Columns that names are right-aligned to.
const NAME_WIDTH: usize = 30;

fn block(class: &str, attributes: &Attributes) -> String {
    let mut out = format!("{class}:\n");
    for (name, value) in attributes {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{name:>NAME_WIDTH$}: {}", value.shown());
    }
    out
}

/// Its first half: what was asked for.
pub fn params(params: FindParams<'_>) -> String {
    block("FindParams", &attributes::params(params))
}

/// The text of `info.txt`, to the letter as the original wrote it.
pub fn info(params: FindParams<'_>, record: &Record) -> String {
    let params = self::params(params);
    let results = block("FindResults", &attributes::results(record));
    format!("{params}\n\n{results}\n")
}
