//! The arguments of a term, as its kind has them.

use super::error::{ParseError, Parsed};
use super::expression::{Channel, DECAY, DOT_POWER, FRAME, GREY, Kind};

/// An argument.
pub(super) struct Argument<'a> {
    pub(super) key: Option<&'a str>,
    pub(super) value: &'a str,
    pub(super) is_quoted: bool,
    /// Where its value begins, in bytes.
    pub(super) place: usize,
}

/// A term's arguments, taken one after another.
pub(super) struct Arguments<'a> {
    /// The whole objective's text.
    pub(super) text: &'a str,
    pub(super) list: Vec<Argument<'a>>,
    pub(super) usage: &'static str,
    /// The closing parenthesis.
    pub(super) end: usize,
}

impl<'a> Arguments<'a> {
    /// The next argument without a key.
    pub(super) fn next(&mut self) -> Option<Argument<'a>> {
        let index = self.list.iter().position(|argument| argument.key.is_none())?;
        Some(self.list.remove(index))
    }

    pub(super) fn needed(&mut self, what: &str) -> Parsed<Argument<'a>> {
        let (end, usage) = (self.end, self.usage);
        let text = self.text;
        self.next()
            .ok_or_else(|| ParseError::at(text, end, format!("expected {what}; it is written `{usage}`")))
    }

    pub(super) fn keyed(&mut self, key: &str) -> Parsed<Option<Argument<'a>>> {
        let Some(index) = self.list.iter().position(|argument| argument.key == Some(key)) else {
            return Ok(None);
        };
        Ok(Some(self.list.remove(index)))
    }

    pub(super) fn none_left(&self) -> Parsed<()> {
        match self.list.first() {
            None => Ok(()),
            Some(argument) => Err(ParseError::at(
                self.text,
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
        ParseError::at(self.text, argument.place, message)
    }

    pub(super) fn index(&self, argument: &Argument<'_>) -> Parsed<usize> {
        let parsed = argument.value.parse();
        parsed.map_err(|_| self.wrong(argument, "a whole number, from 0"))
    }

    pub(super) fn number(&self, argument: &Argument<'_>) -> Parsed<f64> {
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
            (Some(only), None) => Err(ParseError::at(
                self.text,
                only.place,
                "a row needs a column beside it: row=Y, column=X",
            )),
            (None, Some(only)) => Err(ParseError::at(
                self.text,
                only.place,
                "a column needs a row beside it: row=Y, column=X",
            )),
        }
    }

    fn centre(&mut self, usual: f64) -> Parsed<f64> {
        match self.next() {
            None => Ok(usual),
            Some(argument) => self.number(&argument),
        }
    }

    pub(super) fn kind(&mut self, word: &str) -> Parsed<Kind> {
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
