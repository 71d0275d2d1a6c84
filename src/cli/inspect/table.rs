//! Layers as rows of a table, one layer in detail, and what the whole network has.

use std::borrow::Cow;
use std::ops::Range;

use deepvis_importer::Doubt;

use super::Report;
use crate::cli::stdout::out;
use crate::network::{LayerFacts, gigabytes};

/// Whether a layer can be pushed, and what of its settings is not known.
fn pushable(fact: &LayerFacts, doubts: &[Doubt]) -> String {
    let unknown: Vec<&str> = doubts
        .iter()
        .filter(|doubt| doubt.layer == fact.name)
        .map(|doubt| doubt.field.as_str())
        .collect();
    match &fact.problem {
        Some(problem) => format!("no: {problem}"),
        None if fact.is_input => "no: the input".to_owned(),
        None if unknown.is_empty() => "yes".to_owned(),
        None => format!("yes, but it may compute otherwise: {} is not known", unknown.join(", ")),
    }
}

fn shapes(fact: &LayerFacts) -> String {
    let shape = |shape: &Vec<usize>| {
        shape
            .iter()
            .skip(1)
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" x ")
    };
    fact.shapes.iter().map(shape).collect::<Vec<_>>().join(", ")
}

/// Thousands apart, to be read.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// The same, nothing for none.
pub(super) fn or_blank(number: u64) -> String {
    if number == 0 { String::new() } else { grouped(number) }
}

/// The widest column, in characters: what is longer pushes the rest of its own line to the right, and not that of all others.
const WIDEST: usize = 60;
/// The longest text of a cell: names may have thousands of characters.
const LONGEST: usize = 160;

/// A cell's text, without its end where it is too long.
fn cell(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// Prints rows below each other, columns of `numbers` to the right; the last column has no width.
pub(super) fn columns<const N: usize>(rows: &[[String; N]], numbers: Range<usize>) {
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0).min(WIDEST)
    };
    let widths: Vec<usize> = (0..N - 1).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for (column, (text, width)) in row.iter().zip(&widths).enumerate() {
            let text = cell(text);
            line += &if numbers.contains(&column) {
                format!("{text:>width$}  ")
            } else {
                format!("{text:<width$}  ")
            };
        }
        out!("{line}{}", cell(&row[N - 1]));
    }
}

pub(super) fn table(report: &Report) {
    let rows: Vec<[String; 6]> = report
        .layers
        .iter()
        .map(|fact| {
            let pushable = pushable(fact, &report.doubts);
            [
                fact.name.clone(),
                fact.kind.clone(),
                shapes(fact),
                or_blank(fact.parameters),
                or_blank(fact.multiply_adds),
                pushable,
            ]
        })
        .collect();
    let head = [
        "layer",
        "type",
        "output",
        "parameters",
        "multiply-adds",
        "can be pushed",
    ]
    .map(str::to_owned);
    columns(&[vec![head], rows].concat(), 3..5);
    out!("\n{}", sums(report));
    memory_line(report);
}

/// What the whole network has.
pub(super) fn sums(report: &Report) -> String {
    format!(
        "{} layers, {} parameters, {} multiply-adds an image",
        report.layers.len(),
        grouped(report.parameters),
        grouped(report.multiply_adds)
    )
}

/// What climbing takes.
pub(super) fn memory_line(report: &Report) {
    if let Some(bytes) = &report.bytes {
        out!(
            "memory: about {} for a unit of the last layer, {} for 16 of them together",
            gigabytes(bytes.one),
            gigabytes(bytes.sixteen)
        );
    }
}

pub(super) fn detail(fact: &LayerFacts, doubts: &[Doubt]) {
    out!("{} ({})", fact.name, fact.kind);
    out!("  reads          {}", fact.bottoms.join(", "));
    out!("  writes         {}", fact.tops.join(", "));
    out!("  output         {}", shapes(fact));
    if let (Some(axes), Some(shape)) = (fact.axes.first(), fact.shapes.first())
        && !axes.names(shape).is_empty()
    {
        let token = if axes.class_token {
            "; token 0 is the class token"
        } else {
            ""
        };
        out!("  axes           {}{token}", axes.names(shape).join(" x "));
    }
    out!("  parameters     {}", grouped(fact.parameters));
    out!("  multiply-adds  {}", grouped(fact.multiply_adds));
    out!("  can be pushed  {}", pushable(fact, doubts));
}
