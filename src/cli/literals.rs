//! Flags that are Python literals, and what they may be.

use super::error::{Error, Result};
use crate::optimizer::{LearningRate, Number, StartAt};
use crate::python::{Value, literal};

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
pub(super) fn percentile(flag: &'static str, given: Option<&str>) -> Result<Number> {
    given.map_or(Ok(Number::Int(0)), |given| {
        float(flag, given, 0.0..=100.0, "a percentile from 0 to 100")
    })
}

/// Rows and columns: "(227,227)", or one number for both.
pub(super) fn data_size(given: &str) -> Result<[usize; 2]> {
    const EXPECTED: &str = "rows and columns, such as \"(227,227)\"";
    const LARGEST: usize = 1 << 15;
    let flag = "--data-size";
    let value = parse(flag, given, EXPECTED)?;
    let size = match (&value, value.as_sizes().as_deref()) {
        (Value::Int(side), _) => usize::try_from(*side).ok().map(|side| [side, side]),
        (_, Some([rows, columns])) => Some([*rows, *columns]),
        _ => None,
    };
    match size {
        Some(size) if size.iter().all(|side| (1..=LARGEST).contains(side)) => Ok(size),
        Some(_) => Err(wrong(
            flag,
            given,
            format!("each must be from 1 to {LARGEST}"),
            EXPECTED,
        )),
        None => Err(wrong(flag, given, "that is not a size", EXPECTED)),
    }
}

/// A permutation of three channels.
pub(super) fn channel_swap(given: &str) -> Result<[usize; 3]> {
    const EXPECTED: &str = "a permutation of three channels, such as \"(2,1,0)\"";
    let flag = "--channel-swap-to-rgb";
    let sizes = parse(flag, given, EXPECTED)?.as_sizes().unwrap_or_default();
    match <[usize; 3]>::try_from(sizes) {
        Ok(swap) if [0, 1, 2].iter().all(|channel| swap.contains(channel)) => Ok(swap),
        _ => Err(wrong(flag, given, "that is not a permutation of (0,1,2)", EXPECTED)),
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
}

/// `--push-spatial`.
pub(super) fn spatial(given: &str) -> Result<Spatial> {
    const EXPECTED: &str = "a row and a column such as \"(6,6)\", center, or None";
    let flag = "--push-spatial";
    if given.trim().eq_ignore_ascii_case("center") {
        return Ok(Spatial::Center);
    }
    let value = parse(flag, given, EXPECTED)?;
    match (&value, value.as_sizes().as_deref()) {
        (Value::None, _) => Ok(Spatial::Unset),
        (_, Some([row, column])) => Ok(Spatial::At([*row, *column])),
        _ => Err(wrong(flag, given, "that is not a place", EXPECTED)),
    }
}

/// `--push-dir`: a default is an int, a given one a float.
pub(super) fn push_dir(given: &str) -> Result<Number> {
    const EXPECTED: &str = "a number other than 0: 1 to maximize, -1 to minimize";
    let flag = "--push-dir";
    if let Ok(value) = given.trim().parse::<i64>()
        && value != 0
    {
        return Ok(Number::Int(value));
    }
    let number = float(flag, given, f64::MIN..=f64::MAX, EXPECTED)?;
    if number.value() == 0.0 {
        return Err(wrong(flag, given, "nothing is pushed by 0", EXPECTED));
    }
    Ok(number)
}

/// `--start-at`.
pub(super) fn start_at(given: &str) -> StartAt {
    match given {
        "randu" => StartAt::Randu,
        "mean" => StartAt::Mean,
        _ => StartAt::MeanPlusRand,
    }
}

/// `--lr-policy` and `--lr-params` together.
pub(super) fn learning_rate(policy: &str, given: &str) -> Result<(LearningRate, Value)> {
    const EXPECTED: &str = "a Python dict, such as \"{'lr': 100.0}\"";
    let flag = "--lr-params";
    let value = parse(flag, given, EXPECTED)?;
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
            Some(number) if number.is_finite() => Ok(number),
            _ => Err(wrong(
                flag,
                given,
                format!("'{name}' must be a finite number"),
                EXPECTED,
            )),
        }
    };
    let rate = match policy {
        "progress" => LearningRate::Progress {
            max_lr: key("max_lr")?,
            desired_prog: key("desired_prog")?,
        },
        "progress01" => LearningRate::Progress01 {
            max_lr: key("max_lr")?,
            early_prog: key("early_prog")?,
            late_prog_mult: key("late_prog_mult")?,
        },
        _ => LearningRate::Constant { lr: key("lr")? },
    };
    Ok((rate, value))
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
