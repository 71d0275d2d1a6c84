//! Textures that fill the whole picture, in two colours.

use super::Class;
use super::backgrounds::{any_colour, colour_unlike};
use super::canvas::{Colour, Figure, Look, Placement};
use super::dice::Dice;

/// Stripes three ways, checkers, dots, bricks, waves, target.
pub fn classes() -> Vec<Class> {
    let textures: [(&str, Figure); 8] = [
        ("horizontal stripes", horizontal_stripes),
        ("vertical stripes", vertical_stripes),
        ("diagonal stripes", diagonal_stripes),
        ("checkerboard", checkerboard),
        ("polka dots", polka_dots),
        ("bricks", bricks),
        ("waves", waves),
        ("target", target),
    ];
    textures
        .map(|(label, figure)| Class {
            label,
            figure,
            look: two_colours,
            placement: everywhere,
        })
        .into()
}

fn two_colours(dice: &mut Dice) -> Look {
    let first = any_colour(dice);
    let second = colour_unlike(dice, first, 0.6);
    Look {
        inks: [first, second, first, second],
        details: [dice.unit(), dice.unit(), dice.unit()],
    }
}

/// The unit of length is a texture's period.
fn everywhere(dice: &mut Dice) -> Placement {
    Placement {
        offset: [dice.between(-6.0, 6.0), dice.between(-6.0, 6.0)],
        radius: dice.between(9.0, 16.0),
        angle: dice.between(-0.12, 0.12),
    }
}

fn either(look: &Look, first: bool) -> Option<Colour> {
    Some(look.inks[usize::from(!first)])
}

/// Whether a coordinate is in the first half of its period.
fn first_half(along: f32) -> bool {
    along.rem_euclid(1.0) < 0.5
}

fn horizontal_stripes(_: f32, y: f32, look: &Look) -> Option<Colour> {
    either(look, first_half(y))
}

fn vertical_stripes(x: f32, _: f32, look: &Look) -> Option<Colour> {
    either(look, first_half(x))
}

fn diagonal_stripes(x: f32, y: f32, look: &Look) -> Option<Colour> {
    either(look, first_half((x + y) * std::f32::consts::FRAC_1_SQRT_2))
}

fn checkerboard(x: f32, y: f32, look: &Look) -> Option<Colour> {
    either(look, first_half(x * 0.6) == first_half(y * 0.6))
}

fn polka_dots(x: f32, y: f32, look: &Look) -> Option<Colour> {
    let shifted = x + if first_half(y / 2.0) { 0.5 } else { 0.0 };
    let (x, y) = (shifted.rem_euclid(1.0) - 0.5, y.rem_euclid(1.0) - 0.5);
    either(look, x.hypot(y) < 0.32)
}

fn bricks(x: f32, y: f32, look: &Look) -> Option<Colour> {
    let y = y * 1.4;
    let shifted = x * 0.7 + if first_half(y / 2.0) { 0.5 } else { 0.0 };
    either(look, shifted.rem_euclid(1.0) > 0.13 && y.rem_euclid(1.0) > 0.2)
}

fn waves(x: f32, y: f32, look: &Look) -> Option<Colour> {
    either(look, first_half(y + 0.45 * (x * 2.6).sin()))
}

fn target(x: f32, y: f32, look: &Look) -> Option<Colour> {
    either(look, first_half(x.hypot(y) * 0.9))
}
