//! What a person sees of a session: the display, pictures in the terminal, Ctrl-C.

use super::display::Display;
use super::{interrupt, report};
use crate::ascent::Climb;
use crate::backend::Compute;
use crate::cli::flags::OptimizeFlags;
use crate::cli::stdout::out;
use crate::cli::{hints, show};
use crate::heap::keep_freed_memory;
use crate::model::{Model, npy};
use crate::output::original::text;
use crate::output::runs::Circumstances;
use crate::session::{Event, Failure, Fingerprint, Keeper, RunKey, Watcher};

/// Listens to a session.
pub(super) struct Watch<'a> {
    pub(super) flags: &'a OptimizeFlags,
    pub(super) model: &'a Model,
    pub(super) compute: &'a Compute,
    pub(super) precision: &'static str,
    pub(super) keeper: &'a Keeper,
    pub(super) display: Display<'a>,
    pub(super) fingerprint: Fingerprint,
    /// Of the layer at work.
    pub(super) channels: usize,
    /// Whether more than one unit was asked for.
    pub(super) several: bool,
    /// How many units came to what.
    pub(super) tally: report::Tally,
    /// Whether the network was introduced.
    pub(super) is_introduced: bool,
    /// Whether it was said that units climb one at a time.
    pub(super) is_warned: bool,
}

impl Watch<'_> {
    /// A unit that failed, for programs.
    fn failed(&self, failure: &Failure) -> String {
        let recipe = &failure.recipe;
        let unit = &recipe.objective.unit;
        let label = self.model.labels.name(&unit.layer, self.channels, unit.channel);
        let circumstances = Circumstances {
            files: String::new(),
            run_key: RunKey::new(recipe, self.fingerprint).as_str().to_owned(),
            network: self.model.name(),
            label: label.filter(|_| recipe.formula.is_none()).map(str::to_owned),
            seconds: 0.0,
            backend: self.compute.name.clone(),
            precision: self.precision.to_owned(),
            error: Some(hints::why(failure)),
        };
        report::json_of_failure(self.keeper.params(recipe), circumstances)
    }
}

impl Watcher for Watch<'_> {
    fn wants_images(&self, _: usize) -> bool {
        self.flags.output.verbose
    }

    fn hear(&mut self, event: &Event<'_>) {
        match event {
            Event::Begun { network, plan } => {
                self.channels = plan.extents[0];
                // Not before: what reading the weights took may go.
                keep_freed_memory();
                if !std::mem::replace(&mut self.is_introduced, true) {
                    let [channels, rows, columns] = network.image();
                    // What climbs may be of another size than what the network sees.
                    let pictures = match plan.recipes.first().map(|recipe| recipe.picture(network.image())) {
                        Some([_, high, wide]) if [high, wide] != [rows, columns] => {
                            format!(", pictures of {high} x {wide}")
                        }
                        Some(_) | None => String::new(),
                    };
                    self.display.note(&format!(
                        "{} on {channels} x {rows} x {columns}{pictures}, computed by {}, images in {}",
                        self.model.name(),
                        self.compute.name,
                        self.precision
                    ));
                }
            }
            Event::BatchBegun {
                plan,
                climbs,
                one_at_a_time,
            } => {
                let iterations = climbs.iter().map(Climb::iteration).sum();
                self.display
                    .begin_batch(&plan.layer, plan.extents[0], climbs.len(), iterations);
                if self.flags.output.verbose {
                    for climb in *climbs {
                        out!("{}", text::params(self.keeper.params(climb.recipe())));
                    }
                }
                for climb in climbs.iter().filter(|climb| climb.iteration() > 0) {
                    let unit = &climb.recipe().objective.unit;
                    self.display
                        .note(&format!("{unit}: goes on at iteration {}", climb.iteration()));
                }
                if *one_at_a_time && self.several && !std::mem::replace(&mut self.is_warned, true) {
                    self.display.note(&format!(
                        "a layer that \"{}\" depends on mixes the images of a batch, so units climb one at a time",
                        plan.layer
                    ));
                }
            }
            Event::Iterated(progress) => self.display.iteration(progress),
            Event::TooMuch { units, now } => self
                .display
                .note(&format!("{units} units at once are too much for the device; now {now}")),
            Event::UnitDone {
                recipe,
                record,
                label,
                files,
                run,
            } => {
                self.display.unit_done();
                self.tally.count(recipe, record);
                let array = self.flags.output.npy.then(|| files.path("best_X.npy"));
                if let (Some(path), Some(best)) = (&array, &record.best)
                    && let Err(error) = npy::write(path, &best.xx, record.image)
                {
                    self.display.note(&format!("{}: {error}", path.display()));
                    self.tally.failed += 1;
                }
                if self.flags.output.json {
                    let mut written: Vec<_> = files.all(self.keeper.skip_big);
                    written.extend(array);
                    written.retain(|path| path.exists());
                    self.display.result(&report::json(run, &written));
                    return;
                }
                if self.flags.output.quiet {
                    self.display.result(&files.path("best_X.jpg").display().to_string());
                    return;
                }
                if let Some(ending) = record.ending.filter(|_| self.flags.output.verbose) {
                    self.display.say(ending.message());
                }
                let mut summary = report::summary(recipe, *label, record, files);
                if self.flags.output.show
                    && let Some(problem) = show::picture(&files.path("best_Xpm.jpg"))
                {
                    summary = format!("{summary}\n{problem}");
                }
                self.display.say(&summary);
            }
            Event::Failed(failure) => {
                self.display.unit_done();
                self.tally.failed += 1;
                if self.flags.output.json {
                    let line = self.failed(failure);
                    self.display.result(&line);
                }
                if self.several {
                    self.display.note(&format!("failed: {}", hints::of_failure(failure)));
                }
            }
        }
    }

    fn is_stopped(&self) -> bool {
        interrupt::came()
    }
}
