//! What a batch climbs that is made of several layers' activations and of the image.

use burn::tensor::Tensor;

use super::Batch;
use crate::ascent::error::{Error, Result};
use crate::network::Activation;
use crate::objective::{Objective, extents};

/// What is climbed, where it is no unit.
pub(super) struct Formula {
    objective: Objective,
    /// Name, channels, rows and columns of each of the network's targets.
    layers: Vec<(String, [usize; 3])>,
    /// Images that are evaluated together.
    group: usize,
}

impl Formula {
    /// The formula of a batch, if any.
    pub(super) fn of(batch: &Batch<'_>) -> Result<Option<Self>> {
        let first = batch.climbs[0];
        let recipe = first.recipe();
        let Some(expression) = &recipe.formula else {
            return Ok(None);
        };
        let Some(objective) = first.formula().filter(|fitted| fitted.expression() == expression) else {
            return Err(Error::Setting(format!("{expression}: nobody fitted it to the network")));
        };
        let seeds: Vec<u32> = batch.climbs.iter().map(|climb| climb.recipe().seed).collect();
        if !recipe.company.is_empty() && recipe.company != seeds {
            return Err(Error::Setting(format!(
                "{expression}: its images climb together or not at all, and of seeds {:?} only {seeds:?} climb",
                recipe.company
            )));
        }
        let layers = batch.network.targets().iter().enumerate().map(|(index, target)| {
            let extents = extents(&batch.network.unit_shape(index), &target.name)?;
            Ok((target.name.clone(), extents))
        });
        Ok(Some(Self {
            objective: objective.clone(),
            layers: layers.collect::<Result<_>>()?,
            group: recipe.company.len().max(1),
        }))
    }

    /// The value of each image, `[batch, 1]`.
    pub(super) fn value(&self, seen: &[Activation], image: &Tensor<4>) -> Tensor<2> {
        let [batch, ..] = image.dims();
        let activations: Vec<(&str, Tensor<4>)> = self
            .layers
            .iter()
            .zip(seen)
            .map(|((name, [channels, rows, columns]), seen)| {
                (name.as_str(), seen.pushed.view([batch, *channels, *rows, *columns]))
            })
            .collect();
        self.objective.evaluate(&activations, image, self.group)
    }
}
