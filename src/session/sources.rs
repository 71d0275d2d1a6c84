//! Where the names in an objective lead: layers and channels of a model, arrays and photos in files.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::{Tensor, TensorData};
use deepvis_importer::names::{nearest, suggest};

use super::error::{Error, Result};
use crate::ascent::{Recipe, floats};
use crate::backend::Compute;
use crate::model::{Labels, Model, npy, photo};
use crate::network::Network;
use crate::objective::{Array, Objective, Sources, extents};

/// The names of a model.
struct Names<'a> {
    model: &'a Model,
    compute: &'a Compute,
    /// Its targets are the layers that the objective names.
    network: &'a Network,
}

/// The recipe's formula on a network whose targets are its layers; none where it has none.
///
/// # Errors
/// When the formula names a channel, a label, a file or a position that is not there.
pub(super) fn formula(
    recipe: &Recipe,
    model: &Model,
    compute: &Compute,
    network: &Network,
) -> Result<Option<Arc<Objective>>> {
    let Some(expression) = &recipe.formula else {
        return Ok(None);
    };
    let names = Names {
        model,
        compute,
        network,
    };
    let objective = Objective::new(expression.clone(), &names, &compute.device)
        .map_err(|error| Error::Objective(error.to_string()))?;
    Ok(Some(Arc::new(objective)))
}

/// The channel of a layer of `channels` that a label stands for.
///
/// # Errors
/// A sentence, with near names.
pub fn labelled(labels: &Labels, layer: &str, channels: usize, label: &str) -> Result<usize, String> {
    let known = labels.of_layer(layer, channels);
    if known.is_empty() {
        return Err(match labels.misfit(layer, channels) {
            None => format!("there are no labels for {layer}, so \"{label}\" means no channel"),
            Some(why) => format!("the labels do not name the units of {layer}, so \"{label}\" means no channel: {why}"),
        });
    }
    let is_it = |name: &String| name.eq_ignore_ascii_case(label);
    let begins = |name: &String| name.split(',').any(|part| part.trim().eq_ignore_ascii_case(label));
    known
        .iter()
        .position(is_it)
        .or_else(|| known.iter().position(begins))
        .ok_or_else(|| {
            let near = nearest(label, known.iter().map(String::as_str).collect::<Vec<_>>(), 5);
            if near.is_empty() {
                format!("{layer} has no channel labelled \"{label}\"")
            } else {
                format!(
                    "{layer} has no channel labelled \"{label}\"; did you mean {}?",
                    near.join(" or ")
                )
            }
        })
}

impl Names<'_> {
    fn target(&self, layer: &str) -> Result<usize, String> {
        let targets = self.network.targets();
        targets.iter().position(|target| target.name == layer).ok_or_else(|| {
            let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
            format!("no layer \"{layer}\"; {}", suggest(layer, &names, 20))
        })
    }
}

impl Sources for Names<'_> {
    fn shape(&self, layer: &str) -> Result<[usize; 3], String> {
        extents(&self.network.unit_shape(self.target(layer)?), layer).map_err(|error| error.to_string())
    }

    fn channel(&self, layer: &str, label: &str) -> Result<usize, String> {
        labelled(&self.model.labels, layer, self.shape(layer)?[0], label)
    }

    #[expect(clippy::cast_possible_truncation, reason = "tensors are float32")]
    fn array(&self, file: &str) -> Result<Array, String> {
        let array = npy::read(Path::new(file)).map_err(|error| error.to_string())?;
        Ok(Array {
            values: array.iter().map(|value| *value as f32).collect(),
            shape: array.shape().to_vec(),
        })
    }

    fn photo(&self, layer: &str, file: &str) -> Result<Array, String> {
        let image = self.network.image();
        let target = self.target(layer)?;
        let mean = self.model.mean(image).map_err(|error| error.to_string())?;
        let swap = self.model.source.preprocessing.swap;
        let pixels = photo::read(Path::new(file), image, swap, &mean).map_err(|error| error.to_string())?;
        let [channels, rows, columns] = image;
        let data = TensorData::new(pixels, [1, channels, rows, columns]);
        let seen = self
            .network
            .units(Tensor::from_data(data, &self.compute.device))
            .swap_remove(target);
        Ok(Array {
            values: floats(seen.pushed.tensor()).map_err(|error| error.to_string())?,
            shape: self.shape(layer)?.to_vec(),
        })
    }
}
