//! Plain shapes in one colour.

use super::Class;
use super::backgrounds::any_colour;
use super::canvas::{Colour, Figure, Look, Placement, in_box, in_ellipse, in_triangle};
use super::dice::Dice;

/// Disc, ring, square, triangle, star, heart, cross, crescent.
pub fn classes() -> Vec<Class> {
    let shapes: [(&str, Figure); 8] = [
        ("disc", disc),
        ("ring", ring),
        ("square", square),
        ("triangle", triangle),
        ("star", star),
        ("heart", heart),
        ("cross", cross),
        ("crescent", crescent),
    ];
    shapes
        .map(|(label, figure)| Class {
            label,
            figure,
            look: one_colour,
            placement: upright,
        })
        .into()
}

/// One colour of any kind.
pub fn one_colour(dice: &mut Dice) -> Look {
    Look {
        inks: [any_colour(dice); 4],
        details: [dice.unit(), dice.unit(), dice.unit()],
    }
}

/// Large, about the middle, turned a little.
pub fn upright(dice: &mut Dice) -> Placement {
    let radius = dice.between(17.0, 27.0);
    let room = 34.0 - radius;
    Placement {
        offset: [dice.between(-room, room), dice.between(-room, room)],
        radius,
        angle: dice.between(-0.2, 0.2),
    }
}

fn ink(look: &Look, inside: bool) -> Option<Colour> {
    inside.then_some(look.inks[0])
}

fn disc(x: f32, y: f32, look: &Look) -> Option<Colour> {
    ink(look, x.hypot(y) < 0.95)
}

fn ring(x: f32, y: f32, look: &Look) -> Option<Colour> {
    let inner = 0.5 + 0.2 * look.details[0];
    ink(look, (inner..1.0).contains(&x.hypot(y)))
}

fn square(x: f32, y: f32, look: &Look) -> Option<Colour> {
    ink(look, in_box(x, y, [-0.85, -0.85, 0.85, 0.85]))
}

fn triangle(x: f32, y: f32, look: &Look) -> Option<Colour> {
    ink(look, in_triangle(x, y, [[0.0, -1.0], [1.0, 0.8], [-1.0, 0.8]]))
}

fn star(x: f32, y: f32, look: &Look) -> Option<Colour> {
    // Within a fifth of a turn a star is bounded by a line from an outer to an inner corner.
    let fifth = std::f32::consts::TAU / 5.0;
    let angle = (x.atan2(-y).rem_euclid(fifth) - fifth / 2.0).abs();
    let (along, across) = (x.hypot(y) * angle.cos(), x.hypot(y) * angle.sin());
    let outer = [(fifth / 2.0).cos(), (fifth / 2.0).sin()];
    let inner = 0.42;
    ink(look, (outer[0] - inner) * across - outer[1] * (along - inner) >= 0.0)
}

fn heart(x: f32, y: f32, look: &Look) -> Option<Colour> {
    let lobes = in_ellipse(x.abs(), y, [0.47, -0.3, 0.52, 0.55]);
    let point = in_triangle(x, y, [[-0.93, -0.05], [0.93, -0.05], [0.0, 1.0]]);
    ink(look, lobes || point)
}

fn cross(x: f32, y: f32, look: &Look) -> Option<Colour> {
    let half = 0.22 + 0.1 * look.details[0];
    ink(look, x.abs().max(y.abs()) < 0.95 && x.abs().min(y.abs()) < half)
}

fn crescent(x: f32, y: f32, look: &Look) -> Option<Colour> {
    ink(look, x.hypot(y) < 1.0 && (x - 0.45).hypot(y) > 0.8)
}
