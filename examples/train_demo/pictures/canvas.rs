//! Painting a figure over a background.

use super::SIZE;

/// Red, green, blue from 0 to 1.
pub type Colour = [f32; 3];

/// The colour of a figure at a point of its own frame, in which it reaches from about -1 to 1 (y downwards); `None` beside it.
pub type Figure = fn(x: f32, y: f32, look: &Look) -> Option<Colour>;

/// Colours and details of one example.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Colours; what each is for is the figure's affair.
    pub inks: [Colour; 4],
    /// From 0 to 1 each: thickness, number of petals and the like.
    pub details: [f32; 3],
}

/// How an example stands in the picture.
#[derive(Debug, Clone, Copy)]
pub struct Placement {
    /// Middle, in pixels from the picture's middle: right, down.
    pub offset: [f32; 2],
    /// Pixels from the figure's middle to its rim.
    pub radius: f32,
    /// Clockwise, in radians.
    pub angle: f32,
}

/// Points within a pixel at which the figure is looked up, each way.
const SAMPLES: usize = 2;

/// Paints the figure over `pixels` (`3 x SIZE x SIZE`, from 0 to 1), its rim smoothed.
#[expect(clippy::cast_precision_loss, reason = "pictures are small")]
pub fn paint(pixels: &mut [f32], figure: Figure, look: &Look, placement: &Placement) {
    let (sin, cos) = placement.angle.sin_cos();
    let middle = SIZE as f32 / 2.0;
    let share = 1.0 / (SAMPLES * SAMPLES) as f32;
    for row in 0..SIZE {
        for column in 0..SIZE {
            let mut sum = [0.0f32; 3];
            let mut covered = 0.0;
            for sample in 0..SAMPLES * SAMPLES {
                let within = |step: usize| (step as f32 + 0.5) / SAMPLES as f32;
                let right = column as f32 + within(sample % SAMPLES) - middle - placement.offset[0];
                let down = row as f32 + within(sample / SAMPLES) - middle - placement.offset[1];
                let x = (cos * right + sin * down) / placement.radius;
                let y = (cos * down - sin * right) / placement.radius;
                if let Some(colour) = figure(x, y, look) {
                    covered += share;
                    for (sum, part) in sum.iter_mut().zip(colour) {
                        *sum += share * part;
                    }
                }
            }
            for (channel, sum) in sum.into_iter().enumerate() {
                let pixel = &mut pixels[(channel * SIZE + row) * SIZE + column];
                *pixel = *pixel * (1.0 - covered) + sum;
            }
        }
    }
}

/// Distance of a point from a segment.
pub fn from_segment(x: f32, y: f32, [x0, y0, x1, y1]: [f32; 4]) -> f32 {
    let (dx, dy) = (x1 - x0, y1 - y0);
    let along = (((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy)).clamp(0.0, 1.0);
    (x - x0 - along * dx).hypot(y - y0 - along * dy)
}

/// Whether a point is in an ellipse.
pub fn in_ellipse(x: f32, y: f32, [cx, cy, rx, ry]: [f32; 4]) -> bool {
    let (x, y) = ((x - cx) / rx, (y - cy) / ry);
    x * x + y * y <= 1.0
}

/// Whether a point is in a rectangle: left, top, right, bottom.
pub fn in_box(x: f32, y: f32, [left, top, right, bottom]: [f32; 4]) -> bool {
    (left..=right).contains(&x) && (top..=bottom).contains(&y)
}

/// Whether a point is in a triangle.
pub fn in_triangle(x: f32, y: f32, corners: [[f32; 2]; 3]) -> bool {
    let side = |a: [f32; 2], b: [f32; 2]| (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) >= 0.0;
    let sides = [
        side(corners[0], corners[1]),
        side(corners[1], corners[2]),
        side(corners[2], corners[0]),
    ];
    sides.iter().all(|inside| *inside) || sides.iter().all(|inside| !*inside)
}
