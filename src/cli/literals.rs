//! Flags that are Python literals, and what they may be.

use super::error::{Error, Result};
use crate::ascent::{Schedule, Start};
use crate::model::preprocessing::{self, PartError};
use crate::output::original::Number;
use crate::python::{Value, literal};
use crate::session::Shard;

/// Parses a literal of a flag.
pub(super) fn parse(flag: &'static str, given: &str, expected: &'static str) -> Result<Value> {
    literal::parse(given).map_err(|message| wrong(flag, given, message, expected))
}

/// An error about a flag's value.
pub(super) fn wrong(flag: &'static str, given: &str, message: impl Into<String>, expected: &'static str) -> Error {
    Error::Literal {
        flag,
        given: given.to_owned(),
        message: message.into(),
        expected,
    }
}

/// A float flag: a given number is a float, as argparse's `type=float` makes it.
pub(super) fn float(
    flag: &'static str,
    given: &str,
    range: std::ops::RangeInclusive<f64>,
    expected: &'static str,
) -> Result<Number> {
    let value: f64 = given
        .trim()
        .parse()
        .map_err(|_| wrong(flag, given, "it is not a number", expected))?;
    if !value.is_finite() || !range.contains(&value) {
        return Err(wrong(flag, given, "it is out of range", expected));
    }
    Ok(Number::Float(value))
}

/// A percentile, 0 to 100.
pub(super) fn percentile(flag: &'static str, given: &str) -> Result<Number> {
    float(flag, given, 0.0..=100.0, "a percentile from 0 to 100")
}

/// `--shard`: a part and their number.
pub(super) fn shard(given: &str) -> Result<Shard> {
    given.parse().map_err(|_| {
        wrong(
            "--shard",
            given,
            "that is no part of a whole",
            "a part and their number: 1/2 and 2/2 of two, from 1/16 to 16/16 of sixteen",
        )
    })
}

/// Rows and columns: "(227,227)", or one number for both.
pub(super) fn data_size(given: &str) -> Result<[usize; 2]> {
    const EXPECTED: &str = "rows and columns, such as \"(227,227)\"";
    preprocessing::data_size(given).map_err(|message| wrong("--data-size", given, message, EXPECTED))
}

/// A part of how the network takes images that is not understood.
pub(super) fn part(error: PartError) -> Error {
    const CHANNELS: &str = "the channels that are red, green and blue, such as \"(2,1,0)\"";
    const STD: &str = "a number, or one per channel such as (58.395,57.12,57.375)";
    const SCALE: &str = "a number such as 0.017, or one per channel";
    match error {
        PartError::Swap(given, message) => wrong("--channel-swap-to-rgb", &given, message, CHANNELS),
        PartError::Std(given, message) => wrong("--input-std", &given, message, STD),
        PartError::Scale(given, message) => wrong("--input-scale", &given, message, SCALE),
        PartError::SwapAndOrder => {
            Error::Usage("--channel-swap-to-rgb and --channel-order say the same thing: give one of them".into())
        }
        PartError::StdAndScale => Error::Usage(
            "--input-std and --input-scale say the same thing (a scale is 1 / std): give one of them".into(),
        ),
    }
}

/// Where to push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spatial {
    /// `None`: (0, 0).
    Unset,
    /// A row and a column.
    At([usize; 2]),
    /// The middle of the layer.
    Center,
    /// A token, by its number.
    Token(usize),
    /// The class token.
    ClassToken,
    /// All places: their mean.
    Mean,
}

/// `--push-spatial`.
pub(super) fn spatial(given: &str) -> Result<Spatial> {
    const EXPECTED: &str = "a row and a column such as \"(6,6)\", center, None, or for tokens a number or cls, or mean";
    let flag = "--push-spatial";
    match given.trim().to_ascii_lowercase().as_str() {
        "center" => return Ok(Spatial::Center),
        "cls" => return Ok(Spatial::ClassToken),
        "mean" => return Ok(Spatial::Mean),
        _ => {}
    }
    let value = parse(flag, given, EXPECTED)?;
    match (&value, value.as_sizes().as_deref()) {
        (Value::None, _) => Ok(Spatial::Unset),
        (Value::Int(token), _) => usize::try_from(*token)
            .map(Spatial::Token)
            .map_err(|_| wrong(flag, given, "tokens count from 0", EXPECTED)),
        (_, Some([row, column])) => Ok(Spatial::At([*row, *column])),
        _ => Err(wrong(flag, given, "that is not a place", EXPECTED)),
    }
}

/// `--push-dir`: a given one is a float, as argparse's `type=float` makes it.
pub(super) fn push_dir(given: &str) -> Result<Number> {
    const EXPECTED: &str = "a number other than 0: 1 to maximize, -1 to minimize";
    let flag = "--push-dir";
    let number = float(flag, given, f64::MIN..=f64::MAX, EXPECTED)?;
    if number.value() == 0.0 {
        return Err(wrong(flag, given, "nothing is pushed by 0", EXPECTED));
    }
    Ok(number)
}

/// `--start-at`.
pub(super) fn start_at(given: &str) -> Start {
    match given {
        "randu" => Start::Randu,
        "mean" => Start::Mean,
        _ => Start::MeanPlusRand,
    }
}

/// `--lr-policy` and `--lr-params` together.
pub(super) fn learning_rate(policy: &str, given: &str) -> Result<(Schedule, Value)> {
    const EXPECTED: &str = "a Python dict, such as \"{'lr': 100.0}\"";
    let flag = "--lr-params";
    let value = match parse(flag, given, EXPECTED)? {
        // A bare number is a constant rate.
        rate @ (Value::Int(_) | Value::Float(_)) if policy == "constant" => {
            Value::Dict(vec![(Value::Str("lr".into()), rate)])
        }
        value => value,
    };
    let Value::Dict(entries) = &value else {
        return Err(wrong(flag, given, "that is not a dict", EXPECTED));
    };
    let key = |name: &str| {
        let entry = entries
            .iter()
            .find(|(key, _)| *key == Value::Str(name.to_owned()))
            .map(|(_, value)| value);
        let number = entry
            .ok_or_else(|| {
                wrong(
                    flag,
                    given,
                    format!("--lr-policy {policy} requires the key '{name}'"),
                    EXPECTED,
                )
            })?
            .as_number();
        match number {
            // No limit at all is a limit that the original took.
            Some(number) if number.is_finite() || (name == "max_lr" && number == f64::INFINITY) => Ok(number),
            _ => Err(wrong(
                flag,
                given,
                format!("'{name}' must be a finite number"),
                EXPECTED,
            )),
        }
    };
    match Schedule::of_policy(policy, key)? {
        Some(rate) => Ok((rate, value)),
        None => Err(wrong(
            "--lr-policy",
            policy,
            "there is none",
            "constant, progress or progress01",
        )),
    }
}

/// `--input-shape`: batch, channels, rows, columns.
pub(super) fn input_shape(given: &str) -> Result<Vec<usize>> {
    const EXPECTED: &str = "batch,channels,rows,columns such as 1,3,32,32";
    const LARGEST: usize = 1 << 15;
    let sizes: Option<Vec<usize>> = given
        .trim_matches(['(', ')'])
        .split(',')
        .map(|part| part.trim().parse().ok())
        .collect();
    match sizes {
        Some(sizes) if sizes.len() == 4 && sizes.iter().all(|size| (1..=LARGEST).contains(size)) => Ok(sizes),
        _ => Err(wrong("--input-shape", given, "that is not a shape", EXPECTED)),
    }
}

/// `--max-memory`: bytes, with K, M or G.
pub(super) fn memory(given: &str) -> Result<u64> {
    const EXPECTED: &str = "a size such as 512M or 4G";
    let text = given.trim().trim_end_matches(['b', 'B']);
    let (number, unit) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 1u64 << 10),
        Some((at, 'm' | 'M')) => (&text[..at], 1 << 20),
        Some((at, 'g' | 'G')) => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    number
        .trim()
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| wrong("--max-memory", given, "that is not a size", EXPECTED))
}
