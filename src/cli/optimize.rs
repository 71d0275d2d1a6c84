//! `deepvis optimize`: loads a network once and lets one or many units climb.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;

use super::device::Compute;
use super::flags::OptimizeFlags;
use super::jobs;
use super::literals::Spatial;
use super::model::Model;
use super::options::OptimizeOptions;
use super::progress::Display;
use super::settings::Settings;
use crate::network::Network;
use crate::optimizer::regularize::LEAST_USEFUL_RADIUS;
use crate::optimizer::{self, Climb, Params, Results, objective};
use crate::output::{self, Extras, ResultFiles};

/// Exit code after Ctrl-C, as shells give it.
const INTERRUPTED: u8 = 130;

pub(super) fn run(flags: &OptimizeFlags, settings: &Settings) -> anyhow::Result<ExitCode> {
    let options = OptimizeOptions::resolve(flags, settings)?;
    let compute = Compute::resolve(&flags.device)?;
    let quiet = flags.output.quiet;
    let say = |line: &str| {
        if !quiet {
            eprintln!("{line}");
        }
    };
    let model = options.model.clone().load()?;
    if !quiet {
        model.warn();
    }
    let network = model.network(&options.layer, &compute)?;
    let shape = network.shape(0).to_vec();
    let extents = objective::extents(&shape, &options.layer)?;
    let all = jobs::params(&options, &model, &shape)?;
    let [channels, rows, columns] = network.image();
    say(&format!(
        "{} on {channels} x {rows} x {columns}, computed by {}",
        network_name(&model),
        compute.name
    ));
    for warning in warnings(&options, &model, extents) {
        say(&format!("warning: {warning}"));
    }
    let mean = model.mean(network.image())?;
    let several = all.len() > 1;
    let job = Job {
        flags,
        options: &options,
        model: &model,
        network: &network,
        compute: &compute,
        mean,
        shape: &shape,
        extents,
        several,
    };
    let todo = job.missing(all)?;
    job.climb(&todo)
}

/// Everything that all units of an invocation share.
struct Job<'a> {
    flags: &'a OptimizeFlags,
    options: &'a OptimizeOptions,
    model: &'a Model,
    network: &'a Network,
    compute: &'a Compute,
    mean: Arc<[f64]>,
    /// Of the pushed layer, with the batch axis.
    shape: &'a [usize],
    /// Its channels, rows and columns.
    extents: [usize; 3],
    /// Whether more than one unit was asked for.
    several: bool,
}

impl Job<'_> {
    fn files(&self, params: &Params, results: Option<&Results>) -> super::error::Result<ResultFiles> {
        let output = &self.flags.output;
        ResultFiles::new(&output.output_prefix, &output.output_template, params, results)
            .map_err(|message| template_error(self.flags, message))
    }

    /// Of the units asked for those that are not done: one alone must not be, of several those that are get left out.
    fn missing(&self, all: Vec<Params>) -> anyhow::Result<Vec<Params>> {
        let output = &self.flags.output;
        if output.brave || ResultFiles::depends_on_results(&output.output_template) {
            return Ok(all);
        }
        if !self.several {
            for params in &all {
                self.files(params, None)?.refuse_existing(output.skipbig)?;
            }
            return Ok(all);
        }
        let count = all.len();
        let mut todo = Vec::with_capacity(count);
        for params in all {
            if !self.files(&params, None)?.are_complete(output.skipbig) {
                todo.push(params);
            }
        }
        if todo.len() < count && !output.quiet {
            eprintln!(
                "{} of {count} units are done already and left out; --brave does them again",
                count - todo.len()
            );
        }
        Ok(todo)
    }

    /// Lets all of `todo` climb, batch by batch, and writes what they find.
    fn climb(&self, todo: &[Params]) -> anyhow::Result<ExitCode> {
        let output = &self.flags.output;
        let stop = stop_on_interrupt();
        let batch = jobs::batch_size(output.batch_size, self.network.entries_an_image(), self.compute.memory);
        let labels = &self.model.labels;
        let mut display = Display::new(
            todo.len(),
            self.options.max_iter,
            output.verbose,
            output.quiet,
            labels,
            self.extents[0],
        );
        let (mut written, mut failed) = (0, 0);
        for some in todo.chunks(batch) {
            display.begin_batch(some.len());
            let mut climbs = some
                .iter()
                .map(|params| Climb::new(params.clone(), self.mean.clone(), self.network.image(), self.shape))
                .collect::<optimizer::Result<Vec<_>>>()?;
            let outcomes = optimizer::run(self.network, 0, &mut climbs, &self.compute.device, |progress| {
                display.iteration(&progress);
                !stop.load(Ordering::Relaxed)
            });
            let stopped = stop.load(Ordering::Relaxed);
            for (mut climb, outcome) in climbs.into_iter().zip(outcomes) {
                if stopped && !climb.is_finished() {
                    // One of many is done again by the next call; what was found for one alone is kept.
                    if self.several {
                        continue;
                    }
                    climb.stop();
                }
                let params = climb.params().clone();
                display.unit_done(self.options.max_iter.saturating_sub(climb.results().ii.len()));
                match outcome
                    .map_err(anyhow::Error::from)
                    .and_then(|()| self.write(&params, &climb.into_results()))
                {
                    Ok(summary) => {
                        written += 1;
                        if !output.quiet {
                            display.say(&summary);
                        }
                    }
                    Err(error) if !self.several => {
                        display.finish();
                        return Err(error).context(params.unit.to_string());
                    }
                    Err(error) => {
                        failed += 1;
                        display.say(&format!("failed: {}: {}", params.unit, super::told(&error)));
                    }
                }
            }
            if stopped {
                display.finish();
                let missing = todo.len() - written;
                if self.several {
                    eprintln!(
                        "interrupted: {written} units written; the same command goes on with the {missing} missing"
                    );
                } else {
                    eprintln!("interrupted: what was found so far is written; --brave starts anew");
                }
                return Ok(ExitCode::from(INTERRUPTED));
            }
        }
        display.finish();
        if failed > 0 {
            anyhow::bail!("{failed} of {} units failed; the messages above say why", todo.len());
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Writes the files of a unit; gives a line about it.
    fn write(&self, params: &Params, results: &Results) -> anyhow::Result<String> {
        let output = &self.flags.output;
        let files = self.files(params, Some(results))?;
        let extras = Extras {
            mean: &self.mean,
            swap: self.options.model.swap,
            skip_big: output.skipbig,
            // Of several units only those are climbed whose files are missing or incomplete.
            brave: output.brave || (self.several && !ResultFiles::depends_on_results(&output.output_template)),
        };
        output::write_results(&files, params, results, &extras)?;
        let label = self
            .model
            .labels
            .name(&params.unit.layer, self.extents[0], params.unit.channel);
        Ok(summary(params, label, results, &files))
    }
}

/// Set by the first Ctrl-C, so that the iteration is finished; the second ends the program at once.
fn stop_on_interrupt() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = stop.clone();
    // Without a handler Ctrl-C ends the program at once, which loses nothing but the unit at work.
    let _ = ctrlc::set_handler(move || {
        if told.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(INTERRUPTED));
        }
    });
    stop
}

fn template_error(flags: &OptimizeFlags, message: String) -> super::error::Error {
    super::error::Error::Literal {
        flag: "--output-template",
        given: flags.output.output_template.clone(),
        message,
        expected: "Python fields of p (parameters) and r (results), such as %(p.push_channel)04d",
    }
}

fn network_name(model: &Model) -> String {
    if model.import.graph.name.is_empty() {
        model.import.weights.source().display().to_string()
    } else {
        model.import.graph.name.clone()
    }
}

/// What the original warns about, and a mean that was probably forgotten.
fn warnings(options: &OptimizeOptions, model: &Model, [_, rows, columns]: [usize; 3]) -> Vec<String> {
    let mut warnings = Vec::new();
    if options.spatial == Spatial::Unset && rows * columns > 1 {
        warnings.push(format!(
            "\"{}\" is a conv layer of {rows} x {columns} units a channel, and its corner (0,0) is pushed; --push-spatial \
             \"({},{})\" or center pushes the unit in the middle",
            options.layer,
            rows / 2,
            columns / 2
        ));
    }
    let radius = options.regularizers.blur_radius.value();
    if radius > 0.0 && radius < LEAST_USEFUL_RADIUS {
        warnings.push(format!(
            "--blur-radius {radius}: blur sizes between 0 and {LEAST_USEFUL_RADIUS} work poorly"
        ));
    }
    if model.options.mean.is_none() {
        warnings.push("no --mean was given, so none is subtracted; ImageNet networks want \"(104,117,123)\"".into());
    }
    warnings
}

fn summary(params: &Params, label: Option<&str>, results: &Results, files: &ResultFiles) -> String {
    let best = results.best.as_ref();
    let best = best
        .map(|best| format!("best objective {} at iteration {}", best.obj, best.ii))
        .unwrap_or_default();
    let majority = results.majority.as_ref().map_or_else(
        || "never the largest of its layer".to_owned(),
        |m| format!("largest of its layer from iteration {}", m.ii),
    );
    let how = match results.meta_result {
        Some(optimizer::MetaResult::GradZeroFailure) => "the gradient is 0, there is nothing to climb".to_owned(),
        _ => majority,
    };
    let label = label.map(|label| format!(" ({label})")).unwrap_or_default();
    format!(
        "{}{label}, seed {}: {best}; {how}; {}",
        params.unit,
        params.rand_seed,
        files.path("best_X.jpg").display()
    )
}
