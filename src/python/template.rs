//! Python's `%(name)s` templates, for `--output-template`.

use super::Value;
use super::number::percent_g;

/// Longest field that is padded to; file names end well before.
const WIDEST: usize = 255;

#[derive(Default)]
struct Field {
    zero: bool,
    left: bool,
    plus: bool,
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
            ' ' | '#' => {}
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
    let (at, conversion) = chars.next().ok_or("it ends before the conversion, as s or d")?;
    Ok((field, conversion, &text[at + conversion.len_utf8()..]))
}

#[expect(clippy::cast_possible_truncation, reason = "%d cuts floats off, as in Python")]
fn convert(value: &Value, field: &Field, conversion: char) -> Option<String> {
    let text = match conversion {
        's' => value.str(),
        'r' => value.repr(),
        'd' | 'i' | 'u' => match value {
            Value::Int(value) => value.to_string(),
            Value::Bool(value) => i64::from(*value).to_string(),
            Value::Float(value) => (*value as i64).to_string(),
            Value::Float32(value) => (*value as i64).to_string(),
            _ => return None,
        },
        'f' | 'F' => format!("{:.*}", field.precision.unwrap_or(6), number(value)?),
        'g' | 'G' => percent_g(number(value)?, field.precision.unwrap_or(6)),
        'e' | 'E' => {
            let text = format!("{:.*e}", field.precision.unwrap_or(6), number(value)?);
            let (mantissa, exponent) = text.split_once('e')?;
            let exponent: i32 = exponent.parse().ok()?;
            format!(
                "{mantissa}e{}{:02}",
                if exponent < 0 { '-' } else { '+' },
                exponent.abs()
            )
        }
        'x' => match value {
            Value::Int(value) => format!("{value:x}"),
            _ => return None,
        },
        _ => return None,
    };
    let is_number = !matches!(conversion, 's' | 'r');
    let text = match field.precision {
        Some(precision) if !is_number => text.chars().take(precision).collect(),
        _ => text,
    };
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) if is_number => ("-", digits),
        _ if is_number && field.plus => ("+", text.as_str()),
        _ => ("", text.as_str()),
    };
    let missing = field.width.saturating_sub(sign.len() + digits.chars().count());
    Some(if field.left {
        format!("{sign}{digits}{}", " ".repeat(missing))
    } else if field.zero && is_number {
        format!("{sign}{}{digits}", "0".repeat(missing))
    } else {
        format!("{}{sign}{digits}", " ".repeat(missing))
    })
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Float32(value) => Some(f64::from(*value)),
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
