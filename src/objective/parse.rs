//! Objectives as text:
//!
//! ```text
//! objective = product, { ("+" | "-"), product }
//! product   = factor, { ("*" | "/"), factor }
//! factor    = "-", factor | number | "(", objective, ")" | word, "(", [ argument, { ",", argument } ], ")"
//! argument  = [ key, "=" ], ( number | name | '"', name, '"' )
//! ```
//!
//! A name is anything up to the next comma or parenthesis: `inception_4a/output`, `conv-1`, `my photo.jpg`.

use deepvis_importer::names::nearest;

use super::arguments::{Argument, Arguments};
use super::error::{ParseError, Parsed};
use super::expression::{Expression, Operator, Term};

/// Each term's word, and how it is written.
const TERMS: [(&str, &str); 20] = [
    ("neuron", "neuron(LAYER, CHANNEL, row=Y, column=X or token=N)"),
    ("channel", "channel(LAYER, CHANNEL)"),
    ("layer", "layer(LAYER)"),
    ("mean", "mean(LAYER)"),
    ("direction", "direction(LAYER, FILE.npy, power=P)"),
    (
        "direction_neuron",
        "direction_neuron(LAYER, FILE.npy, row=Y, column=X or token=N, power=P)",
    ),
    ("tensor_direction", "tensor_direction(LAYER, FILE.npy, power=P)"),
    ("cosine", "cosine(LAYER, FILE.npy)"),
    ("dot_cosine", "dot_cosine(LAYER, FILE.npy, power=P)"),
    ("caricature", "caricature(LAYER, PHOTO, power=P)"),
    ("inversion", "inversion(LAYER, PHOTO)"),
    ("difference", "difference(LAYER, PHOTO)"),
    ("interpolate", "interpolate(LAYER1, CHANNEL1, LAYER2, CHANNEL2)"),
    ("diversity", "diversity(LAYER)"),
    ("alignment", "alignment(LAYER, decay=R)"),
    ("l1", "l1(CENTRE)"),
    ("l2", "l2(CENTRE)"),
    ("total_variation", "total_variation()"),
    ("opacity", "opacity()"),
    ("blur_penalty", "blur_penalty()"),
];

/// As [`TERMS`]; its two arguments are numbers of different kinds.
const BOUNDARY: (&str, &str) = ("boundary", "boundary(WIDTH, CENTRE)");

/// Keys that an argument may have.
const KEYS: [&str; 6] = ["row", "column", "token", "power", "decay", "image"];

/// Depth of parentheses, beyond which nobody writes.
const DEEPEST: usize = 100;

struct Parser<'a> {
    text: &'a str,
    /// Where it is, in bytes.
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn error(&self, place: usize, expected: impl Into<String>) -> ParseError {
        ParseError::at(self.text, place, expected)
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// The next letter that is no space.
    fn peek(&mut self) -> Option<char> {
        self.skip_space();
        self.rest().chars().next()
    }

    fn take(&mut self, letter: char) -> bool {
        let is_there = self.peek() == Some(letter);
        if is_there {
            self.at += letter.len_utf8();
        }
        is_there
    }

    /// What is where the parser is, for a message.
    fn found(&mut self) -> String {
        match self.peek() {
            Some(letter) => format!("not `{letter}`"),
            None => "but it ends here".to_owned(),
        }
    }

    fn objective(&mut self) -> Parsed<Expression> {
        let mut left = self.product()?;
        loop {
            let operator = if self.take('+') {
                Operator::Plus
            } else if self.take('-') {
                Operator::Minus
            } else {
                return Ok(left);
            };
            left = Expression::Binary(Box::new(left), operator, Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Parsed<Expression> {
        let mut left = self.factor()?;
        loop {
            let operator = if self.take('*') {
                Operator::Times
            } else if self.take('/') {
                Operator::Over
            } else {
                return Ok(left);
            };
            left = Expression::Binary(Box::new(left), operator, Box::new(self.factor()?));
        }
    }

    fn factor(&mut self) -> Parsed<Expression> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error(
                self.at,
                format!("more than {DEEPEST} parentheses or signs within one another"),
            ));
        }
        let factor = self.shallow_factor();
        self.depth -= 1;
        factor
    }

    fn shallow_factor(&mut self) -> Parsed<Expression> {
        let next = self.peek();
        if self.take('-') {
            return Ok(Expression::Negative(Box::new(self.factor()?)));
        }
        if self.take('(') {
            let inner = self.objective()?;
            if !self.take(')') {
                let found = self.found();
                return Err(self.error(self.at, format!("expected `)` or an operator, {found}")));
            }
            return Ok(inner);
        }
        match next {
            Some(letter) if letter.is_ascii_digit() || letter == '.' => self.number(),
            Some(letter) if letter.is_alphabetic() => self.term(),
            Some(_) | None => {
                let found = self.found();
                Err(self.error(
                    self.at,
                    format!("expected a term such as channel(conv1, 7), a number or `(`, {found}"),
                ))
            }
        }
    }

    fn number(&mut self) -> Parsed<Expression> {
        let start = self.at;
        let mut before = ' ';
        let length = self
            .rest()
            .find(|letter: char| {
                let goes_on = letter.is_ascii_alphanumeric()
                    || letter == '.'
                    || (matches!(letter, '+' | '-') && matches!(before, 'e' | 'E'));
                before = letter;
                !goes_on
            })
            .unwrap_or(self.rest().len());
        let text = &self.rest()[..length];
        self.at += length;
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Expression::Number(value)),
            Ok(_) | Err(_) => Err(self.error(start, format!("`{text}` is no number"))),
        }
    }

    fn term(&mut self) -> Parsed<Expression> {
        let start = self.at;
        let length = self
            .rest()
            .find(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .unwrap_or(self.rest().len());
        let word = &self.rest()[..length];
        let known = || TERMS.iter().chain([&BOUNDARY]);
        let Some((_, usage)) = known().find(|(known, _)| *known == word) else {
            let words: Vec<&str> = known().map(|(word, _)| *word).collect();
            let near = nearest(word, words.iter().copied(), 2);
            let near = if near.is_empty() {
                words.join(", ")
            } else {
                near.join(" or ")
            };
            return Err(self.error(start, format!("there is no term `{word}`; did you mean {near}?")));
        };
        self.at += length;
        if !self.take('(') {
            let found = self.found();
            return Err(self.error(self.at, format!("expected `(`, {found}; it is written `{usage}`")));
        }
        let arguments = self.arguments(usage)?;
        let end = self.at - 1;
        let mut arguments = Arguments {
            text: self.text,
            list: arguments,
            usage,
            end,
        };
        let kind = arguments.kind(word)?;
        let image = arguments
            .keyed("image")?
            .map(|value| arguments.index(&value))
            .transpose()?;
        arguments.none_left()?;
        Ok(Expression::Term(Term { kind, image }))
    }

    /// What is between parentheses, the closing one taken.
    fn arguments(&mut self, usage: &str) -> Parsed<Vec<Argument<'a>>> {
        let mut arguments = Vec::new();
        if self.take(')') {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.argument(usage)?);
            if self.take(')') {
                return Ok(arguments);
            }
            if !self.take(',') {
                let found = self.found();
                return Err(self.error(
                    self.at,
                    format!("expected `,` or `)`, {found}; it is written `{usage}`"),
                ));
            }
        }
    }

    fn argument(&mut self, usage: &str) -> Parsed<Argument<'a>> {
        self.skip_space();
        let key = self
            .rest()
            .split_once('=')
            .map(|(key, _)| key)
            .filter(|key| KEYS.contains(&key.trim()));
        if let Some(key) = key {
            self.at += key.len() + 1;
            self.skip_space();
        }
        let key = key.map(str::trim);
        let place = self.at;
        if let Some(quoted) = self.rest().strip_prefix('"') {
            let Some((value, _)) = quoted.split_once('"') else {
                return Err(self.error(place, "this quote has no end"));
            };
            self.at += value.len() + 2;
            return Ok(Argument {
                key,
                value,
                is_quoted: true,
                place,
            });
        }
        let length = self.rest().find([',', '(', ')', '"']).unwrap_or(self.rest().len());
        let value = self.rest()[..length].trim_end();
        self.at += length;
        if value.is_empty() {
            let found = self.found();
            return Err(self.error(place, format!("expected an argument, {found}; it is written `{usage}`")));
        }
        Ok(Argument {
            key,
            value,
            is_quoted: false,
            place,
        })
    }
}

impl Expression {
    /// The objective that a text describes.
    ///
    /// ```
    /// use deepvis::objective::Expression;
    /// let text = "channel(inception_4a/output, 97) - 100*diversity(inception_4a/output)";
    /// let objective = Expression::parse(text).unwrap();
    /// assert_eq!(objective.layers(), ["inception_4a/output"]);
    /// assert_eq!(objective.to_string(), text);
    /// let error = Expression::parse("0.5*chanel(conv1, 7)").unwrap_err();
    /// assert_eq!(error.place, 4);
    /// ```
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut parser = Parser { text, at: 0, depth: 0 };
        let objective = parser.objective()?;
        if parser.peek().is_some() {
            let found = parser.found();
            return Err(parser.error(parser.at, format!("expected an operator or the end, {found}")));
        }
        Ok(objective)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> (usize, String) {
        let error = Expression::parse(text).unwrap_err();
        (error.place, error.expected)
    }

    #[test]
    fn what_is_printed_is_read_back() {
        for text in [
            "channel(inception_4a/output, 97) + 0.5*neuron(loss3/classifier, flamingo) - 100*diversity(inception_4a/output)",
            "neuron(conv-1, 3, row=2, column=5)",
            "-(channel(a, 1) + 2)*3 - -4",
            "channel(a, 1)*channel(b, 2)/(3/4)",
            "1 - (2 - 3) - 4",
            "(1 + 2)*-3",
            "- 1 + direction(a, my vectors/v.npy, power=2)",
            "direction_neuron(a, v.npy, row=0, column=1, power=0.5)",
            "tensor_direction(a, v.npy) + cosine(a, v.npy) + dot_cosine(a, v.npy, power=4)",
            "caricature(a, photo.jpg, power=1) + inversion(a, photo.jpg) + difference(a, photo.jpg)",
            "interpolate(a, 1, b, \"12\") + alignment(a, decay=5) + alignment(a)",
            "mean(a) + layer(a) + l1(0.5) - l2(0) - 0.25*total_variation() - blur_penalty() - boundary(5, 0.5)",
            "channel(a, 1, image=1) - channel(a, 1, image=0)",
            "neuron(\"a,b\", \"great white shark, white shark\")",
            "total_variation(image=3)",
            "1e-7*mean(a)",
        ] {
            let read = Expression::parse(text).unwrap();
            let printed = read.to_string();
            assert_eq!(Expression::parse(&printed).unwrap(), read, "{text} became {printed}");
            let spaces = |text: &str| text.replace(' ', "").replace("1e-7", "0.0000001");
            assert_eq!(spaces(&printed), spaces(text));
        }
    }

    #[test]
    fn groups_and_layers_are_known() {
        let read = |text| Expression::parse(text).unwrap();
        let both = read("channel(b, 1) + 2*channel(a, 1)*interpolate(b, 1, c, 2)");
        assert_eq!(both.layers(), ["b", "a", "c"]);
        assert!(both.is_of_a_group());
        assert!(read("channel(a, 1, image=1)").is_of_a_group());
        assert!(!read("channel(a, 1) - l1()").is_of_a_group());
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        assert_eq!(
            error("0.5*chanel(conv1, 7)"),
            (4, "there is no term `chanel`; did you mean channel?".into())
        );
        assert_eq!(error("").0, 0);
        assert_eq!(error("channel(a, 1) +").0, 15);
        assert_eq!(error("channel(a, 1) channel(b, 1)").0, 14);
        assert_eq!(
            error("channel(a)"),
            (
                9,
                "expected a channel, by number or label; it is written `channel(LAYER, CHANNEL)`".into()
            )
        );
        assert_eq!(error("channel(a, 1, 2)").0, 14);
        assert_eq!(error("channel(a, 1, power=2)").0, 20);
        assert_eq!(error("channel a").0, 8);
        assert_eq!(error("neuron(a, 1, row=2)").0, 17);
        assert_eq!(error("(1 + 2").0, 6);
        assert_eq!(error("1.2.3").0, 0);
        assert_eq!(error("é + 1").0, 0);
        assert_eq!(error("l1(x)").0, 3);
        assert_eq!(error("channel(\"a, 1)").0, 8);
        assert_eq!(error("channel(, 1)").0, 8);
        assert_eq!(error("alignment(a, decay=0)").0, 19);
        assert_eq!(error("1 - 1e999").0, 4);
        assert_eq!(error(&"(".repeat(100_000)).0, DEEPEST);
    }
}
