//! Python's `%(name)s` templates, which name the files of an optimization.
//!
//! What Python 2.7 and Python 3 print alike is printed so; where they differ (`%#o`, a float as `%x`, `%.0d` of 0, `%a`, `%c`
//! beyond ASCII) the template is refused.

use super::Value;
use super::number::{percent_g, percent_g_with_zeros};

/// Longest field that is padded to; file names end well before.
const WIDEST: usize = 255;

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "these are Python's five flags")]
struct Field {
    zero: bool,
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// Fills `template`, looking names such as `p.push_layer` up with `lookup`.
///
/// # Errors
/// A short description of what is wrong with the template.
pub fn fill(template: &str, lookup: impl Fn(&str) -> Option<Value>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let inner = rest
            .strip_prefix('(')
            .ok_or("a % must be followed by (name), as in %(p.push_layer)s, or by %")?;
        let (name, after) = inner.split_once(')').ok_or("a ) is missing after %(")?;
        let value = lookup(name).ok_or_else(|| format!("there is no field \"{name}\""))?;
        let (field, conversion, after) = field(after)?;
        out.push_str(&convert(&value, &field, conversion).ok_or_else(|| {
            format!(
                "%{conversion} does not go with the field \"{name}\", which is {}",
                value.repr()
            )
        })?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn field(text: &str) -> Result<(Field, char, &str), String> {
    let mut field = Field::default();
    let mut chars = text.char_indices().peekable();
    while let Some((_, flag)) = chars.peek() {
        match flag {
            '0' => field.zero = true,
            '-' => field.left = true,
            '+' => field.plus = true,
            ' ' => field.space = true,
            '#' => field.alternate = true,
            _ => break,
        }
        chars.next();
    }
    let number = |chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>| {
        let mut value = 0usize;
        while let Some(digit) = chars.peek().and_then(|(_, c)| c.to_digit(10)) {
            value = value.saturating_mul(10).saturating_add(digit as usize);
            chars.next();
        }
        if value > WIDEST {
            Err(format!("a width of {value}"))
        } else {
            Ok(value)
        }
    };
    field.width = number(&mut chars)?;
    if chars.next_if(|(_, c)| *c == '.').is_some() {
        field.precision = Some(number(&mut chars)?);
    }
    // C's length modifier, which Python reads over.
    chars.next_if(|(_, c)| ['h', 'l', 'L'].contains(c));
    let (at, conversion) = chars.next().ok_or("it ends before the conversion, as s or d")?;
    Ok((field, conversion, &text[at + conversion.len_utf8()..]))
}

/// A number in parts: padding with zeros goes between the prefix and the digits.
struct Parts {
    is_negative: bool,
    prefix: &'static str,
    digits: String,
}

fn convert(value: &Value, field: &Field, conversion: char) -> Option<String> {
    let cut = |text: String| match field.precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text,
    };
    match conversion {
        's' => Some(padded(&cut(value.str()), field)),
        'r' => Some(padded(&cut(value.repr()), field)),
        'c' => Some(padded(&character(value)?, field)),
        'd' | 'i' | 'u' | 'x' | 'X' | 'o' => Some(signed(&integer(value, field, conversion)?, field)),
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => Some(signed(&float(number(value)?, field, conversion)?, field)),
        _ => None,
    }
}

/// `%c`: a letter, or the number of one in ASCII.
fn character(value: &Value) -> Option<String> {
    match value {
        Value::Int(code) => {
            let code = u8::try_from(*code).ok().filter(u8::is_ascii)?;
            Some(char::from(code).to_string())
        }
        Value::Str(text) if text.chars().count() == 1 => Some(text.clone()),
        _ => None,
    }
}

/// The conversions of whole numbers; `%d` cuts floats off.
fn integer(value: &Value, field: &Field, conversion: char) -> Option<Parts> {
    let is_decimal = matches!(conversion, 'd' | 'i' | 'u');
    let whole = match value {
        Value::Int(whole) => *whole,
        Value::Bool(whole) => i64::from(*whole),
        Value::Float(_) | Value::Float32(_) if is_decimal => {
            let cut = number(value)?.trunc();
            let digits = format!("{:.0}", cut.abs());
            return cut.is_finite().then(|| integer_parts(cut < 0.0, "", digits, field))?;
        }
        _ => return None,
    };
    let size = whole.unsigned_abs();
    let (prefix, digits) = match conversion {
        'x' if field.alternate => ("0x", format!("{size:x}")),
        'X' if field.alternate => ("0X", format!("{size:X}")),
        'o' if field.alternate => return None,
        'x' => ("", format!("{size:x}")),
        'X' => ("", format!("{size:X}")),
        'o' => ("", format!("{size:o}")),
        _ => ("", size.to_string()),
    };
    integer_parts(whole < 0, prefix, digits, field)
}

/// With at least as many digits as the precision says.
fn integer_parts(is_negative: bool, prefix: &'static str, digits: String, field: &Field) -> Option<Parts> {
    if digits == "0" && field.precision == Some(0) {
        return None;
    }
    let missing = field.precision.unwrap_or(0).saturating_sub(digits.len());
    Some(Parts {
        is_negative,
        prefix,
        digits: "0".repeat(missing) + &digits,
    })
}

/// The conversions of floating-point numbers, as C has them.
fn float(value: f64, field: &Field, conversion: char) -> Option<Parts> {
    let precision = field.precision.unwrap_or(6);
    let size = value.abs();
    let digits = match conversion.to_ascii_lowercase() {
        _ if !value.is_finite() => if value.is_nan() { "nan" } else { "inf" }.to_owned(),
        'f' if field.alternate && precision == 0 => format!("{size:.0}."),
        'f' => format!("{size:.precision$}"),
        'g' if field.alternate => percent_g_with_zeros(size, precision),
        'g' => percent_g(size, precision),
        _ => {
            let text = format!("{size:.precision$e}");
            let (mantissa, exponent) = text.split_once('e')?;
            let exponent: i32 = exponent.parse().ok()?;
            let point = if field.alternate && precision == 0 { "." } else { "" };
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}{point}e{sign}{:02}", exponent.abs())
        }
    };
    let digits = if conversion.is_ascii_uppercase() {
        digits.to_ascii_uppercase()
    } else {
        digits
    };
    Some(Parts {
        is_negative: value.is_sign_negative() && !value.is_nan(),
        prefix: "",
        digits,
    })
}

fn signed(parts: &Parts, field: &Field) -> String {
    let sign = match (parts.is_negative, field.plus, field.space) {
        (true, _, _) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        (false, false, false) => "",
    };
    let begin = format!("{sign}{}", parts.prefix);
    if field.zero && !field.left {
        let missing = field.width.saturating_sub(begin.len() + parts.digits.len());
        return format!("{begin}{}{}", "0".repeat(missing), parts.digits);
    }
    padded(&format!("{begin}{}", parts.digits), field)
}

fn padded(text: &str, field: &Field) -> String {
    let missing = " ".repeat(field.width.saturating_sub(text.chars().count()));
    if field.left {
        format!("{text}{missing}")
    } else {
        format!("{missing}{text}")
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Float32(value) => Some(f64::from(*value)),
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        other => other.as_number(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str) -> Result<String, String> {
        fill(template, |name| match name {
            "p.push_layer" => Some(Value::Str("fc8".into())),
            "p.push_channel" => Some(Value::Int(130)),
            "r.best_obj" => Some(Value::Float32(71.186_45)),
            _ => None,
        })
    }

    #[test]
    fn fills_as_python_does() {
        assert_eq!(filled("%(p.push_layer)s_%(p.push_channel)04d"), Ok("fc8_0130".into()));
        assert_eq!(
            filled("%(p.push_channel)-6d|%(p.push_channel)6d"),
            Ok("130   |   130".into())
        );
        assert_eq!(
            filled("100%% %(r.best_obj).2f %(p.push_layer)5s"),
            Ok("100% 71.19   fc8".into())
        );
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(filled("%(p.nothing)s").unwrap_err().contains("p.nothing"));
        assert!(filled("%(p.push_layer)d").unwrap_err().contains("'fc8'"));
        for bad in ["%", "%d", "%(p.push_layer", "%(p.push_layer)", "%(p.push_layer)99999s"] {
            assert!(filled(bad).is_err(), "{bad}");
        }
    }
}
