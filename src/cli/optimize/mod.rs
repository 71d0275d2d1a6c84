//! `deepvis optimize`: loads a network once and lets one or many units climb.

mod display;
pub(super) mod interrupt;
mod modern;
mod options;
mod plan;
mod report;
mod selection;
mod tokens;
mod watch;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;

use super::flags::OptimizeFlags;
use super::model::files_used;
use super::{compute, hints, shell};
use crate::ascent::Precision;
use crate::backend::Compute;
use crate::model::{Model, Settings};
use crate::session::{Fingerprint, Keeper, LayerPlan, Outcome, Session, Todo};
use display::Display;
pub(super) use interrupt::listen_as_first_process;
use options::OptimizeOptions;
use plan::Plan;
use watch::Watch;

pub(super) fn run(flags: &OptimizeFlags, settings: &Settings) -> anyhow::Result<ExitCode> {
    climb(flags, settings, true)
}

/// Lets the units climb; `ends` says whether a summary and the gallery's command follow.
pub(super) fn climb(flags: &OptimizeFlags, settings: &Settings, ends: bool) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    let options = OptimizeOptions::resolve(flags, settings)?;
    let keeper = options.keeper(flags)?;
    let compute = compute::resolve(&flags.device)?;
    let precision = options::precision(flags.output.precision, &options.recipe, &compute);
    let model = options.model.source.clone().load()?;
    if !flags.output.quiet {
        if let Some(files) = files_used(&model.source) {
            eprintln!("{files}");
        }
        super::warn(&model.import.warnings);
    }
    let mut plan = plan::plan(&options, &model, keeper.shard, compute.most_entries)?;
    let several = keeper.shard.is_some() || plan.units() > 1;
    introduce(flags, &options, &model, &plan);
    let fingerprint = Fingerprint::of(&model, plan.image)?;
    let todo = Todo::find(&keeper, &mut plan.layers, fingerprint, several, plan.image)?;
    let say = |line: &str| {
        if !flags.output.quiet {
            eprintln!("{line}");
        }
    };
    todo.notes.iter().for_each(|note| say(note));
    if todo.done > 0 {
        say(&format!(
            "{} of {} units are done already and left out; --brave does them again",
            todo.done, todo.all
        ));
    }
    if todo.precisions.iter().any(|known| *known != precision) {
        say(&format!(
            "note: some of them were climbed with images in {}, the others are now in {}",
            if precision == Precision::Float64 {
                "float32"
            } else {
                "float64"
            },
            precision.name()
        ));
    }
    interrupt::listen(flags.output.quiet);
    let units = plan.units();
    let display = Display::new(
        units,
        options.recipe.steps,
        flags.output.verbose,
        flags.output.quiet,
        &model.labels,
    );
    let mut watch = Watch {
        flags,
        model: &model,
        compute: &compute,
        precision: precision.name(),
        keeper: &keeper,
        fingerprint,
        channels: 0,
        display,
        several,
        tally: report::Tally::default(),
        is_introduced: false,
        is_warned: false,
    };
    let session = Session {
        model: &model,
        compute: &compute,
        precision,
        batch: flags.output.batch_size,
        read_every: flags.output.stats_every,
        keeper: &keeper,
        fingerprint,
        several,
    };
    let outcome = session.run(&plan.layers, &mut watch);
    watch.display.finish();
    let tally = watch.tally;
    if !flags.output.quiet {
        if let Some(why) = tally.first_idle {
            eprintln!("warning: {why}");
        }
        let line = tally.line(begun.elapsed());
        if ends && tally.done > 0 {
            let folder = keeper.folder();
            let folder = Some(folder).filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or_else(|| ".".into());
            let gallery = shell::quoted(&folder.to_string_lossy());
            eprintln!("{line}; deepvis gallery {gallery} makes a page of them");
        } else if ends && tally.failed > 0 {
            eprintln!("{line}");
        }
    }
    let mut outcome = outcome?;
    // What cannot climb is no success later either.
    outcome.flat.splice(0..0, todo.flat);
    end(
        flags.output.quiet,
        outcome,
        todo.all.max(units),
        units,
        several,
        keeper.checkpoint_every.is_some(),
    )
}

/// What a command line comes to on a model that is loaded already, before anything climbs.
pub(super) struct Planned {
    pub(super) layers: Vec<LayerPlan>,
    /// Channels, rows, columns of the network's input.
    pub(super) image: [usize; 3],
    pub(super) precision: Precision,
    pub(super) keeper: Keeper,
    /// What a person should know.
    pub(super) warnings: Vec<String>,
}

/// Resolves flags as [`run`] does.
pub(super) fn planned(
    flags: &OptimizeFlags,
    settings: &Settings,
    model: &Model,
    compute: &Compute,
) -> anyhow::Result<Planned> {
    let options = OptimizeOptions::resolve(flags, settings)?;
    let keeper = options.keeper(flags)?;
    let plan = plan::plan(&options, model, None, compute.most_entries)?;
    Ok(Planned {
        precision: options::precision(flags.output.precision, &options.recipe, compute),
        warnings: report::warnings(&options, model, &plan),
        layers: plan.layers,
        image: plan.image,
        keeper,
    })
}

/// What is said before anything climbs.
fn introduce(flags: &OptimizeFlags, options: &OptimizeOptions, model: &crate::model::Model, plan: &Plan) {
    if flags.output.quiet {
        return;
    }
    if options.model.is_bundled {
        eprintln!(
            "no network was named, so this is the bundled one (`deepvis optimize NET` names another, `deepvis fetch` lists some)"
        );
    }
    let mut company = plan
        .layers
        .iter()
        .flat_map(|plan| &plan.recipes)
        .map(|recipe| &recipe.company);
    if let Some(company) = company.find(|company| !company.is_empty()) {
        let seeds: Vec<String> = company.iter().map(ToString::to_string).collect();
        eprintln!(
            "the objective compares images: {} of them climb together, of seeds {}; ..._together.png shows all",
            company.len(),
            seeds.join(", ")
        );
    }
    for warning in report::warnings(options, model, plan) {
        eprintln!("warning: {warning}");
    }
}

/// The exit code: 0 when every unit was written and had something to climb.
fn end(
    is_quiet: bool,
    mut outcome: Outcome,
    all: usize,
    units: usize,
    several: bool,
    checkpoints: bool,
) -> anyhow::Result<ExitCode> {
    if !several && let Some(failure) = outcome.failed.pop() {
        let unit = failure.recipe.objective.unit.to_string();
        return Err(failure.error).context(unit);
    }
    if outcome.is_interrupted {
        let missing = units - outcome.written;
        if checkpoints {
            eprintln!("interrupted: the same command goes on with the {missing} missing units from where they are");
        } else if several {
            eprintln!("interrupted: the same command goes on with the {missing} missing units");
        } else {
            eprintln!("interrupted: what was found so far is written; --brave starts anew");
        }
        return Ok(ExitCode::from(interrupt::INTERRUPTED));
    }
    let flat = outcome.flat.iter();
    let flat = flat.map(|recipe| format!("{}, seed {}: the gradient is 0", recipe.objective.unit, recipe.seed));
    // Those that failed were told when they did, but for a quiet program.
    let untold = outcome.failed.iter().filter(|_| is_quiet).map(hints::of_failure);
    let lines: Vec<String> = untold.chain(flat).map(|line| format!("\n  {line}")).collect();
    match outcome.failed.len() + outcome.flat.len() {
        0 => Ok(ExitCode::SUCCESS),
        1 if !several => anyhow::bail!(
            "{}, there is nothing to climb{}",
            lines.concat().trim(),
            outcome.flat.first().map_or("", hints::of_nothing_to_climb)
        ),
        failed => anyhow::bail!(
            "{failed} of {all} units failed{}{}",
            if lines.is_empty() { "" } else { ":" },
            lines.concat()
        ),
    }
}
