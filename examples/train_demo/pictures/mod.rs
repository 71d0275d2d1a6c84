//! Pictures that the demo network is trained on: shapes, letters, textures and things, drawn from numbers alone.

mod backgrounds;
mod canvas;
mod dice;
mod letters;
mod shapes;
mod textures;
mod things;

use canvas::{Figure, Look, Placement};
use dice::Dice;

/// Rows and columns of a picture.
pub const SIZE: usize = 64;
/// Grey levels that noise adds, at most (standard deviation).
const MOST_NOISE: f32 = 20.0;

/// Something that can be on a picture.
pub struct Class {
    /// Its name.
    pub label: &'static str,
    figure: Figure,
    /// Colours and details of one example.
    look: fn(&mut Dice) -> Look,
    /// How one example stands in the picture.
    placement: fn(&mut Dice) -> Placement,
}

/// All classes, in the order of the network's units.
pub fn classes() -> Vec<Class> {
    [
        shapes::classes(),
        letters::classes(),
        textures::classes(),
        things::classes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Example number `number` of the class: `3 x SIZE x SIZE`, red, green, blue, from 0 to 255. The same seed and number give
/// the same picture.
pub fn picture(class: &Class, seed: u64, number: u64) -> Vec<f32> {
    let mut dice = Dice::new(seed, number);
    let look = (class.look)(&mut dice);
    let placement = (class.placement)(&mut dice);
    let mut pixels = backgrounds::background(&mut dice, &look);
    canvas::paint(&mut pixels, class.figure, &look, &placement);
    let noise = dice.below_square(MOST_NOISE);
    let brightness = dice.between(-15.0, 15.0);
    for value in &mut pixels {
        *value = (*value * 255.0 + brightness + noise * dice.normal()).clamp(0.0, 255.0);
    }
    pixels
}
