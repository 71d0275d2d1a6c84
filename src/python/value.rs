//! Python values as the original keeps them in `FindParams` and `FindResults`.

use super::number::{FLOAT_DIGITS, FLOAT32_DIGITS, general, repr};

/// A Python value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `None`
    None,
    /// `True`, `False`
    Bool(bool),
    /// An `int`.
    Int(i64),
    /// A `float`.
    Float(f64),
    /// A `numpy.float32`.
    Float32(f32),
    /// A `str`.
    Str(String),
    /// A `tuple`.
    Tuple(Vec<Value>),
    /// A `list`.
    List(Vec<Value>),
    /// A `dict`, in order.
    Dict(Vec<(Value, Value)>),
    /// A float64 `numpy.ndarray`.
    Array(Vec<f64>, Vec<usize>),
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

/// Lists longer than this are printed with an ellipsis.
const LONGEST_LIST: usize = 4;

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

    /// The number alone, or all numbers of a tuple or list.
    pub fn as_numbers(&self) -> Option<Vec<f64>> {
        match self.as_sequence() {
            Some(values) => values.iter().map(Self::as_number).collect(),
            None => Some(vec![self.as_number()?]),
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

impl Value {
    /// `str(value)`.
    pub fn str(&self) -> String {
        match self {
            Self::Str(text) => text.clone(),
            Self::Float(value) => general(*value, FLOAT_DIGITS),
            Self::Float32(value) => general(f64::from(*value), FLOAT32_DIGITS),
            other => other.repr(),
        }
    }

    /// `repr(value)`.
    pub fn repr(&self) -> String {
        let all = |values: &[Self]| values.iter().map(Self::repr).collect::<Vec<_>>().join(", ");
        match self {
            Self::None => "None".into(),
            Self::Bool(true) => "True".into(),
            Self::Bool(false) => "False".into(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => repr(*value),
            Self::Float32(value) => general(f64::from(*value), 8),
            Self::Str(text) => format!(
                "'{}'",
                text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n")
            ),
            Self::Tuple(values) if values.len() == 1 => format!("({},)", values[0].repr()),
            Self::Tuple(values) => format!("({})", all(values)),
            Self::List(values) => format!("[{}]", all(values)),
            Self::Dict(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(k, v)| format!("{}: {}", k.repr(), v.repr()))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
            Self::Array(values, shape) => array(values, shape),
        }
    }

    /// As the original prints an attribute: long lists shortened to their first and last two entries.
    pub fn shown(&self) -> String {
        match self {
            Self::List(values) if values.len() > LONGEST_LIST => {
                let last = &values[values.len() - 2..];
                format!(
                    "[{}, {}, ..., {}, {}]",
                    values[0].str(),
                    values[1].str(),
                    last[0].str(),
                    last[1].str()
                )
            }
            // Floats in lists of results are NumPy's, whose repr had 17 digits.
            Self::List(values) => {
                let all: Vec<String> = values
                    .iter()
                    .map(|value| match value {
                        Self::Float(value) => general(*value, 17),
                        other => other.repr(),
                    })
                    .collect();
                format!("[{}]", all.join(", "))
            }
            other => other.str(),
        }
    }

    /// Arrays replaced by the text that stands for them in the small pickle.
    #[must_use]
    pub fn trimmed(self) -> Self {
        match self {
            Self::Array(values, shape) => Self::Str(format!("Trimmed {}", array(&values, &shape))),
            other => other,
        }
    }
}

fn array(values: &[f64], shape: &[usize]) -> String {
    let shape = Value::Tuple(shape.iter().map(|extent| Value::from(*extent)).collect()).repr();
    let first: Vec<String> = values
        .iter()
        .take(2)
        .map(|value| general(*value, FLOAT_DIGITS))
        .collect();
    format!("{shape} array [{}, ...]", first.join(", "))
}
