//! One unit, without files.

use super::error::Result;
use crate::ascent::{Climb, Flow, Image, Listener, Progress, Recipe, Record};
use crate::backend::Compute;
use crate::model::Model;
use crate::output::images::{Picture, as_it_is, of_parameterized, picture, plus_mean};

struct Nobody;

impl Listener for Nobody {
    fn wants_images(&self, _: usize) -> bool {
        false
    }

    fn iterated(&mut self, _: &Progress<'_>) -> Flow {
        Flow::Continue
    }
}

/// Lets one unit of a model climb; nothing is written. Images are float64 on a CPU, float32 on a GPU.
///
/// # Errors
/// When the unit does not exist, the model's files are of no use, or the ascent fails.
pub fn optimize(model: &Model, compute: &Compute, recipe: Recipe) -> Result<Record> {
    let precision = recipe.precision(compute.is_gpu());
    let mut climbs = super::climb(model, compute, precision, &[recipe], None, &mut Nobody)?;
    Ok(climbs.swap_remove(0)?.into_record())
}

impl Record {
    /// The last image as it is, black and white being 0 and 255 grey levels: what recipes of parameterized images give.
    ///
    /// # Errors
    /// When the model's mean cannot be read.
    pub fn last_picture(&self, model: &Model) -> Result<Picture> {
        let mean = model.mean(self.image)?;
        let swap = model.source.preprocessing.swap;
        let shown = of_parameterized(self, &mean, swap);
        Ok(shown.unwrap_or_else(|| nothing_yet(self.image, &mean, swap)))
    }

    /// The best image with the mean added, stretched from black to white: `best_Xpm` of the original.
    ///
    /// # Errors
    /// When the model's mean cannot be read.
    pub fn picture(&self, model: &Model) -> Result<Picture> {
        let mean = model.mean(self.image)?;
        let image = self.best.as_ref().map_or(self.x0.as_slice(), |best| best.xx.as_slice());
        let swap = model.source.preprocessing.swap;
        Ok(picture(&plus_mean(image, &mean), self.image, swap))
    }
}

impl Climb {
    /// What people look at: of a parameterized image the last one (grey as the mean before the first iteration), else the best
    /// one with the mean added, stretched from black to white.
    pub fn picture(&self) -> Picture {
        let (record, mean, swap) = (self.record(), self.mean(), self.swap());
        match self.recipe().image {
            Image::GreyLevels => {
                let best = record
                    .best
                    .as_ref()
                    .map_or(record.x0.as_slice(), |best| best.xx.as_slice());
                picture(&plus_mean(best, mean), record.image, swap)
            }
            Image::Parameterized(_) => {
                of_parameterized(record, mean, swap).unwrap_or_else(|| nothing_yet(record.image, mean, swap))
            }
        }
    }
}

/// The mean by itself.
fn nothing_yet(image: [usize; 3], mean: &[f64], swap: [usize; 3]) -> Picture {
    picture(&as_it_is(&vec![0.0; mean.len()], mean), image, swap)
}
