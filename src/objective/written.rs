//! Objectives as text, as [`Expression::parse`](super::Expression::parse) reads it.

use std::fmt::{self, Display};

use super::expression::{Channel, DECAY, DOT_POWER, Expression, Kind, Operator, Term};

impl Expression {
    fn precedence(&self) -> u8 {
        match self {
            Self::Binary(_, Operator::Plus | Operator::Minus, _) => 0,
            Self::Binary(_, Operator::Times | Operator::Over, _) => 1,
            Self::Negative(_) => 2,
            Self::Number(value) if value.is_sign_negative() => 2,
            Self::Number(_) | Self::Term(_) => 3,
        }
    }

    /// Written where nothing that binds less than `least` can stand.
    fn write(&self, f: &mut fmt::Formatter<'_>, least: u8) -> fmt::Result {
        if self.precedence() < least {
            f.write_str("(")?;
            self.write(f, 0)?;
            return f.write_str(")");
        }
        match self {
            Self::Number(value) => write!(f, "{value}"),
            Self::Term(term) => write!(f, "{term}"),
            Self::Negative(inner) => {
                f.write_str("-")?;
                // A number of its own, not a negative one.
                inner.write(f, 3)
            }
            Self::Binary(left, operator, right) => {
                left.write(f, self.precedence())?;
                f.write_str(match operator {
                    Operator::Plus => " + ",
                    Operator::Minus => " - ",
                    Operator::Times => "*",
                    Operator::Over => "/",
                })?;
                right.write(f, self.precedence() + 1)
            }
        }
    }
}

impl Display for Expression {
    /// As [`Expression::parse`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

/// A name as an argument: between quotes where it would end early, or be taken for something else.
struct Name<'a>(&'a str);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name) = self;
        let is_plain = !name.is_empty()
            && name.trim() == *name
            && !name.contains([',', '(', ')', '"', '='])
            && name.parse::<usize>().is_err();
        if is_plain {
            f.write_str(name)
        } else {
            write!(f, "\"{name}\"")
        }
    }
}

impl Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "{index}"),
            Self::Label(label) => write!(f, "{}", Name(label)),
        }
    }
}

fn with_power(power: f64, usual: f64) -> String {
    if power.to_bits() == usual.to_bits() {
        String::new()
    } else {
        format!(", power={power}")
    }
}

fn with_position(position: Option<[usize; 2]>) -> String {
    position.map_or_else(String::new, |[row, column]| format!(", row={row}, column={column}"))
}

impl Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |name: &'_ str| Name(name).to_string();
        let (word, mut arguments) = match &self.kind {
            Kind::Neuron {
                layer,
                channel,
                position,
            } => (
                "neuron",
                format!("{}, {channel}{}", name(layer), with_position(*position)),
            ),
            Kind::Channel { layer, channel } => ("channel", format!("{}, {channel}", name(layer))),
            Kind::Layer { layer } => ("layer", name(layer)),
            Kind::Mean { layer } => ("mean", name(layer)),
            Kind::Direction { layer, file, power } => (
                "direction",
                format!("{}, {}{}", name(layer), name(file), with_power(*power, 0.0)),
            ),
            Kind::DirectionNeuron {
                layer,
                file,
                position,
                power,
            } => (
                "direction_neuron",
                format!(
                    "{}, {}{}{}",
                    name(layer),
                    name(file),
                    with_position(*position),
                    with_power(*power, 0.0)
                ),
            ),
            Kind::TensorDirection { layer, file, power } => (
                "tensor_direction",
                format!("{}, {}{}", name(layer), name(file), with_power(*power, 0.0)),
            ),
            Kind::Cosine { layer, file } => ("cosine", format!("{}, {}", name(layer), name(file))),
            Kind::DotCosine { layer, file, power } => (
                "dot_cosine",
                format!("{}, {}{}", name(layer), name(file), with_power(*power, DOT_POWER)),
            ),
            Kind::Caricature { layer, photo, power } => (
                "caricature",
                format!("{}, {}{}", name(layer), name(photo), with_power(*power, 0.0)),
            ),
            Kind::Inversion { layer, photo } => ("inversion", format!("{}, {}", name(layer), name(photo))),
            Kind::Difference { layer, photo } => ("difference", format!("{}, {}", name(layer), name(photo))),
            Kind::Interpolate { first, last } => (
                "interpolate",
                format!("{}, {}, {}, {}", name(&first.0), first.1, name(&last.0), last.1),
            ),
            Kind::Diversity { layer } => ("diversity", name(layer)),
            Kind::Alignment { layer, decay } => (
                "alignment",
                if decay.to_bits() == DECAY.to_bits() {
                    name(layer)
                } else {
                    format!("{}, decay={decay}", name(layer))
                },
            ),
            Kind::L1 { centre } => ("l1", format!("{centre}")),
            Kind::L2 { centre } => ("l2", format!("{centre}")),
            Kind::TotalVariation => ("total_variation", String::new()),
            Kind::Opacity => ("opacity", String::new()),
            Kind::BlurPenalty => ("blur_penalty", String::new()),
            Kind::Boundary { width, centre } => ("boundary", format!("{width}, {centre}")),
        };
        if let Some(image) = self.image {
            let comma = if arguments.is_empty() { "" } else { ", " };
            arguments = format!("{arguments}{comma}image={image}");
        }
        write!(f, "{word}({arguments})")
    }
}
