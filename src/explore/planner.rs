//! What the page asks for, and who understands it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ascent::Precision;
use crate::session::{Keeper, LayerPlan};

/// Units to climb, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// The layer.
    pub layer: String,
    /// Channels, as in `0-8,24`.
    pub channels: String,
    /// Seeds, as in `0-8`.
    pub seeds: String,
    /// Values of settings by their names, as they were typed; what is not there is left to the preset.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// The photograph to begin with, by the name that it was kept under.
    #[serde(default)]
    pub start_from: Option<String>,
}

/// What a wish comes to.
#[derive(Debug)]
pub struct Plan {
    /// Layers, and the units of each.
    pub layers: Vec<LayerPlan>,
    /// Channels, rows, columns of the network's input.
    pub image: [usize; 3],
    /// The arithmetic of the images.
    pub precision: Precision,
    /// Where results go; the explorer chooses the prefix.
    pub keeper: Keeper,
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// A control of the page.
#[derive(Debug, Clone, Serialize)]
pub struct Setting {
    /// Its name in a [`Wish`].
    pub name: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// What it does, in a line.
    pub help: String,
    /// What it takes.
    #[serde(flatten)]
    pub kind: Kind,
    /// Which presets it goes with: all of them, where none is named.
    pub presets: Vec<&'static str>,
}

/// What a setting takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// A number.
    Number {
        /// The smallest.
        min: f64,
        /// The largest.
        max: f64,
        /// From one to the next.
        step: f64,
    },
    /// One of these.
    Choice {
        /// The values.
        values: Vec<String>,
    },
    /// A text.
    Text,
    /// On, or not given at all.
    Switch,
}

/// What a [`Kind::Switch`] that is on has as its value.
pub const ON: &str = "on";

/// Whether a recipe begins with a photograph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Photo {
    /// It cannot.
    Never,
    /// With noise, or with one.
    May,
    /// It needs one.
    Must,
}

/// A recipe by name.
#[derive(Debug, Clone, Serialize)]
pub struct Preset {
    /// The name.
    pub name: &'static str,
    /// What it is, in a line.
    pub help: &'static str,
    /// Whether it begins with a photograph.
    pub photo: Photo,
    /// Values of settings, by name.
    pub settings: BTreeMap<&'static str, String>,
}

/// Who understands wishes.
pub trait Planner: Send + Sync {
    /// The controls.
    fn settings(&self) -> Vec<Setting>;

    /// The recipes.
    fn presets(&self) -> Vec<Preset>;

    /// What a wish comes to.
    ///
    /// # Errors
    /// What is wrong with it, to be shown.
    fn plan(&self, wish: &Wish) -> Result<Plan, String>;

    /// The command that does the same, with results of that prefix.
    fn command(&self, wish: &Wish, prefix: &str, overwrite: bool) -> String;
}
