//! `deepvis optimize`: loads a network once and lets one or many units climb.

use std::process::ExitCode;

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
use crate::optimizer::{self, Climb, Params, objective};
use crate::output::{self, Extras, ResultFiles};

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
    for warning in &model.import.warnings {
        say(&format!("warning: {warning}"));
    }
    let network = Network::build(
        &model.import.graph,
        &model.import.weights,
        &[&options.layer],
        options.model.size,
        &compute.device,
        compute.most_entries,
    )?;
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
    let extras = Extras {
        mean: &mean,
        swap: options.model.swap,
        skip_big: flags.output.skipbig,
        brave: flags.output.brave,
    };
    let names =
        |params: &Params| ResultFiles::new(&flags.output.output_prefix, &flags.output.output_template, params, None);
    if !ResultFiles::depends_on_results(&flags.output.output_template) && !flags.output.brave {
        for params in &all {
            let files = names(params).map_err(|message| template_error(flags, message))?;
            files.refuse_existing(extras.skip_big)?;
        }
    }
    let batch = jobs::batch_size(flags.output.batch_size, network.entries_an_image(), compute.memory);
    let mut display = Display::new(
        all.len(),
        options.max_iter,
        flags.output.verbose,
        quiet,
        &model.labels,
        extents[0],
    );
    let mut failures = 0;
    for some in all.chunks(batch) {
        display.begin_batch(some.len());
        let mut climbs = some
            .iter()
            .map(|params| Climb::new(params.clone(), mean.clone(), network.image(), &shape))
            .collect::<optimizer::Result<Vec<_>>>()?;
        let outcomes = optimizer::run(&network, 0, &mut climbs, &compute.device, |progress| {
            display.iteration(&progress);
            true
        });
        for (climb, outcome) in climbs.into_iter().zip(outcomes) {
            let params = climb.params().clone();
            let iterations = climb.results().ii.len();
            display.unit_done(options.max_iter.saturating_sub(iterations));
            let written = outcome.map_err(anyhow::Error::from).and_then(|()| {
                let results = climb.into_results();
                let files = ResultFiles::new(
                    &flags.output.output_prefix,
                    &flags.output.output_template,
                    &params,
                    Some(&results),
                )
                .map_err(|message| template_error(flags, message))?;
                output::write_results(&files, &params, &results, &extras)?;
                Ok((files, results))
            });
            match written {
                Ok((files, results)) if !quiet => {
                    let label = model.labels.name(&params.unit.layer, extents[0], params.unit.channel);
                    display.say(&summary(&params, label, &results, &files));
                }
                Ok(_) => {}
                Err(error) if all.len() == 1 => {
                    display.finish();
                    return Err(error).context(params.unit.to_string());
                }
                Err(error) => {
                    failures += 1;
                    display.say(&format!("failed: {}: {error:#}", params.unit));
                }
            }
        }
    }
    display.finish();
    if failures > 0 {
        anyhow::bail!("{failures} of {} units failed; the messages above say why", all.len());
    }
    Ok(ExitCode::SUCCESS)
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

fn summary(params: &Params, label: Option<&str>, results: &optimizer::Results, files: &ResultFiles) -> String {
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
