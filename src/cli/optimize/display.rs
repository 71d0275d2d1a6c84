//! The progress bar, and the original's lines for `--verbose`.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::labels::Labels;
use crate::cli::stdout::out;
use crate::optimizer::{LearningRate, Progress};
use crate::python::Value;
use crate::python::number::percent_g;

/// How often the bar is drawn again.
const REDRAW: Duration = Duration::from_millis(200);

/// What is shown while units climb: with several, units done above, iterations of the batch at work below.
pub(super) struct Display<'a> {
    all: MultiProgress,
    /// Units done; `None` for a single one.
    units: Option<ProgressBar>,
    batch: ProgressBar,
    iterations: u64,
    verbose: bool,
    quiet: bool,
    labels: &'a Labels,
    /// Of the layer at work.
    channels: usize,
    /// Objective of the iteration before, for each place in the batch.
    before: Vec<Option<f32>>,
}

impl<'a> Display<'a> {
    /// For `units` climbs of `iterations` each.
    pub(super) fn new(units: usize, iterations: usize, verbose: bool, quiet: bool, labels: &'a Labels) -> Self {
        let all = MultiProgress::new();
        if quiet || verbose {
            all.set_draw_target(ProgressDrawTarget::hidden());
        }
        let units = (units > 1).then(|| {
            let bar = all.add(ProgressBar::new(units as u64));
            style(&bar, "{bar:30} {pos}/{len} units {msg} {eta} left");
            bar
        });
        let batch = all.add(ProgressBar::new(iterations as u64));
        let left = if units.is_some() { "" } else { " {eta} left" };
        style(&batch, &format!("{{bar:30}} {{pos}}/{{len}} iterations {{msg}}{left}"));
        Self {
            all,
            units,
            batch,
            iterations: iterations as u64,
            verbose,
            quiet,
            labels,
            channels: 0,
            before: Vec::new(),
        }
    }

    /// Begins a batch of units of a layer of `channels`.
    pub(super) fn begin_batch(&mut self, layer: &str, channels: usize, len: usize) {
        self.channels = channels;
        self.before = vec![None; len];
        self.batch.reset();
        self.batch.set_length(self.iterations.saturating_mul(len as u64));
        if let Some(units) = &self.units {
            units.set_message(format!("({layer}, {len} at once)"));
        }
    }

    /// Iterations of the batch that were done by an earlier program.
    pub(super) fn begin_at(&self, iterations: usize) {
        self.batch.set_position(iterations as u64);
    }

    /// Counts a unit as done, with the iterations it left out.
    pub(super) fn unit_done(&mut self, left_out: usize) {
        self.batch.inc(left_out as u64);
        if let Some(units) = &self.units {
            units.inc(1);
        }
    }

    /// Shows one iteration.
    pub(super) fn iteration(&mut self, progress: &Progress<'_>) {
        self.batch.inc(1);
        let layer = progress.climb.params().unit.layer.as_str();
        let label = |channel| {
            self.labels
                .name(layer, self.channels, channel)
                .map(|name| format!(" ({name})"))
                .unwrap_or_default()
        };
        let [channel, row, column] = progress.reading.largest;
        if self.verbose {
            let lines = original_lines(progress, self.before[progress.place], &label);
            out!("{lines}");
        }
        let place = if row + column > 0 {
            format!(" at ({row},{column})")
        } else {
            String::new()
        };
        self.batch.set_message(format!(
            "objective {}, largest {channel}{}{place} {}",
            percent_g(f64::from(progress.reading.objective), 6),
            label(channel),
            percent_g(f64::from(progress.reading.largest_value), 6),
        ));
        self.before[progress.place] = Some(progress.reading.objective);
    }

    /// A result, above the bars.
    pub(super) fn say(&self, line: &str) {
        if !self.quiet {
            self.all.suspend(|| out!("{line}"));
        }
    }

    /// Something to know, above the bars, on standard error.
    pub(super) fn note(&self, line: &str) {
        if !self.quiet {
            self.all.suspend(|| eprintln!("{line}"));
        }
    }

    /// Takes the bars away.
    pub(super) fn finish(&self) {
        self.batch.finish_and_clear();
        if let Some(units) = &self.units {
            units.finish_and_clear();
        }
    }
}

fn style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar.enable_steady_tick(REDRAW);
}

/// What the original script prints for an iteration.
fn original_lines(progress: &Progress<'_>, before: Option<f32>, label: &dyn Fn(usize) -> String) -> String {
    let results = progress.climb.results();
    let params = progress.climb.params();
    let reading = &progress.reading;
    let ii = results.ii.last().copied().unwrap_or(0);
    let rate = results.lr.last().copied().unwrap_or(0.0);
    let square = results
        .grad_norm
        .last()
        .map_or(0.0, |norm| f64::from(*norm) * f64::from(*norm));
    let g = |value: f64| percent_g(value, 6);
    let risen = before.map(|before| f64::from(reading.objective - before));
    let head = match (risen, params.rate) {
        (None, _) => ii.to_string(),
        (Some(risen), LearningRate::Progress { .. } | LearningRate::Progress01 { .. }) => {
            format!(
                "{ii:<4}  progress predicted: {}, actual: {}",
                g(rate * square),
                g(risen)
            )
        }
        (Some(risen), LearningRate::Constant { .. }) => format!("{ii:<4}  progress: {}", g(risen)),
    };
    let tuple = |index: [usize; 3]| Value::Tuple(index.map(Value::from).to_vec()).repr();
    let unit = tuple([params.unit.channel, params.unit.spatial[0], params.unit.spatial[1]]);
    let x = results.last.as_ref().map(|last| last.xx.as_slice()).unwrap_or_default();
    let (x_min, x_max) = extremes(x.iter().copied());
    let (grad_min, grad_max) = extremes(progress.gradient.iter().map(|value| f64::from(*value)));
    format!(
        "{head}\n     push unit: {unit:>16} with value {}{}\n       Max idx: {:>16} with value {}{}\n             X: {} {} {}\n          grad: {} {} {}",
        g(f64::from(reading.objective)),
        label(params.unit.channel),
        tuple(reading.largest),
        g(f64::from(reading.largest_value)),
        label(reading.largest[0]),
        g(x_min),
        g(x_max),
        g(results.norm.last().copied().unwrap_or(0.0)),
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
