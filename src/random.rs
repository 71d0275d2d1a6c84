//! Random numbers that depend on nothing but what they are for: a unit's seed, the iteration, and the place where they are
//! drawn. A run can so be repeated to the bit, alone or in a batch, resumed or not.

/// A stream of random numbers: SplitMix64 (Steele, Lea and Flood 2014), which is a counter and a function that mixes its bits.
#[derive(Debug, Clone)]
pub struct Random {
    counter: u64,
    /// The polar method makes two normals at a time.
    second: Option<f64>,
}

/// SplitMix64's increment: 2^64 over the golden ratio, made odd.
const INCREMENT: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64's mixing function.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

impl Random {
    /// The stream that belongs to all of `key`: another one for each other key, and for keys in another order.
    pub fn new(key: &[u64]) -> Self {
        let counter = key.iter().fold(0, |state: u64, part| {
            mix(state.wrapping_add(INCREMENT) ^ mix(part.wrapping_add(INCREMENT)))
        });
        Self { counter, second: None }
    }

    fn bits(&mut self) -> u64 {
        self.counter = self.counter.wrapping_add(INCREMENT);
        mix(self.counter)
    }

    /// Evenly from [0, 1), of 53 bits.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what an f64 holds")]
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Evenly from [low, high).
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// One of 0 to `count` - 1, each as likely; 0 if there is but one or none.
    pub fn below(&mut self, count: usize) -> usize {
        // The upper half of a product of 128 bits; uneven by less than count / 2^64.
        let product = u128::from(self.bits()) * count as u128;
        usize::try_from(product >> 64).unwrap_or(0)
    }

    /// From the normal distribution of mean 0 and standard deviation 1, by the polar method.
    pub fn normal(&mut self) -> f64 {
        if let Some(second) = self.second.take() {
            return second;
        }
        loop {
            let x = 2.0 * self.unit() - 1.0;
            let y = 2.0 * self.unit() - 1.0;
            let square = x * x + y * y;
            if square < 1.0 && square != 0.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.second = Some(factor * x);
                return factor * y;
            }
        }
    }

    /// `count` normals of standard deviation `deviation`, as float32.
    #[expect(clippy::cast_possible_truncation, reason = "tensors are float32")]
    pub fn normals(&mut self, count: usize, deviation: f64) -> Vec<f32> {
        (0..count).map(|_| (deviation * self.normal()) as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_their_keys_own() {
        let first = |key: &[u64]| Random::new(key).unit();
        assert_eq!(first(&[1, 2]).to_bits(), first(&[1, 2]).to_bits());
        assert_ne!(first(&[1, 2]).to_bits(), first(&[2, 1]).to_bits());
        assert_ne!(first(&[1]).to_bits(), first(&[1, 0]).to_bits());
        assert_ne!(first(&[]).to_bits(), first(&[0]).to_bits());
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut random = Random::new(&[7]);
        let count = 100_000;
        let normals: Vec<f64> = (0..count).map(|_| random.normal()).collect();
        let mean = normals.iter().sum::<f64>() / f64::from(count);
        let variance = normals.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(count);
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
        let mut counts = [0; 5];
        for _ in 0..count {
            counts[random.below(5)] += 1;
        }
        assert!(counts.iter().all(|n| (19_000..21_000).contains(n)), "{counts:?}");
    }
}
