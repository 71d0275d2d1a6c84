//! The only loop over batches.

use std::sync::Arc;
use std::time::Instant;

use super::contents::{check_unchanged, picture};
use super::error::Result;
use super::event::{Event, Outcome, Unfinished, Watcher};
use super::keeper::{Keeper, LayerKeeper};
use super::memory::{batch_size, keeps_apart};
use super::plan::LayerPlan;
use super::run_key::Fingerprint;
use super::snapshots::Snapshots;
use super::sources::formula;
use crate::ascent::{self, Circumstances, Climb, Ending, Flow, Listener, Precision, Progress, Recipe, ascend};
use crate::backend::Compute;
use crate::model::Model;
use crate::network::Network;
use crate::objective::Objective;
use crate::output::ResultFiles;

/// Many units of one model.
#[derive(Debug, Clone, Copy)]
pub struct Session<'a> {
    /// The model.
    pub model: &'a Model,
    /// Where it is computed.
    pub compute: &'a Compute,
    /// The arithmetic of the images.
    pub precision: Precision,
    /// Units that climb together; as many as memory allows when it is `None`.
    pub batch: Option<usize>,
    /// On a GPU: iterations from one fetching of figures to the next.
    pub read_every: usize,
    /// What keeps the results.
    pub keeper: &'a Keeper,
    /// Model and preprocessing: see [`Fingerprint::of`].
    pub fingerprint: Fingerprint,
    /// Whether more than one unit was asked for, so that one that fails, or is done, does not end the session.
    pub several: bool,
}

/// Whether the device can take a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Enough,
    /// Fewer units at once may do.
    TooMany,
}

impl Session<'_> {
    /// Lets all units of `plans` climb and writes what they find.
    ///
    /// # Errors
    /// When the network cannot be built, or a checkpoint cannot be read or written. A unit that fails is in the outcome.
    pub fn run(&self, plans: &[LayerPlan], watcher: &mut dyn Watcher) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        for plan in plans.iter().filter(|plan| !plan.recipes.is_empty()) {
            let network = self.model.network_of(&plan.recipes[0].layers(), self.compute)?;
            watcher.hear(&Event::Begun {
                plan,
                network: &network,
            });
            // Recipes of one layer differ in unit and seed alone.
            check_unchanged(&plan.recipes[0])?;
            let formula = formula(&plan.recipes[0], self.model, self.compute, &network)?;
            let fitting = batch_size(self.batch, &plan.recipes[0], &network, self.compute)?;
            // What would mix images goes through the network one image at a time.
            let keeps_apart = keeps_apart(&plan.recipes, &network, fitting)?;
            let layer = AtWork {
                one_at_a_time: !keeps_apart,
                formula,
                picture: picture(&plan.recipes[0], self.model, network.image())?,
                session: self,
                plan,
                network: &network,
                keeper: LayerKeeper {
                    keeper: self.keeper,
                    model: self.model,
                    plan,
                    mean: self.model.mean(network.image())?,
                    image: network.image(),
                    fingerprint: self.fingerprint,
                    backend: &self.compute.name,
                    precision: self.precision,
                },
            };
            let mut batch = if keeps_apart { fitting } else { 1 };
            // Crops take the place of units; that is no lack of memory.
            let crops = plan.recipes[0].views.images();
            let is_less = |asked: &usize| keeps_apart && asked.div_ceil(crops) > fitting;
            if let Some(asked) = self.batch.filter(is_less) {
                watcher.hear(&Event::TooMuch {
                    units: asked,
                    now: fitting,
                });
            }
            let mut todo = plan.recipes.as_slice();
            while !todo.is_empty() {
                // A company climbs together or not at all.
                let company = todo[0].company.len();
                let some = &todo[..company.max(batch * usize::from(company == 0)).min(todo.len())];
                if layer.climb_together(some, watcher, &mut outcome)? == Fit::TooMany {
                    batch = some.len() / 2;
                    watcher.hear(&Event::TooMuch {
                        units: some.len(),
                        now: batch,
                    });
                    continue;
                }
                todo = &todo[some.len()..];
                if outcome.is_interrupted {
                    return Ok(outcome);
                }
            }
        }
        Ok(outcome)
    }
}

/// A layer at work.
struct AtWork<'a> {
    /// Whether units climb one at a time because the network would mix the images of a batch.
    one_at_a_time: bool,
    /// What all of its recipes climb, where it is no unit.
    formula: Option<Arc<Objective>>,
    /// What all of them begin with, where it is no noise.
    picture: Option<Arc<[f64]>>,
    session: &'a Session<'a>,
    plan: &'a LayerPlan,
    network: &'a Network,
    keeper: LayerKeeper<'a>,
}

/// Passes the loop's news on: to the keeper, and to the watcher.
struct Relay<'a> {
    keeper: &'a LayerKeeper<'a>,
    watcher: &'a mut dyn Watcher,
    /// Where each unit's files go; empty where that is not known yet.
    files: Vec<ResultFiles>,
    snapshots: Vec<Snapshots>,
    steps: usize,
    failure: Option<crate::output::Error>,
}

impl Listener for Relay<'_> {
    fn wants_images(&self, iteration: usize) -> bool {
        let is_due = !self.files.is_empty() && self.keeper.is_due(iteration, self.steps);
        is_due || self.watcher.wants_images(iteration)
    }

    fn iterated(&mut self, progress: &Progress<'_>) -> Flow {
        self.watcher.hear(&Event::Iterated(progress));
        if let Some(files) = self.files.get(progress.place)
            && progress.gradient.is_some()
        {
            self.snapshots[progress.place].look(progress.climb, files);
            if self.failure.is_none() {
                self.failure = self.keeper.checkpoint(progress.climb, files).err();
            }
        }
        if self.watcher.is_stopped() {
            Flow::Stop
        } else {
            Flow::Continue
        }
    }

    fn new_rate_factor(&mut self) -> Option<f64> {
        self.watcher.new_rate_factor()
    }
}

impl AtWork<'_> {
    fn start(&self, recipe: &Recipe) -> Result<Climb> {
        let mean: Arc<[f64]> = self.keeper.mean.clone();
        let climb = Climb::new(recipe.clone(), mean, self.network.image(), &self.plan.shape)?
            .with_swap(self.session.model.source.preprocessing.swap)
            .with_formula(self.formula.clone())
            .starting_from(self.picture.as_deref())?;
        Ok(climb)
    }

    fn begin(&self, recipe: &Recipe) -> Result<Climb> {
        let mut climb = self.start(recipe)?;
        self.keeper.resume(&mut climb)?;
        Ok(climb)
    }

    /// Images of a company are at the same iteration: those that were not kept at the same one begin anew.
    fn begin_together(&self, climbs: &mut [Climb]) -> Result<()> {
        let first = climbs[0].iteration();
        if climbs.iter().all(|climb| climb.iteration() == first) {
            return Ok(());
        }
        for climb in climbs {
            *climb = self.start(climb.recipe())?;
        }
        Ok(())
    }

    fn climb_together(&self, some: &[Recipe], watcher: &mut dyn Watcher, outcome: &mut Outcome) -> Result<Fit> {
        let begun = Instant::now();
        let mut climbs = Vec::with_capacity(some.len());
        for recipe in some {
            match self.begin(recipe) {
                Ok(climb) => climbs.push(climb),
                // One damaged checkpoint costs only its unit.
                Err(error) => outcome.fail(recipe.clone(), error, watcher),
            }
        }
        if climbs.is_empty() {
            return Ok(Fit::Enough);
        }
        if !some[0].company.is_empty() {
            self.begin_together(&mut climbs)?;
        }
        let failed_before = outcome.failed.len();
        watcher.hear(&Event::BatchBegun {
            plan: self.plan,
            climbs: &climbs,
            one_at_a_time: self.one_at_a_time,
        });
        // Files that are named by results are named when these are there; there are no pictures on the way then.
        let files = climbs
            .iter()
            .map(|climb| self.keeper.keeper.files(climb.recipe(), None))
            .collect::<Result<Vec<_>>>()
            .unwrap_or_default();
        let mut relay = Relay {
            keeper: &self.keeper,
            watcher,
            files,
            snapshots: climbs
                .iter()
                .map(|climb| self.keeper.snapshots(climb.recipe()))
                .collect(),
            steps: some[0].steps,
            failure: None,
        };
        let circumstances = Circumstances {
            network: self.network,
            device: &self.session.compute.device,
            precision: self.session.precision,
            read_every: if self.session.compute.is_gpu() {
                self.session.read_every
            } else {
                1
            },
        };
        let results = ascend(circumstances, &mut climbs, &mut relay);
        let Relay {
            watcher,
            snapshots,
            failure,
            ..
        } = relay;
        let ran_out = |result: &ascent::Result<()>| matches!(result, Err(ascent::Error::Device { too_much: true, .. }));
        if climbs.len() > 1 && some[0].company.is_empty() && results.iter().any(ran_out) {
            outcome.failed.truncate(failed_before - (some.len() - climbs.len()));
            return Ok(Fit::TooMany);
        }
        if let Some(error) = failure {
            return Err(error.into());
        }
        outcome.is_interrupted = watcher.is_stopped();
        let seconds = begun.elapsed().as_secs_f64() / precise(climbs.len());
        let mut company = Vec::new();
        for ((mut climb, result), snapshots) in climbs.into_iter().zip(results).zip(snapshots) {
            if outcome.is_interrupted && !climb.is_finished() && result.is_ok() {
                match watcher.unfinished() {
                    Unfinished::Later if self.keeper.keep_for_later(&climb)? || self.session.several => continue,
                    Unfinished::Dropped => continue,
                    Unfinished::Later | Unfinished::Written => climb.stop(),
                }
            }
            let recipe = climb.recipe_as_climbed();
            let z = self.keeper.keeper.npz.then(|| climb.state().x.clone());
            let record = climb.into_record();
            let written = match result {
                Ok(()) => self.keeper.write(
                    &recipe,
                    (z.as_deref(), &record),
                    self.session.several && !self.keeper.keeper.depends_on_results(),
                    snapshots,
                    seconds,
                ),
                Err(error) => {
                    let error = error.into();
                    self.keeper.log_failure(&recipe, &record, &error, seconds)?;
                    Err(error)
                }
            };
            match written {
                Ok((files, run)) => {
                    outcome.written += 1;
                    if record.ending == Some(Ending::GradZeroFailure) {
                        outcome.flat.push(recipe.clone());
                    }
                    watcher.hear(&Event::UnitDone {
                        recipe: &recipe,
                        record: &record,
                        label: self.keeper.label(&recipe),
                        files: &files,
                        run: &run,
                    });
                    if !recipe.company.is_empty() {
                        company.push((recipe, record));
                    }
                }
                // No other unit would fare better.
                Err(error) if error.is_full_disk() => return Err(error),
                Err(error) => {
                    outcome.fail(recipe, error, watcher);
                }
            }
        }
        if company.len() == some.len() {
            self.keeper.write_together(&company)?;
        }
        Ok(Fit::Enough)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few units")]
fn precise(count: usize) -> f64 {
    count as f64
}
