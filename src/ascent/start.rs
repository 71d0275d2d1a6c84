//! The start image x0, drawn as NumPy's `RandomState` draws it, bit for bit.

use rand_mt::Mt;
use serde::{Deserialize, Serialize};

/// How x0 is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// The mean image plus noise of standard deviation 10.
    #[default]
    MeanPlusRand,
    /// Uniform noise from 0 to 255.
    Randu,
    /// The mean image.
    Mean,
}

impl Start {
    /// The name in the original.
    pub fn name(self) -> &'static str {
        match self {
            Self::MeanPlusRand => "mean_plus_rand",
            Self::Randu => "randu",
            Self::Mean => "mean",
        }
    }
}

/// Standard deviation of the noise of `mean_plus_rand`, in grey levels.
const NOISE: f64 = 10.0;
/// Upper end of the noise of `randu`, in grey levels.
const WHITE: f64 = 255.0;

/// NumPy's legacy generator: the Mersenne Twister seeded by one integer, doubles of 53 bits, normals by the polar method.
struct RandomState {
    twister: Mt,
    /// The polar method makes two normals at a time.
    second: Option<f64>,
}

impl RandomState {
    fn new(seed: u32) -> Self {
        Self {
            twister: Mt::new(seed),
            second: None,
        }
    }

    /// From [0, 1).
    fn double(&mut self) -> f64 {
        let high = f64::from(self.twister.next_u32() >> 5);
        let low = f64::from(self.twister.next_u32() >> 6);
        (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0
    }

    /// Of mean 0 and standard deviation 1.
    fn normal(&mut self) -> f64 {
        if let Some(second) = self.second.take() {
            return second;
        }
        loop {
            let x = 2.0 * self.double() - 1.0;
            let y = 2.0 * self.double() - 1.0;
            let square = x * x + y * y;
            if square < 1.0 && square != 0.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.second = Some(factor * x);
                return factor * y;
            }
        }
    }
}

/// x0, mean-subtracted, of as many entries as `mean` (channels x rows x columns, row-major).
pub fn start(at: Start, seed: u32, mean: &[f64]) -> Vec<f64> {
    let mut random = RandomState::new(seed);
    match at {
        Start::MeanPlusRand => mean.iter().map(|_| 0.0 + NOISE * random.normal()).collect(),
        Start::Randu => mean.iter().map(|mean| WHITE * random.double() - mean).collect(),
        Start::Mean => vec![0.0; mean.len()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.random.RandomState(0).normal(0, 10, 2)`, as the specification prints it, and `RandomState(3).rand(2)`.
    #[test]
    fn draws_what_numpy_draws() {
        let x0 = start(Start::MeanPlusRand, 0, &[0.0; 2]);
        assert_eq!(
            x0.iter().map(|x| format!("{x:.11}")).collect::<Vec<_>>(),
            ["17.64052345968", "4.00157208367"]
        );
        let uniform = start(Start::Randu, 3, &[0.0; 2]);
        assert!((uniform[0] / 255.0 - 0.5507979025745755).abs() < 1e-15);
        assert!((uniform[1] / 255.0 - 0.7081478226181048).abs() < 1e-15);
    }

    /// The specification's run: seed 0 at 3 x 227 x 227, "norm: [3921.52364497, ...", "std: [9.97384688005, ...".
    #[test]
    fn x0_has_the_figures_of_the_specification() {
        let x0 = start(Start::MeanPlusRand, 0, &[0.0; 3 * 227 * 227]);
        let found = crate::ascent::arithmetic::reference::statistics(&x0, &x0);
        assert_eq!(
            format!("{:.8} {:.11}", found.norm, found.std),
            "3921.52364497 9.97384688005"
        );
    }
}
