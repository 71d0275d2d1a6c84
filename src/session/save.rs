//! Keeping a unit that climbed without a session.

use std::time::Duration;

use super::error::Result;
use super::keeper::{Keeper, LayerKeeper};
use super::plan::LayerPlan;
use super::run_key::Fingerprint;
use crate::ascent::{Climb, Precision};
use crate::model::Model;
use crate::output::ResultFiles;

/// Under what circumstances a unit climbed.
#[derive(Debug, Clone, Copy)]
pub struct Climbed<'a> {
    /// The model.
    pub model: &'a Model,
    /// Model and preprocessing: see [`Fingerprint::of`].
    pub fingerprint: Fingerprint,
    /// What computed it: "flex (CPU)".
    pub backend: &'a str,
    /// The arithmetic of the image.
    pub precision: Precision,
    /// How long it took.
    pub took: Duration,
}

impl Keeper {
    /// Writes the files of an ascent and its line of the log, as a session does when a unit is done.
    ///
    /// # Errors
    /// When the template cannot be filled in, a file cannot be written, or is there and may not be overwritten.
    pub fn save(&self, climb: &Climb, climbed: &Climbed<'_>) -> Result<ResultFiles> {
        let recipe = climb.recipe();
        let plan = LayerPlan {
            layer: recipe.objective.unit.layer.clone(),
            shape: Vec::new(),
            extents: climb.extents(),
            recipes: Vec::new(),
        };
        let layer = LayerKeeper {
            keeper: self,
            model: climbed.model,
            plan: &plan,
            // Both are of the recipe's images already.
            mean: climb.mean().clone(),
            image: climb.record().image,
            fingerprint: climbed.fingerprint,
            backend: climbed.backend,
            precision: climbed.precision,
        };
        let snapshots = layer.snapshots(recipe);
        let (files, _) = layer.write(
            recipe,
            (Some(&climb.state().x), climb.record()),
            false,
            snapshots,
            climbed.took.as_secs_f64(),
        )?;
        Ok(files)
    }
}
