//! `info.txt`: parameters and results for people.

use std::fmt::Write;

use super::attributes::{self, Attributes};
use crate::optimizer::{Params, Results};

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
pub fn params(params: &Params) -> String {
    block("FindParams", &attributes::params(params))
}

/// The text of `info.txt`, to the letter as the original wrote it.
pub fn info(params: &Params, results: &Results) -> String {
    let params = self::params(params);
    let results = block("FindResults", &attributes::results(results));
    format!("{params}\n\n{results}\n")
}
