//! Chance, the same for the same seed on every machine.

use rand_mt::Mt64;

/// A stream of random numbers for one picture.
pub struct Dice(Mt64);

impl Dice {
    /// The stream of picture `number`.
    pub fn new(seed: u64, number: u64) -> Self {
        Self(Mt64::new_with_key([seed, number]))
    }

    /// From 0 to below 1.
    #[expect(clippy::cast_precision_loss, reason = "24 bits fit float32")]
    pub fn unit(&mut self) -> f32 {
        (self.0.next_u64() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// From `low` to below `high`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// From 0 to below `most`, more often small.
    pub fn below_square(&mut self, most: f32) -> f32 {
        let unit = self.unit();
        most * unit * unit
    }

    /// One of `count`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "counts are small"
    )]
    pub fn below(&mut self, count: usize) -> usize {
        ((self.unit() * count as f32) as usize).min(count - 1)
    }

    /// Of mean 0 and standard deviation 1, nearly: a sum of four uniform numbers.
    pub fn normal(&mut self) -> f32 {
        let sum = self.unit() + self.unit() + self.unit() + self.unit();
        (sum - 2.0) * 3.0f32.sqrt()
    }
}
