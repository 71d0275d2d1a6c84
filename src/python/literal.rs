//! Python literals in flags: `"(10,20,30)"`, `"{'lr': 100.0}"`, `"None"`.
//!
//! The original evaluated them with Python 2. Read here is what people write there, without an evaluator: literals, tuples
//! without brackets (`64,64`), `dict(lr=100)`, and arithmetic of numbers (`10**2`, `1/3.`, `13/2`, which is 6 as in Python 2).

use super::Value;
use super::arithmetic::{Parsed, arithmetic, negated, number, power};

/// Deepest nesting that is read; flags need two.
const DEEPEST: usize = 32;

/// Parses a literal.
///
/// # Errors
/// A short description of what is wrong.
pub fn parse(text: &str) -> Parsed {
    let mut parser = Parser {
        rest: text.trim(),
        depth: 0,
    };
    let value = parser.all()?;
    parser.skip_space();
    if parser.rest.is_empty() {
        Ok(value)
    } else {
        Err(no_literal())
    }
}

fn no_literal() -> String {
    "it is not a Python literal".into()
}

/// Recursive descent, one method a level of Python's grammar.
struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes a symbol when it comes next.
    fn take(&mut self, symbol: &str) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, symbol: &str) -> Parsed<()> {
        if self.take(symbol) { Ok(()) } else { Err(no_literal()) }
    }

    /// One level deeper.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("it is nested too deeply".into());
        }
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// An expression, or a tuple without brackets.
    fn all(&mut self) -> Parsed {
        let first = self.sum()?;
        if !self.take(",") {
            return Ok(first);
        }
        let mut values = vec![first];
        self.skip_space();
        if !self.rest.is_empty() {
            values.extend(self.items("")?);
        }
        Ok(Value::Tuple(values))
    }

    /// Expressions with commas between them, up to the closing bracket (or the end), which stays.
    fn items(&mut self, close: &str) -> Parsed<Vec<Value>> {
        let mut values = Vec::new();
        loop {
            self.skip_space();
            let is_over = if close.is_empty() {
                self.rest.is_empty()
            } else {
                self.rest.starts_with(close)
            };
            if is_over {
                return Ok(values);
            }
            values.push(self.sum()?);
            if !self.take(",") {
                return Ok(values);
            }
        }
    }

    fn sum(&mut self) -> Parsed {
        let mut value = self.product()?;
        loop {
            let operator = ["+", "-"].into_iter().find(|operator| self.take(operator));
            let Some(operator) = operator else { return Ok(value) };
            value = arithmetic(operator, &value, &self.product()?)?;
        }
    }

    fn product(&mut self) -> Parsed {
        let mut value = self.signed()?;
        loop {
            let operator = ["//", "/", "*", "%"].into_iter().find(|operator| self.take(operator));
            let Some(operator) = operator else { return Ok(value) };
            value = arithmetic(operator, &value, &self.signed()?)?;
        }
    }

    fn signed(&mut self) -> Parsed {
        if self.take("-") {
            let value = self.nested(Self::signed)?;
            return negated(&value);
        }
        if self.take("+") {
            let value = self.nested(Self::signed)?;
            return Ok(number(&value)?.value());
        }
        let base = self.nested(Self::atom)?;
        if self.take("**") {
            let exponent = self.nested(Self::signed)?;
            return power(&base, &exponent);
        }
        Ok(base)
    }

    fn atom(&mut self) -> Parsed {
        self.skip_space();
        match self.rest.chars().next() {
            Some('(') => self.bracket(),
            Some('[') => {
                self.expect("[")?;
                let values = self.items("]")?;
                self.expect("]")?;
                Ok(Value::List(values))
            }
            Some('{') => self.dict(),
            Some('\'' | '"') => self.strings(),
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            Some(c) if c.is_alphabetic() || c == '_' => self.name(),
            _ => Err(no_literal()),
        }
    }

    fn bracket(&mut self) -> Parsed {
        self.expect("(")?;
        if self.take(")") {
            return Ok(Value::Tuple(Vec::new()));
        }
        let first = self.sum()?;
        if !self.take(",") {
            self.expect(")")?;
            return Ok(first);
        }
        let mut values = vec![first];
        values.extend(self.items(")")?);
        self.expect(")")?;
        Ok(Value::Tuple(values))
    }

    fn dict(&mut self) -> Parsed {
        self.expect("{")?;
        let mut entries = Vec::new();
        while !self.take("}") {
            let key = self.sum()?;
            self.expect(":")?;
            insert(&mut entries, key, self.sum()?);
            if !self.take(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(Value::Dict(entries))
    }

    fn word(&mut self) -> &'a str {
        let end = self
            .rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn name(&mut self) -> Parsed {
        let before = self.rest;
        match self.word() {
            "None" => Ok(Value::None),
            "True" => Ok(Value::Bool(true)),
            "False" => Ok(Value::Bool(false)),
            "dict" => self.dict_call(),
            "r" | "R" | "u" | "U" if self.rest.starts_with(['\'', '"']) => {
                self.rest = before;
                self.strings()
            }
            _ => Err(no_literal()),
        }
    }

    /// `dict(lr=100)`.
    fn dict_call(&mut self) -> Parsed {
        self.expect("(")?;
        let mut entries = Vec::new();
        while !self.take(")") {
            self.skip_space();
            let key = self.word();
            if key.is_empty() || key.starts_with(|c: char| c.is_ascii_digit()) {
                return Err(no_literal());
            }
            self.expect("=")?;
            if entries.iter().any(|(known, _)| *known == Value::Str(key.to_owned())) {
                return Err(format!("dict() has {key} twice"));
            }
            let value = self.sum()?;
            entries.push((Value::Str(key.to_owned()), value));
            if !self.take(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(Value::Dict(entries))
    }

    /// One string, or several side by side, which are one.
    fn strings(&mut self) -> Parsed {
        let mut text = String::new();
        loop {
            self.skip_space();
            let is_raw = self.rest.starts_with(['r', 'R']);
            let unprefixed = self.rest.strip_prefix(['r', 'R', 'u', 'U']).unwrap_or(self.rest);
            let Some(quote) = unprefixed.chars().next().filter(|c| ['\'', '"'].contains(c)) else {
                return Ok(Value::Str(text));
            };
            self.rest = &unprefixed[1..];
            self.string(quote, is_raw, &mut text)?;
        }
    }

    fn string(&mut self, quote: char, is_raw: bool, text: &mut String) -> Parsed<()> {
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.rest = &self.rest[at + 1..];
                return Ok(());
            }
            if c != '\\' {
                text.push(c);
                continue;
            }
            let Some((_, escaped)) = chars.next() else { break };
            match escaped {
                _ if is_raw => text.extend(['\\', escaped]),
                '\\' | '\'' | '"' => text.push(escaped),
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                'a' | 'b' | 'f' | 'v' | 'x' | 'N' | 'U' | '0'..='7' => {
                    return Err(format!("\\{escaped} in a string means nothing here; write r'…' or /"));
                }
                other => text.extend(['\\', other]),
            }
        }
        Err("a string is not closed".into())
    }

    fn number(&mut self) -> Parsed {
        let bytes = self.rest.as_bytes();
        let is_radix = bytes[0] == b'0'
            && bytes.get(1).is_some_and(u8::is_ascii_alphabetic)
            && !matches!(bytes[1], b'e' | b'E' | b'l' | b'L' | b'j' | b'J');
        if is_radix {
            let word = self.word().to_ascii_lowercase();
            let radix = match word.as_bytes().get(1) {
                Some(b'x') => 16,
                Some(b'o') => 8,
                Some(b'b') => 2,
                _ => return Err(no_literal()),
            };
            let digits = word[2..].trim_end_matches('l');
            return i64::from_str_radix(digits, radix)
                .map(Value::Int)
                .map_err(|_| no_literal());
        }
        let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut end = digits(0);
        let whole = end;
        if bytes.get(end) == Some(&b'.') {
            end += 1 + digits(end + 1);
        }
        if end == whole + 1 && whole == 0 {
            return Err(no_literal());
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits(end + 1 + sign);
            if exponent > 0 {
                end += 1 + sign + exponent;
            }
        }
        let (text, rest) = self.rest.split_at(end);
        let is_whole = end == whole;
        self.rest = if is_whole {
            rest.strip_prefix(['l', 'L']).unwrap_or(rest)
        } else {
            rest
        };
        if self
            .rest
            .starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.')
        {
            return Err(no_literal());
        }
        if !is_whole {
            return text.parse().map(Value::Float).map_err(|_| no_literal());
        }
        // Python 2 reads a leading 0 as octal.
        if text.len() > 1 && text.starts_with('0') {
            return i64::from_str_radix(text, 8)
                .map(Value::Int)
                .map_err(|_| format!("{text} is no octal number"));
        }
        match text.parse() {
            Ok(value) => Ok(Value::Int(value)),
            Err(_) => text.parse().map(Value::Float).map_err(|_| no_literal()),
        }
    }
}

/// Sets an entry of a dict: a key that is there keeps its place and takes the later value.
fn insert(entries: &mut Vec<(Value, Value)>, key: Value, value: Value) {
    let is_same =
        |known: &Value| *known == key || (known.as_number().is_some() && known.as_number() == key.as_number());
    match entries.iter_mut().find(|(known, _)| is_same(known)) {
        Some((_, old)) => *old = value,
        None => entries.push((key, value)),
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

    /// What CPython 2.7 prints for `repr(eval(text))`.
    #[test]
    fn evaluates_as_python_2_does() {
        let cases = [
            ("64,64", "(64, 64)"),
            ("64,", "(64,)"),
            ("1,2,", "(1, 2)"),
            ("()", "()"),
            ("(7)", "7"),
            ("(7,)", "(7,)"),
            ("[1, 2.5, 'x']", "[1, 2.5, 'x']"),
            ("dict(lr=100)", "{'lr': 100}"),
            ("dict()", "{}"),
            ("{'lr': 10**2}", "{'lr': 100}"),
            ("1/3.", "0.3333333333333333"),
            ("(13/2,6)", "(6, 6)"),
            ("-13/2", "-7"),
            ("-13%5", "2"),
            ("-2**2", "-4"),
            ("2**-1", "0.5"),
            ("2**3**2", "512"),
            ("1-2-3", "-4"),
            ("1+2*3", "7"),
            ("(1+2)*3", "9"),
            ("7//2.", "3.0"),
            ("7.5%2", "1.5"),
            ("1e999", "inf"),
            ("-1e999", "-inf"),
            ("010", "8"),
            ("0x1F", "31"),
            ("0b101", "5"),
            ("0", "0"),
            ("-0", "0"),
            ("-0.0", "-0.0"),
            ("1.", "1.0"),
            (".5", "0.5"),
            ("010.5", "10.5"),
            ("100L", "100"),
            ("+5", "5"),
            ("--5", "5"),
            ("True+1", "2"),
            ("{'lr': 1, 'lr': 2}", "{'lr': 2}"),
            ("{1: 'a', 1.0: 'b'}", "{1: 'b'}"),
            ("{'lr': 1,}", "{'lr': 1}"),
            ("'a' \"b\"", "'ab'"),
            ("r'a\\d'", "'a\\\\d'"),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).map(|value| value.repr()), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_literal() {
        let deep = ["(", "[", "{", "-", "1**", "dict(a="].map(|unit| unit.repeat(100_000));
        for text in deep.iter().map(String::as_str) {
            assert!(parse(text).is_err(), "{text:.20}");
        }
        for text in [
            "",
            "(1,",
            "__import__('os')",
            "mean.npy",
            "1 2",
            "08",
            "1j",
            "1_0",
            "{1, 2}",
            "1/0",
            "0**-1",
            "'a'*3",
            "(1,2)+(3,)",
            "dict(1=2)",
            "dict(a=1,a=2)",
            ".",
            "1..2",
            "1e",
            "'a",
            "lambda: 1",
            ",",
            "1,,2",
            "(-8)**0.5",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
