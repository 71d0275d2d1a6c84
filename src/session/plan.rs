//! What a session has to do, layer by layer.

use super::error::{Error, Result};
use crate::ascent::Recipe;

/// The units of one layer.
#[derive(Debug, Clone)]
pub struct LayerPlan {
    /// The layer's name.
    pub layer: String,
    /// Its shape for one image, with the batch axis.
    pub shape: Vec<usize>,
    /// Channels, rows, columns.
    pub extents: [usize; 3],
    /// What is to be climbed.
    pub recipes: Vec<Recipe>,
}

/// The part of the work that is this machine's: number `index` (from 0) of `count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which part, from 0.
    pub index: usize,
    /// Of how many.
    pub count: usize,
}

impl std::str::FromStr for Shard {
    type Err = Error;

    /// Understands `3/16`.
    fn from_str(given: &str) -> Result<Self> {
        let parts = given.split_once('/');
        let numbers = parts.and_then(|(part, count)| Some((part.trim().parse().ok()?, count.trim().parse().ok()?)));
        match numbers {
            Some((part, count)) if (1..=count).contains(&part) => Ok(Self { index: part - 1, count }),
            _ => Err(Error::Shard(given.to_owned())),
        }
    }
}

impl Shard {
    /// Whether unit number `number` (from 0) of the whole work is of this part: every `count`th is, so that each part gets as
    /// many of every layer.
    pub fn holds(&self, number: usize) -> bool {
        number % self.count == self.index
    }
}
