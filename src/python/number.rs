//! Numbers as Python 2 and NumPy 1 print them.

/// Significant digits of `str(float)` in Python 2.
pub const FLOAT_DIGITS: usize = 12;
/// Significant digits of `str(numpy.float32)` in NumPy 1.
pub const FLOAT32_DIGITS: usize = 6;

/// `'%.<digits>g'`, with `.0` added to whole numbers, as `str` does.
///
/// ```
/// use deepvis::python::number::general;
/// assert_eq!(general(1.0, 12), "1.0");
/// assert_eq!(general(1.9916364387e-12, 12), "1.9916364387e-12");
/// assert_eq!(general(71.186447, 6), "71.1864");
/// ```
pub fn general(value: f64, digits: usize) -> String {
    let text = percent_g(value, digits);
    let is_whole = text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    if is_whole { text + ".0" } else { text }
}

/// C's `%.<digits>g`.
pub fn percent_g(value: f64, digits: usize) -> String {
    significant(value, digits, without_zeros)
}

/// C's `%#.<digits>g`: zeros at the end stay, and so does the point.
pub(super) fn percent_g_with_zeros(value: f64, digits: usize) -> String {
    significant(value, digits, |text| {
        if text.contains('.') {
            text.to_owned()
        } else {
            format!("{text}.")
        }
    })
}

fn significant(value: f64, digits: usize, ended: impl Fn(&str) -> String) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf".into() } else { "-inf".into() };
    }
    let digits = digits.max(1);
    // Rounding decides the exponent, so it is taken from the rounded text.
    let scientific = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let precision = i32::try_from(digits).unwrap_or(i32::MAX);
    if exponent < -4 || exponent >= precision {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", ended(mantissa), exponent.abs());
    }
    let decimals = usize::try_from(precision - 1 - exponent).unwrap_or(0);
    ended(&format!("{value:.decimals$}"))
}

fn without_zeros(text: &str) -> String {
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    };
    text.to_owned()
}

/// `repr(float)`: the shortest text that reads back as the same number.
pub fn repr(value: f64) -> String {
    for digits in 1..17 {
        let text = general(value, digits);
        if text.parse() == Ok(value) {
            return text_of_repr(value, digits);
        }
    }
    text_of_repr(value, 17)
}

/// `repr` switches to exponents at 1e16, whatever the number of digits.
fn text_of_repr(value: f64, digits: usize) -> String {
    if value != 0.0 && (1e-4..1e16).contains(&value.abs()) {
        let plain = format!("{value}");
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    general(value, digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures of CPython 2.7: `str` and `repr`.
    #[test]
    fn spells_as_python_does() {
        let cases = [
            (0.0, "0.0", "0.0"),
            (100.0, "100.0", "100.0"),
            (1e6, "1000000.0", "1000000.0"),
            (1e12, "1e+12", "1000000000000.0"),
            (1e16, "1e+16", "1e+16"),
            (0.0001, "0.0001", "0.0001"),
            (0.00001, "1e-05", "1e-05"),
            (3921.523644968777, "3921.52364497", "3921.523644968777"),
            (-0.756828, "-0.756828", "-0.756828"),
            (0.1 + 0.2, "0.3", "0.30000000000000004"),
            (f64::NAN, "nan", "nan"),
        ];
        for (value, str, repr_text) in cases {
            assert_eq!(general(value, FLOAT_DIGITS), str);
            assert_eq!(repr(value), repr_text);
        }
    }
}
