//! The work of one invocation: batch by batch, each unit's files written as it is done.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;

use super::display::Display;
use super::interrupt;
use super::options::OptimizeOptions;
use super::plan::{LayerPlan, Shard, batch_size};
use super::snapshots::Snapshots;
use super::{report, unit};
use crate::cli::device::Compute;
use crate::cli::error::Error;
use crate::cli::flags::OptimizeFlags;
use crate::cli::heap::keep_freed_memory;
use crate::cli::model::Model;
use crate::cli::told;
use crate::network::Network;
use crate::optimizer::{self, Climb, MetaResult, Params, Results};
use crate::output::ResultFiles;

/// Everything that all units of an invocation share.
pub(super) struct Job<'a> {
    pub(super) flags: &'a OptimizeFlags,
    pub(super) options: &'a OptimizeOptions,
    pub(super) model: &'a Model,
    pub(super) compute: &'a Compute,
    pub(super) shard: Option<Shard>,
    /// Whether more than one unit was asked for.
    pub(super) several: bool,
}

/// A layer at work.
pub(super) struct LayerJob<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) plan: &'a LayerPlan,
    pub(super) network: &'a Network,
    pub(super) mean: Arc<[f64]>,
}

/// How many units ended how.
#[derive(Debug, Default)]
struct Tally {
    written: usize,
    /// Units and why they failed.
    failed: Vec<String>,
    interrupted: bool,
}

/// Whether the device can take a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Enough,
    /// Fewer units at once may do.
    TooMany,
}

impl Job<'_> {
    /// Says something, unless --quiet.
    pub(super) fn say(&self, line: &str) {
        if !self.flags.output.quiet {
            eprintln!("{line}");
        }
    }

    /// The files of a unit.
    pub(super) fn files(&self, params: &Params, results: Option<&Results>) -> crate::cli::error::Result<ResultFiles> {
        let output = &self.flags.output;
        ResultFiles::new(&output.output_prefix, &output.output_template, params, results).map_err(|message| {
            Error::Literal {
                flag: "--output-template",
                given: output.output_template.clone(),
                message,
                expected: "Python fields of p (parameters) and r (results), such as %(p.push_channel)04d",
            }
        })
    }

    /// Lets all units of `plans` climb and writes what they find.
    pub(super) fn climb(&self, plans: &[LayerPlan]) -> anyhow::Result<ExitCode> {
        interrupt::listen();
        let output = &self.flags.output;
        let units = plans.iter().map(|plan| plan.units.len()).sum();
        let mut display = Display::new(
            units,
            self.options.max_iter,
            output.verbose,
            output.quiet,
            &self.model.labels,
        );
        let mut tally = Tally::default();
        for (place, plan) in plans.iter().enumerate() {
            let network = self.model.network(&plan.layer, self.compute)?;
            // Not before: what reading the weights took may go.
            keep_freed_memory();
            if place == 0 {
                let [channels, rows, columns] = network.image();
                display.note(&format!(
                    "{} on {channels} x {rows} x {columns}, computed by {}",
                    report::network_name(self.model),
                    self.compute.name
                ));
            }
            let mean = self.model.mean(network.image())?;
            let layer = LayerJob {
                job: self,
                plan,
                network: &network,
                mean,
            };
            let mut batch = batch_size(output.batch_size, &network, self.compute);
            let mut todo = plan.units.as_slice();
            while !todo.is_empty() {
                let some = &todo[..batch.min(todo.len())];
                if layer.climb_together(some, &mut display, &mut tally)? == Fit::TooMany {
                    batch = some.len() / 2;
                    display.note(&format!(
                        "{} units at once are too much for the device; now {batch}",
                        some.len()
                    ));
                    continue;
                }
                todo = &todo[some.len()..];
                if tally.interrupted {
                    display.finish();
                    return Ok(self.interrupted(units - tally.written));
                }
            }
        }
        display.finish();
        match tally.failed.as_slice() {
            [] => Ok(ExitCode::SUCCESS),
            failed => anyhow::bail!("{} of {units} units failed:\n  {}", failed.len(), failed.join("\n  ")),
        }
    }

    fn interrupted(&self, missing: usize) -> ExitCode {
        let checkpoints = self.flags.output.checkpoint_every.is_some();
        if checkpoints {
            eprintln!("interrupted: the same command goes on with the {missing} missing units from where they are");
        } else if self.several {
            eprintln!("interrupted: the same command goes on with the {missing} missing units");
        } else {
            eprintln!("interrupted: what was found so far is written; --brave starts anew");
        }
        ExitCode::from(interrupt::INTERRUPTED)
    }
}

impl LayerJob<'_> {
    fn climb_together(&self, some: &[Params], display: &mut Display<'_>, tally: &mut Tally) -> anyhow::Result<Fit> {
        let begun = Instant::now();
        let job = self.job;
        display.begin_batch(&self.plan.layer, self.plan.extents[0], some.len());
        let mut climbs = some
            .iter()
            .map(|params| unit::begin(self, params))
            .collect::<anyhow::Result<Vec<_>>>()?;
        display.begin_at(climbs.iter().map(Climb::iteration).sum());
        let files = some
            .iter()
            .map(|params| job.files(params, None))
            .collect::<crate::cli::error::Result<Vec<_>>>();
        // Files that are named by results are named when these are there; there are no pictures on the way then.
        let files = files.unwrap_or_default();
        let mut snapshots: Vec<Snapshots> = some
            .iter()
            .map(|params| {
                Snapshots::new(
                    &job.flags.output,
                    params.max_iter,
                    self.mean.clone(),
                    job.options.model.swap,
                )
            })
            .collect();
        let mut checkpoint_failed = None;
        let outcomes = self.run(&mut climbs, |progress| {
            display.iteration(&progress);
            if let Some(files) = files.get(progress.place) {
                snapshots[progress.place].look(progress.climb, files);
                if checkpoint_failed.is_none() {
                    checkpoint_failed = unit::checkpoint(self, progress.climb, files).err();
                }
            }
            !interrupt::came()
        });
        let ran_out =
            |outcome: &optimizer::Result<()>| matches!(outcome, Err(optimizer::Error::Device { too_much: true, .. }));
        if some.len() > 1 && outcomes.iter().any(ran_out) {
            return Ok(Fit::TooMany);
        }
        if let Some(error) = checkpoint_failed {
            display.finish();
            return Err(error.into());
        }
        tally.interrupted = interrupt::came();
        let share = begun.elapsed().as_secs_f64() / some.len() as f64;
        for ((mut climb, outcome), snapshots) in climbs.into_iter().zip(outcomes).zip(snapshots) {
            if tally.interrupted && !climb.is_finished() && outcome.is_ok() {
                if unit::keep_for_later(self, &climb)? || job.several {
                    continue;
                }
                climb.stop();
            }
            let params = climb.params().clone();
            display.unit_done(params.max_iter.saturating_sub(climb.results().ii.len()));
            let results = climb.into_results();
            let is_flat = results.meta_result == Some(MetaResult::GradZeroFailure);
            let written = match outcome {
                Ok(()) => unit::write(self, &params, &results, snapshots, share),
                Err(error) => {
                    unit::log_failure(self, &params, &results, &error, share)?;
                    Err(error.into())
                }
            };
            match written {
                Ok(summary) => {
                    tally.written += 1;
                    display.say(&summary);
                    if is_flat && job.several {
                        tally
                            .failed
                            .push(format!("{}, seed {}: the gradient is 0", params.unit, params.rand_seed));
                    }
                }
                Err(error) if !job.several => {
                    display.finish();
                    return Err(error).context(params.unit.to_string());
                }
                Err(error) => {
                    let failure = format!("{}, seed {}: {}", params.unit, params.rand_seed, told(&error));
                    display.note(&format!("failed: {failure}"));
                    tally.failed.push(failure);
                }
            }
        }
        Ok(Fit::Enough)
    }

    /// The iterations: on a GPU without the images leaving it, unless somebody wants to see them on the way.
    fn run(
        &self,
        climbs: &mut [Climb],
        progress: impl FnMut(optimizer::Progress<'_>) -> bool,
    ) -> Vec<optimizer::Result<()>> {
        let output = &self.job.flags.output;
        let device = &self.job.compute.device;
        let are_watched =
            output.verbose || output.animate || output.save_every.is_some() || output.checkpoint_every.is_some();
        if self.job.compute.largest_buffer.is_some() && !are_watched && optimizer::can_run_on_device(climbs) {
            optimizer::run_on_device(self.network, 0, climbs, device, output.stats_every, progress)
        } else {
            optimizer::run(self.network, 0, climbs, device, progress)
        }
    }
}
