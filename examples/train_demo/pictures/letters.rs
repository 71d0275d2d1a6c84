//! Letters, drawn as strokes in one colour.

use super::Class;
use super::canvas::{Colour, Figure, Look, from_segment};
use super::shapes::{one_colour, upright};

/// A, E, H, K, M, T, X, Z.
pub fn classes() -> Vec<Class> {
    let letters: [(&str, Figure); 8] = [
        ("letter A", letter_a),
        ("letter E", letter_e),
        ("letter H", letter_h),
        ("letter K", letter_k),
        ("letter M", letter_m),
        ("letter T", letter_t),
        ("letter X", letter_x),
        ("letter Z", letter_z),
    ];
    letters
        .map(|(label, figure)| Class {
            label,
            figure,
            look: one_colour,
            placement: upright,
        })
        .into()
}

fn strokes(x: f32, y: f32, look: &Look, strokes: &[[f32; 4]]) -> Option<Colour> {
    let half = 0.13 + 0.08 * look.details[0];
    let near = strokes.iter().any(|stroke| from_segment(x, y, *stroke) < half);
    near.then_some(look.inks[0])
}

fn letter_a(x: f32, y: f32, look: &Look) -> Option<Colour> {
    let lines = [
        [0.0, -0.85, -0.7, 0.85],
        [0.0, -0.85, 0.7, 0.85],
        [-0.4, 0.25, 0.4, 0.25],
    ];
    strokes(x, y, look, &lines)
}

fn letter_e(x: f32, y: f32, look: &Look) -> Option<Colour> {
    let bars = [
        [-0.55, -0.85, -0.55, 0.85],
        [-0.55, -0.85, 0.6, -0.85],
        [-0.55, 0.0, 0.4, 0.0],
        [-0.55, 0.85, 0.6, 0.85],
    ];
    strokes(x, y, look, &bars)
}

fn letter_h(x: f32, y: f32, look: &Look) -> Option<Colour> {
    let lines = [
        [-0.6, -0.85, -0.6, 0.85],
        [0.6, -0.85, 0.6, 0.85],
        [-0.6, 0.0, 0.6, 0.0],
    ];
    strokes(x, y, look, &lines)
}

fn letter_k(x: f32, y: f32, look: &Look) -> Option<Colour> {
    let lines = [
        [-0.55, -0.85, -0.55, 0.85],
        [-0.5, 0.05, 0.6, -0.85],
        [-0.3, -0.1, 0.65, 0.85],
    ];
    strokes(x, y, look, &lines)
}

fn letter_m(x: f32, y: f32, look: &Look) -> Option<Colour> {
    let lines = [
        [-0.75, 0.85, -0.7, -0.85],
        [0.75, 0.85, 0.7, -0.85],
        [-0.7, -0.85, 0.0, 0.35],
        [0.7, -0.85, 0.0, 0.35],
    ];
    strokes(x, y, look, &lines)
}

fn letter_t(x: f32, y: f32, look: &Look) -> Option<Colour> {
    strokes(x, y, look, &[[-0.75, -0.85, 0.75, -0.85], [0.0, -0.85, 0.0, 0.85]])
}

fn letter_x(x: f32, y: f32, look: &Look) -> Option<Colour> {
    strokes(x, y, look, &[[-0.65, -0.85, 0.65, 0.85], [0.65, -0.85, -0.65, 0.85]])
}

fn letter_z(x: f32, y: f32, look: &Look) -> Option<Colour> {
    let lines = [
        [-0.65, -0.8, 0.65, -0.8],
        [0.65, -0.8, -0.65, 0.8],
        [-0.65, 0.8, 0.65, 0.8],
    ];
    strokes(x, y, look, &lines)
}
