//! Arithmetic with Python 2's numbers.

use super::Value;

/// What was understood, or what is wrong.
pub(super) type Parsed<T = Value> = Result<T, String>;

/// A number of an expression.
#[derive(Clone, Copy)]
pub(super) enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    #[expect(clippy::cast_precision_loss, reason = "as in Python")]
    fn float(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    pub(super) fn value(self) -> Value {
        match self {
            Self::Int(value) => Value::Int(value),
            Self::Float(value) => Value::Float(value),
        }
    }
}

/// The number, if it is one; `True` and `False` are.
pub(super) fn number(value: &Value) -> Parsed<Number> {
    match value {
        Value::Int(value) => Ok(Number::Int(*value)),
        Value::Bool(value) => Ok(Number::Int(i64::from(*value))),
        Value::Float(value) => Ok(Number::Float(*value)),
        other => Err(format!("{} is no number", other.repr())),
    }
}

/// `-value`.
pub(super) fn negated(value: &Value) -> Parsed {
    Ok(match number(value)? {
        Number::Int(value) => value
            .checked_neg()
            .map_or(Value::Float(-Number::Int(value).float()), Value::Int),
        Number::Float(value) => Value::Float(-value),
    })
}

/// `+ - * / // %` as in Python 2: whole numbers divide to a whole number, rounded down.
pub(super) fn arithmetic(operator: &str, left: &Value, right: &Value) -> Parsed {
    let (left, right) = (number(left)?, number(right)?);
    if matches!(operator, "/" | "//" | "%") && right.float() == 0.0 {
        return Err("it divides by 0".into());
    }
    if let (Number::Int(a), Number::Int(b)) = (left, right) {
        let floored = || {
            let quotient = a.checked_div(b)?;
            let is_below = a % b != 0 && (a < 0) != (b < 0);
            Some(quotient - i64::from(is_below))
        };
        let whole = match operator {
            "+" => a.checked_add(b),
            "-" => a.checked_sub(b),
            "*" => a.checked_mul(b),
            "%" => floored().and_then(|quotient| a.checked_sub(quotient.checked_mul(b)?)),
            _ => floored(),
        };
        if let Some(whole) = whole {
            return Ok(Value::Int(whole));
        }
    }
    let (a, b) = (left.float(), right.float());
    Ok(Value::Float(match operator {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a / b,
        "//" => (a / b).floor(),
        _ => a - b * (a / b).floor(),
    }))
}

/// `base ** exponent`: a whole number as long as it can be one.
pub(super) fn power(base: &Value, exponent: &Value) -> Parsed {
    let (base, exponent) = (number(base)?, number(exponent)?);
    if let (Number::Int(a), Number::Int(b)) = (base, exponent)
        && let Some(whole) = u32::try_from(b).ok().and_then(|b| a.checked_pow(b))
    {
        return Ok(Value::Int(whole));
    }
    let value = base.float().powf(exponent.float());
    if value.is_finite() || !base.float().is_finite() || !exponent.float().is_finite() {
        Ok(Value::Float(value))
    } else {
        Err("the power is no finite number".into())
    }
}
