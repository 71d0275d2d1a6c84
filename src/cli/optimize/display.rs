//! The progress bar, and the original's lines for `--verbose`.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::ascent::{Optimizer, Progress, Schedule};
use crate::cli::progress::{self, Standing};
use crate::cli::stdout::{out, printable};
use crate::model::Labels;
use crate::python::Value;
use crate::python::number::percent_g;

/// How often the line is drawn again.
const REDRAW: Duration = Duration::from_millis(200);
/// How often it is said where nobody watches a terminal.
const SAY: Duration = Duration::from_secs(30);
/// Columns of a terminal that does not tell.
const COLUMNS: usize = 80;

/// What is shown while units climb: one line, never wider than the terminal.
pub(super) struct Display<'a> {
    bar: ProgressBar,
    /// All units, and those done.
    units: usize,
    done: usize,
    /// Iterations of each unit.
    steps: usize,
    /// Of the batch at work: its layer, its units, and the iterations of all of them that are done.
    layer: String,
    batch: usize,
    iterations: usize,
    /// Iterations of all batches that this program did.
    counted: usize,
    begun: Instant,
    said: Instant,
    verbose: bool,
    quiet: bool,
    labels: &'a Labels,
    /// Of the layer at work.
    channels: usize,
    /// Objective of the iteration before, and what its step was to add to it, for each place in the batch.
    before: Vec<Option<(f32, f64)>>,
}

impl<'a> Display<'a> {
    /// For `units` climbs of `steps` iterations each.
    pub(super) fn new(units: usize, steps: usize, verbose: bool, quiet: bool, labels: &'a Labels) -> Self {
        let bar = ProgressBar::new_spinner();
        if quiet || verbose {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(REDRAW);
        Self {
            bar,
            units,
            done: 0,
            steps,
            layer: String::new(),
            batch: 0,
            iterations: 0,
            counted: 0,
            begun: Instant::now(),
            said: Instant::now(),
            verbose,
            quiet,
            labels,
            channels: 0,
            before: Vec::new(),
        }
    }

    /// Begins a batch of `len` units of a layer of `channels`, which did so many iterations together in an earlier program.
    pub(super) fn begin_batch(&mut self, layer: &str, channels: usize, len: usize, iterations: usize) {
        self.channels = channels;
        self.before = vec![None; len];
        layer.clone_into(&mut self.layer);
        self.batch = len;
        self.iterations = iterations;
    }

    /// Counts a unit as done.
    pub(super) fn unit_done(&mut self) {
        self.done += 1;
    }

    /// Shows one iteration.
    pub(super) fn iteration(&mut self, progress: &Progress<'_>) {
        self.iterations += 1;
        self.counted += 1;
        if self.verbose {
            let layer = progress.climb.recipe().objective.unit.layer.as_str();
            let label = |channel| {
                self.labels
                    .name(layer, self.channels, channel)
                    .map(|name| format!(" ({name})"))
                    .unwrap_or_default()
            };
            let lines = original_lines(progress, self.before[progress.place], &label);
            out!("{lines}");
        }
        let rate = progress.climb.record().lr.last().copied().unwrap_or(0.0);
        let norm = f64::from(progress.found.gradient_norm);
        self.before[progress.place] = Some((progress.found.objective, rate * norm * norm));
        let columns =
            terminal_size::terminal_size_of(std::io::stderr()).map_or(COLUMNS, |(width, _)| usize::from(width.0));
        let line = printable(&self.line(columns)).into_owned();
        if !self.quiet && !self.verbose && !std::io::stderr().is_terminal() && self.said.elapsed() >= SAY {
            self.said = Instant::now();
            eprintln!("{line}");
        }
        self.bar.set_message(line);
    }

    fn line(&self, columns: usize) -> String {
        let elapsed = self.begun.elapsed();
        let all = (self.units - self.done.min(self.units)).saturating_mul(self.steps);
        let left = all.saturating_sub(self.iterations);
        let whole = self.counted + left;
        let standing = Standing {
            layer: &self.layer,
            units: (self.done, self.units),
            iterations: (self.iterations / self.batch.max(1), self.steps),
            elapsed,
            left: progress::left(part(self.counted, whole), elapsed),
        };
        progress::line(&standing, columns)
    }

    /// A result that is printed even where nothing else is.
    pub(super) fn result(&self, line: &str) {
        self.bar.suspend(|| out!("{line}"));
    }

    /// A result, above the line.
    pub(super) fn say(&self, line: &str) {
        if !self.quiet {
            self.bar.suspend(|| out!("{line}"));
        }
    }

    /// Something to know, above the line, on standard error.
    pub(super) fn note(&self, line: &str) {
        if !self.quiet {
            self.bar.suspend(|| eprintln!("{line}"));
        }
    }

    /// Takes the line away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share of the work")]
fn part(done: usize, whole: usize) -> f64 {
    done as f64 / whole.max(1) as f64
}

/// What the original script prints for an iteration.
fn original_lines(progress: &Progress<'_>, before: Option<(f32, f64)>, label: &dyn Fn(usize) -> String) -> String {
    let record = progress.climb.record();
    let recipe = progress.climb.recipe();
    let found = &progress.found;
    let ii = record.ii.last().copied().unwrap_or(0);
    let square = record
        .grad_norm
        .last()
        .map_or(0.0, |norm| f64::from(*norm) * f64::from(*norm));
    let g = |value: f64| percent_g(value, 6);
    let schedule = match &recipe.optimizer {
        Optimizer::GradientAscent { schedule } => *schedule,
        Optimizer::Adaptive(adaptive) => Schedule::Constant { lr: adaptive.rate() },
    };
    let head = match (before, schedule) {
        (None, _) => ii.to_string(),
        (Some((before, predicted)), Schedule::Progress { .. } | Schedule::Progress01 { .. }) => {
            let risen = f64::from(found.objective - before);
            format!("{ii:<4}  progress predicted: {}, actual: {}", g(predicted), g(risen))
        }
        (Some((before, _)), Schedule::Constant { .. }) => {
            format!("{ii:<4}  progress: {}", g(f64::from(found.objective - before)))
        }
    };
    let tuple = |index: [usize; 3]| Value::Tuple(index.map(Value::from).to_vec()).repr();
    let unit = &recipe.objective.unit;
    let pushed = tuple([unit.channel, unit.spatial[0], unit.spatial[1]]);
    let x = record.last.as_ref().map(|last| last.xx.as_slice()).unwrap_or_default();
    let (x_min, x_max) = extremes(x.iter().copied());
    let (grad_min, grad_max) = extremes(
        progress
            .gradient
            .unwrap_or_default()
            .iter()
            .map(|value| f64::from(*value)),
    );
    format!(
        "{head}\n     push unit: {pushed:>16} with value {}{}\n       Max idx: {:>16} with value {}{}\n             X: {} {} {}\n          grad: {} {} {}",
        g(f64::from(found.objective)),
        label(unit.channel),
        tuple(found.largest),
        g(f64::from(found.largest_value)),
        label(found.largest[0]),
        g(x_min),
        g(x_max),
        g(record.norm.last().copied().unwrap_or(0.0)),
        g(grad_min),
        g(grad_max),
        g(square.sqrt()),
    )
}

fn extremes(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), value| {
        (min.min(value), max.max(value))
    })
}
