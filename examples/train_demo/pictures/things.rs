//! Simple things in about the colours they have.

use super::Class;
use super::backgrounds::any_colour;
use super::canvas::{Colour, Figure, Look, in_box, in_ellipse, in_triangle};
use super::dice::Dice;
use super::shapes::upright;

const YELLOW: Colour = [0.98, 0.82, 0.15];
const ORANGE: Colour = [0.97, 0.55, 0.12];
const RED: Colour = [0.85, 0.13, 0.12];
const GREEN: Colour = [0.15, 0.6, 0.2];
const BLUE: Colour = [0.15, 0.35, 0.85];
const PINK: Colour = [0.96, 0.45, 0.65];
const BROWN: Colour = [0.42, 0.25, 0.12];
const CREAM: Colour = [0.95, 0.89, 0.76];
const WHITE: Colour = [0.97, 0.97, 0.97];
const BLACK: Colour = [0.06, 0.06, 0.08];

/// Face, house, tree, fish, flower, sun, mushroom, boat.
pub fn classes() -> Vec<Class> {
    let class = |label, figure: Figure, look: fn(&mut Dice) -> Look| Class {
        label,
        figure,
        look,
        placement: upright,
    };
    vec![
        class("face", face, |dice| near(dice, [YELLOW, BLACK, BLACK, YELLOW])),
        class("house", house, |dice| {
            let walls = any_colour(dice);
            near(dice, [CREAM, RED, BROWN, walls])
        }),
        class("tree", tree, |dice| near(dice, [GREEN, BROWN, GREEN, GREEN])),
        class("fish", fish, |dice| near(dice, [ORANGE, BLACK, WHITE, ORANGE])),
        class("flower", flower, |dice| near(dice, [PINK, YELLOW, GREEN, PINK])),
        class("sun", sun, |dice| near(dice, [YELLOW, ORANGE, YELLOW, YELLOW])),
        class("mushroom", mushroom, |dice| near(dice, [RED, CREAM, WHITE, RED])),
        class("boat", boat, |dice| near(dice, [WHITE, BROWN, BLUE, WHITE])),
    ]
}

/// Those colours, each a little off.
fn near(dice: &mut Dice, inks: [Colour; 4]) -> Look {
    Look {
        inks: inks.map(|ink| ink.map(|part| (part + dice.between(-0.12, 0.12)).clamp(0.0, 1.0))),
        details: [dice.unit(), dice.unit(), dice.unit()],
    }
}

/// The first part that covers the point.
fn first<const N: usize>(parts: [(bool, Colour); N]) -> Option<Colour> {
    parts.into_iter().find(|(inside, _)| *inside).map(|(_, colour)| colour)
}

fn face(x: f32, y: f32, look: &Look) -> Option<Colour> {
    let eye = in_ellipse(x.abs(), y, [0.36, -0.28, 0.13, 0.2]);
    let from_mouth = x.hypot(y);
    let mouth = y > 0.15 && (0.48..0.68).contains(&from_mouth);
    first([
        (eye, look.inks[1]),
        (mouth, look.inks[2]),
        (x.hypot(y) < 1.0, look.inks[0]),
    ])
}

fn house(x: f32, y: f32, look: &Look) -> Option<Colour> {
    let roof = in_triangle(x, y, [[0.0, -1.0], [1.0, -0.1], [-1.0, -0.1]]);
    let chimney = in_box(x, y, [0.4, -0.9, 0.62, -0.3]);
    let door = in_box(x, y, [0.12, 0.3, 0.5, 0.95]);
    let window = in_box(x, y, [-0.55, 0.15, -0.15, 0.5]);
    let walls = in_box(x, y, [-0.78, -0.1, 0.78, 0.95]);
    first([
        (door, look.inks[2]),
        (window, look.inks[3]),
        (roof || chimney, look.inks[1]),
        (walls, look.inks[0]),
    ])
}

fn tree(x: f32, y: f32, look: &Look) -> Option<Colour> {
    let crown = in_ellipse(x, y, [0.0, -0.4, 0.62, 0.58]) || in_ellipse(x.abs(), y, [0.42, -0.12, 0.45, 0.4]);
    let trunk = in_box(x, y, [-0.16, 0.1, 0.16, 1.0]);
    first([(crown, look.inks[0]), (trunk, look.inks[1])])
}

fn fish(x: f32, y: f32, look: &Look) -> Option<Colour> {
    let eye = in_ellipse(x, y, [-0.5, -0.1, 0.11, 0.11]);
    let stripe = in_box(x, y, [-0.2, -0.5, 0.0, 0.5]) && in_ellipse(x, y, [-0.15, 0.0, 0.82, 0.5]);
    let body = in_ellipse(x, y, [-0.15, 0.0, 0.82, 0.5]);
    let tail = in_triangle(x, y, [[0.4, 0.0], [1.05, -0.55], [1.05, 0.55]]);
    first([
        (eye, look.inks[1]),
        (stripe, look.inks[2]),
        (body || tail, look.inks[0]),
    ])
}

fn flower(x: f32, y: f32, look: &Look) -> Option<Colour> {
    let (fx, fy) = (x, y + 0.3);
    let distance = fx.hypot(fy);
    let petals = distance < 0.48 + 0.2 * (5.0 * fx.atan2(-fy)).cos();
    let stem = in_box(x, y, [-0.07, 0.0, 0.07, 1.0]);
    let leaf = in_ellipse(x, y - 0.25 * x, [0.3, 0.55, 0.3, 0.12]);
    first([
        (distance < 0.22, look.inks[1]),
        (petals, look.inks[0]),
        (stem || leaf, look.inks[2]),
    ])
}

fn sun(x: f32, y: f32, look: &Look) -> Option<Colour> {
    let distance = x.hypot(y);
    let ray = (0.66..1.0).contains(&distance) && (8.0 * x.atan2(y)).cos() > 0.25;
    first([(distance < 0.55, look.inks[0]), (ray, look.inks[1])])
}

fn mushroom(x: f32, y: f32, look: &Look) -> Option<Colour> {
    let cap = y < 0.05 && in_ellipse(x, y, [0.0, 0.05, 0.95, 0.95]);
    let spot = in_ellipse(x, y, [0.0, -0.58, 0.17, 0.15])
        || in_ellipse(x.abs(), y, [0.5, -0.25, 0.16, 0.15])
        || in_ellipse(x, y, [0.0, -0.15, 0.13, 0.1]);
    let stem = in_ellipse(x, y, [0.0, 0.95, 0.33, 1.05]) && y < 0.95;
    first([(spot && cap, look.inks[2]), (cap, look.inks[0]), (stem, look.inks[1])])
}

fn boat(x: f32, y: f32, look: &Look) -> Option<Colour> {
    let hull = (0.35..0.75).contains(&y) && x.abs() < 0.95 - (y - 0.35) * 0.9;
    let sail = in_triangle(x, y, [[-0.05, -1.0], [-0.05, 0.2], [-0.75, 0.2]]);
    let jib = in_triangle(x, y, [[0.1, -0.75], [0.1, 0.2], [0.62, 0.2]]);
    let mast = in_box(x, y, [-0.04, -1.0, 0.06, 0.4]);
    let sea = (0.75..1.0).contains(&y) && x.abs() < 1.1;
    first([
        (hull || mast, look.inks[1]),
        (sail || jib, look.inks[0]),
        (sea, look.inks[2]),
    ])
}
