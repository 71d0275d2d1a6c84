//! Python literals in flags: `"(10,20,30)"`, `"{'lr': 100.0}"`, `"None"`.

use py_literal::Value as Literal;

use super::Value;

/// Deepest nesting that is read; flags need two.
const DEEPEST: usize = 16;

/// Parses a literal.
///
/// # Errors
/// A short description of what is wrong.
pub fn parse(text: &str) -> Result<Value, String> {
    let mut depth = 0usize;
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Err("it is nested too deeply".into());
        }
    }
    let literal: Literal = text
        .trim()
        .parse()
        .map_err(|_| "it is not a Python literal".to_owned())?;
    convert(&literal)
}

fn convert(literal: &Literal) -> Result<Value, String> {
    let all = |values: &[Literal]| values.iter().map(convert).collect::<Result<Vec<_>, _>>();
    Ok(match literal {
        Literal::None => Value::None,
        Literal::Boolean(value) => Value::Bool(*value),
        Literal::Integer(value) => match i64::try_from(value) {
            Ok(value) => Value::Int(value),
            Err(_) => Value::Float(value.to_string().parse().map_err(|_| format!("the number {value}"))?),
        },
        Literal::Float(value) => Value::Float(*value),
        Literal::String(text) => Value::Str(text.clone()),
        Literal::Tuple(values) => Value::Tuple(all(values)?),
        Literal::List(values) => Value::List(all(values)?),
        Literal::Dict(entries) => Value::Dict(
            entries
                .iter()
                .map(|(key, value)| Ok((convert(key)?, convert(value)?)))
                .collect::<Result<_, String>>()?,
        ),
        Literal::Bytes(_) | Literal::Complex(_) | Literal::Set(_) => {
            return Err("bytes, complex numbers and sets mean nothing here".into());
        }
    })
}

impl Value {
    /// The number, if it is one.
    #[expect(clippy::cast_precision_loss, reason = "settings are small")]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The entries of a tuple or list.
    pub fn as_sequence(&self) -> Option<&[Self]> {
        match self {
            Self::Tuple(values) | Self::List(values) => Some(values),
            _ => None,
        }
    }

    /// The whole numbers, not negative, of a tuple or list.
    pub fn as_sizes(&self) -> Option<Vec<usize>> {
        self.as_sequence()?
            .iter()
            .map(|value| match value {
                Self::Int(value) => usize::try_from(*value).ok(),
                _ => None,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_specification_writes() {
        assert_eq!(parse("None"), Ok(Value::None));
        assert_eq!(parse("(10,20,30)").unwrap().as_sizes(), Some(vec![10, 20, 30]));
        assert_eq!(parse("'mean.npy'"), Ok(Value::Str("mean.npy".into())));
        let dict = parse("{'max_lr': 100000000, 'desired_prog': 2.0}").unwrap();
        assert_eq!(dict.repr(), "{'max_lr': 100000000, 'desired_prog': 2.0}");
        assert_eq!(parse("{\"lr\": 1}").unwrap().repr(), "{'lr': 1}");
        assert_eq!(parse("{'max_lr':1e6}").unwrap().repr(), "{'max_lr': 1000000.0}");
    }

    #[test]
    fn refuses_what_is_no_literal() {
        for text in ["", "(1,", "__import__('os')", "mean.npy", &"(".repeat(100_000)] {
            assert!(parse(text).is_err(), "{text:.20}");
        }
    }
}
