//! What is behind a figure: plain colour, a gradient, blotches, or thin lines.

use super::SIZE;
use super::canvas::{Colour, Look, from_segment};
use super::dice::Dice;

/// Least difference between a background and a figure's first colour, so that there is something to see.
const CONTRAST: f32 = 0.55;
/// Rows and columns of the coarse grid that blotches are drawn between.
const GRID: usize = 5;

/// A colour of any kind.
pub fn any_colour(dice: &mut Dice) -> Colour {
    [dice.unit(), dice.unit(), dice.unit()]
}

/// A colour far from another.
pub fn colour_unlike(dice: &mut Dice, other: Colour, least: f32) -> Colour {
    let mut furthest = ([0.0; 3], -1.0);
    for _ in 0..20 {
        let colour = any_colour(dice);
        let distance = difference(colour, other);
        if distance >= least {
            return colour;
        }
        if distance > furthest.1 {
            furthest = (colour, distance);
        }
    }
    furthest.0
}

/// Distance of two colours.
pub fn difference(one: Colour, other: Colour) -> f32 {
    one.iter()
        .zip(other)
        .map(|(a, b)| (a - b) * (a - b))
        .sum::<f32>()
        .sqrt()
}

fn mix(one: Colour, other: Colour, share: f32) -> Colour {
    [0, 1, 2].map(|channel| one[channel] * (1.0 - share) + other[channel] * share)
}

/// A background that the figure's first colour stands out from: `3 x SIZE x SIZE`, from 0 to 1.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "pictures are small"
)]
pub fn background(dice: &mut Dice, look: &Look) -> Vec<f32> {
    let base = colour_unlike(dice, look.inks[0], CONTRAST);
    let near = mix(base, any_colour(dice), 0.3);
    let kind = dice.below(4);
    let (sin, cos) = dice.between(0.0, std::f32::consts::TAU).sin_cos();
    let grid: Vec<f32> = (0..GRID * GRID).map(|_| dice.unit()).collect();
    let lines: Vec<[f32; 4]> = (0..3)
        .map(|_| [dice.unit(), dice.unit(), dice.unit(), dice.unit()].map(|part| part * 2.0 - 1.0))
        .collect();
    let mut pixels = vec![0.0; 3 * SIZE * SIZE];
    for row in 0..SIZE {
        for column in 0..SIZE {
            let (x, y) = (column as f32 / SIZE as f32, row as f32 / SIZE as f32);
            let share = match kind {
                0 => 0.0,
                1 => ((x - 0.5) * cos + (y - 0.5) * sin + 0.5).clamp(0.0, 1.0),
                2 => {
                    let (gx, gy) = (x * (GRID - 1) as f32, y * (GRID - 1) as f32);
                    let (left, top) = (gx as usize, gy as usize);
                    let (right, down) = (gx.fract(), gy.fract());
                    let at = |row: usize, column: usize| grid[row * GRID + column];
                    let above = at(top, left) * (1.0 - right) + at(top, left + 1) * right;
                    let below = at(top + 1, left) * (1.0 - right) + at(top + 1, left + 1) * right;
                    above * (1.0 - down) + below * down
                }
                _ => {
                    let (x, y) = (x * 2.0 - 1.0, y * 2.0 - 1.0);
                    f32::from(lines.iter().any(|line| from_segment(x, y, *line) < 0.03))
                }
            };
            for (channel, value) in mix(base, near, share).into_iter().enumerate() {
                pixels[(channel * SIZE + row) * SIZE + column] = value;
            }
        }
    }
    pixels
}
