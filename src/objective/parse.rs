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

use super::error::ParseError;
use super::expression::{Channel, DECAY, DOT_POWER, Expression, FRAME, GREY, Kind, Operator, Term};

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

/// An argument.
struct Argument<'a> {
    key: Option<&'a str>,
    value: &'a str,
    is_quoted: bool,
    /// Where its value begins, in bytes.
    place: usize,
}

type Parsed<T> = Result<T, ParseError>;

impl<'a> Parser<'a> {
    fn error(&self, place: usize, expected: impl Into<String>) -> ParseError {
        ParseError {
            text: self.text.to_owned(),
            place: self.text[..place].chars().count(),
            expected: expected.into(),
        }
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
            parser: self,
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

/// A term's arguments, taken one after another.
struct Arguments<'p, 'a> {
    parser: &'p Parser<'a>,
    list: Vec<Argument<'a>>,
    usage: &'p str,
    /// The closing parenthesis.
    end: usize,
}

impl<'a> Arguments<'_, 'a> {
    /// The next argument without a key.
    fn next(&mut self) -> Option<Argument<'a>> {
        let index = self.list.iter().position(|argument| argument.key.is_none())?;
        Some(self.list.remove(index))
    }

    fn needed(&mut self, what: &str) -> Parsed<Argument<'a>> {
        let (end, usage) = (self.end, self.usage);
        self.next().ok_or_else(|| {
            self.parser
                .error(end, format!("expected {what}; it is written `{usage}`"))
        })
    }

    fn keyed(&mut self, key: &str) -> Parsed<Option<Argument<'a>>> {
        let Some(index) = self.list.iter().position(|argument| argument.key == Some(key)) else {
            return Ok(None);
        };
        Ok(Some(self.list.remove(index)))
    }

    fn none_left(&self) -> Parsed<()> {
        match self.list.first() {
            None => Ok(()),
            Some(argument) => Err(self.parser.error(
                argument.place,
                format!(
                    "`{}` is one argument too many; it is written `{}`",
                    argument.value, self.usage
                ),
            )),
        }
    }

    fn name(&mut self, what: &str) -> Parsed<String> {
        Ok(self.needed(what)?.value.to_owned())
    }

    fn wrong(&self, argument: &Argument<'_>, what: &str) -> ParseError {
        let (value, usage) = (argument.value, self.usage);
        let message = format!("expected {what}, not `{value}`; it is written `{usage}`");
        self.parser.error(argument.place, message)
    }

    fn index(&self, argument: &Argument<'_>) -> Parsed<usize> {
        let parsed = argument.value.parse();
        parsed.map_err(|_| self.wrong(argument, "a whole number, from 0"))
    }

    fn number(&self, argument: &Argument<'_>) -> Parsed<f64> {
        match argument.value.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            Ok(_) | Err(_) => Err(self.wrong(argument, "a number")),
        }
    }

    fn channel(&mut self) -> Parsed<Channel> {
        let argument = self.needed("a channel, by number or label")?;
        if argument.is_quoted || !argument.value.bytes().all(|letter| letter.is_ascii_digit()) {
            return Ok(Channel::Label(argument.value.to_owned()));
        }
        Ok(Channel::Index(self.index(&argument)?))
    }

    fn power(&mut self, usual: f64) -> Parsed<f64> {
        match self.keyed("power")? {
            None => Ok(usual),
            Some(argument) => {
                let power = self.number(&argument)?;
                if power < 0.0 {
                    return Err(self.wrong(&argument, "a power of 0 or more"));
                }
                Ok(power)
            }
        }
    }

    /// Row and column; of a transformer's layer, whose places are its tokens, the token, the class token being the first.
    fn position(&mut self) -> Parsed<Option<[usize; 2]>> {
        if let Some(token) = self.keyed("token")? {
            let is_class_token = token.value == "cls";
            return Ok(Some([if is_class_token { 0 } else { self.index(&token)? }, 0]));
        }
        let (row, column) = (self.keyed("row")?, self.keyed("column")?);
        match (row, column) {
            (None, None) => Ok(None),
            (Some(row), Some(column)) => Ok(Some([self.index(&row)?, self.index(&column)?])),
            (Some(only), None) => Err(self
                .parser
                .error(only.place, "a row needs a column beside it: row=Y, column=X")),
            (None, Some(only)) => Err(self
                .parser
                .error(only.place, "a column needs a row beside it: row=Y, column=X")),
        }
    }

    fn centre(&mut self, usual: f64) -> Parsed<f64> {
        match self.next() {
            None => Ok(usual),
            Some(argument) => self.number(&argument),
        }
    }

    fn kind(&mut self, word: &str) -> Parsed<Kind> {
        const LAYER: &str = "a layer";
        const FILE: &str = "a .npy file";
        const PHOTO: &str = "a photo's file";
        Ok(match word {
            "neuron" => Kind::Neuron {
                layer: self.name(LAYER)?,
                channel: self.channel()?,
                position: self.position()?,
            },
            "channel" => Kind::Channel {
                layer: self.name(LAYER)?,
                channel: self.channel()?,
            },
            "layer" => Kind::Layer {
                layer: self.name(LAYER)?,
            },
            "mean" => Kind::Mean {
                layer: self.name(LAYER)?,
            },
            "direction" => Kind::Direction {
                layer: self.name(LAYER)?,
                file: self.name(FILE)?,
                power: self.power(0.0)?,
            },
            "direction_neuron" => Kind::DirectionNeuron {
                layer: self.name(LAYER)?,
                file: self.name(FILE)?,
                position: self.position()?,
                power: self.power(0.0)?,
            },
            "tensor_direction" => Kind::TensorDirection {
                layer: self.name(LAYER)?,
                file: self.name(FILE)?,
                power: self.power(0.0)?,
            },
            "cosine" => Kind::Cosine {
                layer: self.name(LAYER)?,
                file: self.name(FILE)?,
            },
            "dot_cosine" => Kind::DotCosine {
                layer: self.name(LAYER)?,
                file: self.name(FILE)?,
                power: self.power(DOT_POWER)?,
            },
            "caricature" => Kind::Caricature {
                layer: self.name(LAYER)?,
                photo: self.name(PHOTO)?,
                power: self.power(0.0)?,
            },
            "inversion" => Kind::Inversion {
                layer: self.name(LAYER)?,
                photo: self.name(PHOTO)?,
            },
            "difference" => Kind::Difference {
                layer: self.name(LAYER)?,
                photo: self.name(PHOTO)?,
            },
            "interpolate" => Kind::Interpolate {
                first: (self.name("the first layer")?, self.channel()?),
                last: (self.name("the last layer")?, self.channel()?),
            },
            "diversity" => Kind::Diversity {
                layer: self.name(LAYER)?,
            },
            "alignment" => Kind::Alignment {
                layer: self.name(LAYER)?,
                decay: match self.keyed("decay")? {
                    None => DECAY,
                    Some(argument) => match self.number(&argument)? {
                        decay if decay > 0.0 => decay,
                        _ => return Err(self.wrong(&argument, "a decay above 0")),
                    },
                },
            },
            "l1" => Kind::L1 {
                centre: self.centre(0.0)?,
            },
            "l2" => Kind::L2 {
                centre: self.centre(0.0)?,
            },
            "total_variation" => Kind::TotalVariation,
            "opacity" => Kind::Opacity,
            "blur_penalty" => Kind::BlurPenalty,
            _ => Kind::Boundary {
                width: match self.next() {
                    None => FRAME,
                    Some(argument) => self.index(&argument)?,
                },
                centre: self.centre(GREY)?,
            },
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
