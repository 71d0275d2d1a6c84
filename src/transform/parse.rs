//! Transformations as text: `pad 16, jitter 8, scale 0.9..1.1, rotate -10..10, jitter 4`. A set's name stands for what is in it.

use std::fmt::{self, Display};

use deepvis_importer::names::nearest;

use super::{Choice, NAMES, Padding, ParseError, Transform, Transforms};

/// Each kind's word and how it is written.
const KINDS: [(&str, &str); 9] = [
    ("pad", "pad PIXELS [VALUE|reflect|uniform]"),
    ("jitter", "jitter PIXELS"),
    ("scale", "scale FACTOR, scale LOW..HIGH or scale {FACTOR, ...}"),
    ("rotate", "rotate DEGREES, rotate LOW..HIGH or rotate {DEGREES, ...}"),
    ("crop", "crop SIZE or crop ROWSxCOLUMNS"),
    ("resize", "resize SIZE or resize ROWSxCOLUMNS"),
    ("blur", "blur SIGMA, blur LOW..HIGH or blur {SIGMA, ...}"),
    ("flip", "flip"),
    ("noise", "noise DEVIATION, noise LOW..HIGH or noise {DEVIATION, ...}"),
];

/// A part of the text and where it begins, in bytes.
#[derive(Clone, Copy)]
struct Part<'a> {
    text: &'a str,
    place: usize,
}

impl<'a> Part<'a> {
    fn trimmed(self) -> Self {
        let start = self.text.len() - self.text.trim_start().len();
        Self {
            text: self.text.trim(),
            place: self.place + start,
        }
    }

    fn slice(self, range: std::ops::Range<usize>) -> Self {
        Self {
            text: &self.text[range.clone()],
            place: self.place + range.start,
        }
    }

    /// The parts between separators that are not within braces, trimmed; with `blank`, those that are empty left out.
    fn split(self, is_separator: impl Fn(char) -> bool, blank: bool) -> Vec<Self> {
        let (mut parts, mut depth, mut start) = (Vec::new(), 0usize, 0);
        for (at, letter) in self.text.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                letter if depth == 0 && is_separator(letter) => {
                    parts.push(self.slice(start..at).trimmed());
                    start = at + letter.len_utf8();
                }
                _ => {}
            }
        }
        parts.push(self.slice(start..self.text.len()).trimmed());
        parts.retain(|part| !blank || !part.text.is_empty());
        parts
    }
}

struct Parser<'a> {
    text: &'a str,
}

type Parsed<T> = Result<T, ParseError>;

impl<'a> Parser<'a> {
    fn error(&self, part: Part<'_>, expected: impl Into<String>) -> ParseError {
        ParseError {
            text: self.text.to_owned(),
            place: self.text[..part.place.min(self.text.len())].chars().count(),
            expected: expected.into(),
        }
    }

    fn expected(&self, part: Part<'_>, what: &str, usage: &str) -> ParseError {
        let found = if part.text.is_empty() {
            "nothing is there".to_owned()
        } else {
            format!("not `{}`", part.text)
        };
        self.error(part, format!("expected {what}, {found}; it is written `{usage}`"))
    }

    fn number(&self, part: Part<'a>, usage: &str) -> Parsed<f64> {
        match part.text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            Ok(_) | Err(_) => Err(self.expected(part, "a number", usage)),
        }
    }

    fn count(&self, part: Part<'a>, usage: &str) -> Parsed<usize> {
        part.text
            .parse()
            .ok()
            .filter(|count| *count <= MOST_PIXELS)
            .ok_or_else(|| self.expected(part, "a whole number of pixels", usage))
    }

    /// `LOW..HIGH` as two parts.
    fn ends(part: Part<'a>) -> Option<[Part<'a>; 2]> {
        let at = part.text.find("..")?;
        Some([
            part.slice(0..at).trimmed(),
            part.slice(at + 2..part.text.len()).trimmed(),
        ])
    }

    fn choice(&self, part: Part<'a>, usage: &str) -> Parsed<Choice> {
        let inner = part.text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        if inner.is_some() {
            let inner = part.slice(1..part.text.len() - 1);
            let values = inner.split(|letter| letter == ',', false);
            let values = values.into_iter().map(|value| self.number(value, usage));
            return Ok(Choice::OneOf(values.collect::<Parsed<_>>()?));
        }
        if let Some([low, high]) = Self::ends(part) {
            let ends = [self.number(low, usage)?, self.number(high, usage)?];
            if ends[0] > ends[1] {
                return Err(self.expected(part, "the lower number before the higher one", usage));
            }
            return Ok(Choice::Between {
                low: ends[0],
                high: ends[1],
            });
        }
        Ok(Choice::always(self.number(part, usage)?))
    }

    /// A choice of numbers that are not below 0, or, with `above`, not 0 either.
    fn positive(&self, part: Part<'a>, above: bool, usage: &str) -> Parsed<Choice> {
        let choice = self.choice(part, usage)?;
        let is_fine = choice
            .bounds()
            .is_some_and(|[low, _]| low > 0.0 || (low == 0.0 && !above));
        let what = if above {
            "numbers above 0"
        } else {
            "numbers that are not negative"
        };
        if is_fine {
            Ok(choice)
        } else {
            Err(self.expected(part, what, usage))
        }
    }

    fn size(&self, part: Part<'a>, usage: &str) -> Parsed<[usize; 2]> {
        let size = match part.text.split_once('x') {
            Some((rows, _)) => [
                self.count(part.slice(0..rows.len()), usage)?,
                self.count(part.slice(rows.len() + 1..part.text.len()), usage)?,
            ],
            None => [self.count(part, usage)?; 2],
        };
        if size.contains(&0) {
            return Err(self.expected(part, "a size above 0", usage));
        }
        Ok(size)
    }

    fn padding(&self, part: Option<&Part<'a>>, usage: &str) -> Parsed<Padding> {
        Ok(match part {
            None => Padding::Constant(super::GROUND),
            Some(part) if part.text == "reflect" => Padding::Reflect,
            Some(part) if part.text == "uniform" => Padding::Uniform,
            Some(part) => Padding::Constant(
                self.number(*part, usage)
                    .map_err(|_| self.expected(*part, "a value, `reflect` or `uniform`", usage))?,
            ),
        })
    }

    fn transform(&self, item: Part<'a>, size: [usize; 2]) -> Parsed<Vec<Transform>> {
        let words = item.split(char::is_whitespace, true);
        let Some((kind, arguments)) = words.split_first() else {
            return Err(self.error(item, "expected a transformation, nothing is there"));
        };
        if let (Some(set), []) = (Transforms::named(kind.text, size), arguments) {
            return Ok(set.list);
        }
        let Some((_, usage)) = KINDS.iter().find(|(word, _)| *word == kind.text) else {
            let words: Vec<&str> = KINDS.iter().map(|(word, _)| *word).chain(NAMES).collect();
            let near = nearest(kind.text, words.iter().copied(), 2);
            let near = if near.is_empty() { words } else { near };
            return Err(self.error(
                *kind,
                format!(
                    "there is no transformation `{}`; did you mean {}?",
                    kind.text,
                    near.join(" or ")
                ),
            ));
        };
        let most = match kind.text {
            "flip" => 0,
            "pad" => 2,
            _ => 1,
        };
        if let Some(surplus) = arguments.get(most) {
            return Err(self.expected(*surplus, "a comma or the end", usage));
        }
        let end = item.slice(item.text.len()..item.text.len());
        let first = arguments.first().copied().unwrap_or(end);
        Ok(vec![match kind.text {
            "pad" => Transform::Pad {
                width: self.count(first, usage)?,
                with: self.padding(arguments.get(1), usage)?,
            },
            "jitter" => Transform::Jitter {
                by: self.count(first, usage)?,
            },
            "scale" => Transform::Scale {
                by: self.positive(first, true, usage)?,
            },
            "rotate" => Transform::Rotate {
                degrees: self.choice(first, usage)?,
            },
            "crop" => Transform::Crop {
                size: self.size(first, usage)?,
            },
            "resize" => Transform::Resize {
                size: self.size(first, usage)?,
            },
            "blur" => Transform::Blur {
                sigma: self.positive(first, false, usage)?,
            },
            "noise" => Transform::Noise {
                deviation: self.positive(first, false, usage)?,
            },
            _ => Transform::Flip,
        }])
    }
}

/// More than any image has on a side; sums of two do not overflow.
const MOST_PIXELS: usize = 1 << 20;

impl Transforms {
    /// The transformations that a text names, those of sets for images of `size` (rows, columns). An empty text names none.
    ///
    /// ```
    /// use deepvis::transform::Transforms;
    /// let transforms = Transforms::parse("pad 16, jitter 8, scale 0.9..1.1", [224, 224]).unwrap();
    /// assert_eq!(transforms.to_string(), "pad 16, jitter 8, scale 0.9..1.1");
    /// let error = Transforms::parse("pad 16, jiter 8", [224, 224]).unwrap_err();
    /// assert_eq!(error.place, 8);
    /// ```
    pub fn parse(text: &str, size: [usize; 2]) -> Result<Self, ParseError> {
        let parser = Parser { text };
        let whole = Part { text, place: 0 };
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let items = whole.split(|letter| letter == ',', false).into_iter();
        let lists: Vec<Vec<Transform>> = items.map(|item| parser.transform(item, size)).collect::<Parsed<_>>()?;
        Ok(Self { list: lists.concat() })
    }
}

fn write_size(f: &mut fmt::Formatter<'_>, word: &str, [rows, columns]: [usize; 2]) -> fmt::Result {
    if rows == columns {
        write!(f, "{word} {rows}")
    } else {
        write!(f, "{word} {rows}x{columns}")
    }
}

impl Display for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pad { width, with } => match with {
                Padding::Constant(value) if value.to_bits() == super::GROUND.to_bits() => write!(f, "pad {width}"),
                Padding::Constant(value) => write!(f, "pad {width} {value}"),
                Padding::Reflect => write!(f, "pad {width} reflect"),
                Padding::Uniform => write!(f, "pad {width} uniform"),
            },
            Self::Jitter { by } => write!(f, "jitter {by}"),
            Self::Scale { by } => write!(f, "scale {by}"),
            Self::Rotate { degrees } => write!(f, "rotate {degrees}"),
            Self::Crop { size } => write_size(f, "crop", *size),
            Self::Resize { size } => write_size(f, "resize", *size),
            Self::Blur { sigma } => write!(f, "blur {sigma}"),
            Self::Flip => f.write_str("flip"),
            Self::Noise { deviation } => write!(f, "noise {deviation}"),
        }
    }
}

impl Display for Transforms {
    /// As [`Transforms::parse`] reads it; nothing of an empty list.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, transform) in self.list.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{transform}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [usize; 2] = [224, 320];

    fn error(text: &str) -> (usize, String) {
        let error = Transforms::parse(text, SIZE).unwrap_err();
        (error.place, error.expected)
    }

    #[test]
    fn what_is_printed_is_read_back() {
        let text = "pad 16 reflect, pad 3 0, pad 2 uniform, pad 12, jitter 8, scale {1, 0.95}, scale 0.9..1.1, \
                    rotate -10..10, rotate 7.5, crop 224, resize 224x320, blur 1..1.1, flip, noise 0.05";
        let read = Transforms::parse(text, SIZE).unwrap();
        assert_eq!(read.list.len(), 14);
        assert_eq!(read.to_string(), text);
        for name in NAMES {
            let set = Transforms::named(name, SIZE).unwrap();
            assert_eq!(Transforms::parse(name, SIZE).unwrap(), set);
            assert_eq!(Transforms::parse(&set.to_string(), SIZE).unwrap(), set);
            let json = serde_json::to_string(&set).unwrap();
            assert_eq!(serde_json::from_str::<Transforms>(&json).unwrap(), set);
        }
        let longer = Transforms::parse(" lucid ,crop 224 ", SIZE).unwrap();
        assert_eq!(longer.list.len(), 6);
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        assert_eq!(
            error("pad 16, jiter 8"),
            (8, "there is no transformation `jiter`; did you mean jitter?".into())
        );
        assert_eq!(error("pad 16,, flip").0, 7);
        assert_eq!(error("pad"), (3, "expected a whole number of pixels, nothing is there; it is written `pad PIXELS [VALUE|reflect|uniform]`".into()));
        assert_eq!(error("é, scale 1.1..0.9").0, 0);
        assert_eq!(error("flip, scale 1.1..0.9").0, 12);
        assert_eq!(error("scale {1, x}").0, 10);
        assert_eq!(error("scale {}").0, 7);
        assert_eq!(error("scale 0").0, 6);
        assert_eq!(error("jitter 8 9").0, 9);
        assert_eq!(error("jitter -1").0, 7);
        assert_eq!(error("noise inf").0, 6);
        assert_eq!(error("crop 0x3").0, 5);
        assert_eq!(error("pad 99999999999999999999").0, 4);
    }
}
