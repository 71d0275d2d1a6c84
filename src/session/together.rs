//! Units that climb together without files.

use super::contents::{check_unchanged, picture};
use super::error::Result;
use super::memory::{batch_size, keeps_apart};
use super::sources::formula;
use crate::ascent::{self, Circumstances, Climb, Flow, Listener, Precision, Progress, Recipe, ascend};
use crate::backend::Compute;
use crate::model::Model;

/// Iterations from one fetching of figures from a GPU to the next.
const READ_EVERY: usize = 10;

/// Lets units of one layer climb together, at most `batch` at once (as many as memory allows when it is `None`); nothing is
/// written. The ascents come back in the order of `recipes`, each with its record and its parameters, or with why it failed;
/// those that `listener` stopped are as far as they got.
///
/// # Errors
/// When the network cannot be built up to the layer of the first recipe, a recipe is of another layer, its unit does not
/// exist, or the mean cannot be read.
pub fn climb(
    model: &Model,
    compute: &Compute,
    precision: Precision,
    recipes: &[Recipe],
    batch: Option<usize>,
    listener: &mut dyn Listener,
) -> Result<Vec<ascent::Result<Climb>>> {
    let Some(first) = recipes.first() else {
        return Ok(Vec::new());
    };
    let layer = &first.objective.unit.layer;
    if let Some(other) = recipes.iter().find(|recipe| recipe.objective.unit.layer != *layer) {
        return Err(ascent::Error::Setting(format!(
            "{} and {} are of two layers: units of one layer climb together",
            first.objective.unit, other.objective.unit
        ))
        .into());
    }
    let network = model.network_of(&first.layers(), compute)?;
    check_unchanged(first)?;
    let formula = formula(first, model, compute, &network)?;
    let mean = model.mean(network.image())?;
    let picture = picture(first, model, network.image())?;
    let begun = recipes.iter().map(|recipe| {
        Climb::new(recipe.clone(), mean.clone(), network.image(), &network.unit_shape(0)).and_then(|climb| {
            climb
                .with_swap(model.source.preprocessing.swap)
                .with_formula(formula.clone())
                .starting_from(picture.as_deref())
        })
    });
    let begun = begun.collect::<ascent::Result<Vec<Climb>>>()?;
    let fitting = batch_size(batch, first, &network, compute)?;
    let mut batch = if keeps_apart(recipes, &network, fitting)? {
        fitting
    } else {
        1
    };
    let circumstances = Circumstances {
        network: &network,
        device: &compute.device,
        precision,
        read_every: if compute.is_gpu() { READ_EVERY } else { 1 },
    };
    let mut relay = Relay {
        listener,
        first: 0,
        is_stopped: false,
    };
    let mut all = Vec::with_capacity(begun.len());
    while all.len() < begun.len() && !relay.is_stopped {
        relay.first = all.len();
        let mut some = begun[all.len()..].to_vec();
        // Images whose values hang on each other climb together or not at all.
        let company = first.company.len();
        some.truncate(if company == 0 { batch } else { company });
        let results = ascend(circumstances, &mut some, &mut relay);
        let ran_out = |result: &ascent::Result<()>| matches!(result, Err(ascent::Error::Device { too_much: true, .. }));
        if some.len() > 1 && company == 0 && results.iter().any(ran_out) {
            batch = some.len() / 2;
            continue;
        }
        all.extend(
            some.into_iter()
                .zip(results)
                .map(|(climb, result)| result.map(|()| climb)),
        );
    }
    let missing = begun.into_iter().skip(all.len()).map(Ok);
    all.extend(missing);
    Ok(all)
}

/// Tells of places among all units instead of those of a batch.
struct Relay<'a> {
    listener: &'a mut dyn Listener,
    /// The place of the batch's first unit among all.
    first: usize,
    is_stopped: bool,
}

impl Listener for Relay<'_> {
    fn wants_images(&self, iteration: usize) -> bool {
        self.listener.wants_images(iteration)
    }

    fn iterated(&mut self, progress: &Progress<'_>) -> Flow {
        let flow = self.listener.iterated(&Progress {
            climb: progress.climb,
            place: self.first + progress.place,
            found: progress.found,
            gradient: progress.gradient,
        });
        self.is_stopped |= flow == Flow::Stop;
        flow
    }
}
