//! What is said about an optimization, before and after.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::options::OptimizeOptions;
use super::plan::Plan;
use crate::ascent::{Ending, Image, LEAST_USEFUL_RADIUS, Recipe, Record};
use crate::cli::literals::Spatial;
use crate::cli::model;
use crate::cli::progress::clock;
use crate::model::{Model, npy};
use crate::objective::Reach;
use crate::output::ResultFiles;
use crate::output::images::is_coloured;
use crate::output::original::FindParams;
use crate::output::runs::{Circumstances, Run};
use crate::session::LayerPlan;

/// What the original warns about, and a mean that was probably forgotten.
pub(super) fn warnings(options: &OptimizeOptions, model: &Model, plan: &Plan) -> Vec<String> {
    let mut warnings = Vec::new();
    let channels = plan.image[0];
    if options.spatial == Spatial::Unset && options.recipe.formula.is_none() {
        let tokens = plan.layers.iter().zip(&plan.tokens);
        let note = tokens
            .filter_map(|(layer, tokens)| Some((layer, (*tokens)?)))
            .map(|(layer, tokens)| tokens.by_default(&layer.layer, options.recipe.objective.reach))
            .next();
        warnings.extend(note);
    }
    let is_conv = |plan: &&LayerPlan| plan.extents[1] * plan.extents[2] > 1;
    let conv = plan.layers.iter().zip(&plan.tokens);
    let conv = conv
        .filter(|(_, tokens)| tokens.is_none())
        .map(|(layer, _)| layer)
        .find(is_conv);
    if let (Spatial::Unset, Reach::Position, Some(plan)) = (options.spatial, options.recipe.objective.reach, conv) {
        let [_, rows, columns] = plan.extents;
        warnings.push(format!(
            "\"{}\" is a conv layer of {rows} x {columns} units a channel, and its corner (0,0) is pushed; --push-spatial \
             \"({},{})\" or center pushes the unit in the middle",
            plan.layer,
            rows / 2,
            columns / 2
        ));
    }
    let radius = options.recipe.regularizers.blur_radius;
    if radius > 0.0 && radius < LEAST_USEFUL_RADIUS {
        warnings.push(format!(
            "--blur-radius {radius}: blur sizes between 0 and {LEAST_USEFUL_RADIUS} work poorly"
        ));
    }
    let swap = model.source.preprocessing.swap;
    match channels {
        3 if is_coloured(3, swap) => {}
        // A grey picture of a grey image is all there is.
        1 => {}
        _ if is_coloured(channels, swap) => warnings.push(format!(
            "of the image's {channels} channels, {}, {} and {} are shown as red, green and blue; --channel-swap-to-rgb names \
             others",
            swap[0], swap[1], swap[2]
        )),
        _ => warnings.push(format!(
            "the image has {channels} channels and cannot be shown in colours: pictures are grey, its channels side by side"
        )),
    }
    warnings.extend(fitted(plan));
    warnings.extend(model::doubts(model));
    warnings
}

/// That a photograph to start from is cut and scaled, where it is of another size than what climbs.
fn fitted(plan: &Plan) -> Option<String> {
    let recipe = plan.layers.iter().find_map(|layer| layer.recipes.first())?;
    // An array is never fitted, and what cannot be read is an error a moment later.
    let named = recipe
        .start_from
        .as_ref()
        .filter(|named| !npy::is_npy(Path::new(&named.file)))?;
    let [height, width] = plan.start?;
    let [_, rows, columns] = recipe.picture(plan.image);
    ([height, width] != [rows, columns]).then(|| {
        let how = if height * columns == width * rows {
            "scaled"
        } else {
            "cut in the middle and scaled"
        };
        format!(
            "{} has {height} x {width} pixels (height x width); it is {how} to {rows} x {columns}",
            named.file
        )
    })
}

/// Part of the start image's norm that an image must have moved by to be more than noise.
const LEAST_MOVE: f64 = 0.1;
/// The same of an image that began with a picture, which differs from it visibly from about here on.
const LEAST_MOVE_OF_PICTURE: f64 = 0.002;

/// A climb that came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Idle {
    /// The picture is the noise that it began with.
    Noise,
    /// It is the picture that it began with.
    Unmoved,
}

impl Idle {
    /// In the line of a unit and in the summary.
    fn name(self) -> &'static str {
        match self {
            Self::Noise => "still noise",
            Self::Unmoved => "still the picture at the start",
        }
    }
}

/// Whether a picture is nothing but the noise, or the picture, that it began with, and why.
pub(super) fn idle(recipe: &Recipe, record: &Record) -> Option<(Idle, &'static str)> {
    let best = record.best.as_ref()?;
    if record.ii.len() < 2 || record.ending == Some(Ending::GradZeroFailure) {
        return None;
    }
    let is_modern = matches!(recipe.image, Image::Parameterized(_));
    let start = record.x0.iter().map(|value| value * value).sum::<f64>().sqrt();
    // At first the image is cut to what can be shown, which is no step.
    let [first, last] = [record.dist.first()?, record.dist.last()?];
    let moved = (last * last - first * first).max(0.0).sqrt();
    if recipe.start_from.is_some() {
        let why = if moved <= LEAST_MOVE_OF_PICTURE * start {
            if is_modern {
                "still the picture that it began with: the steps are too small or too few; try a larger --learning-rate, or more \
                 --max-iter"
            } else {
                "still the picture that it began with: the steps are too small or too few; try a larger lr, or more --max-iter"
            }
        } else if best.ii == 0 && !is_modern {
            "still the picture that it began with: no step was better; the steps are too large; try a smaller lr"
        } else {
            return None;
        };
        return Some((Idle::Unmoved, why));
    }
    let why = if moved <= LEAST_MOVE * start {
        if is_modern {
            "still noise: the steps are too small or too few; try more --max-iter, or a larger --learning-rate"
        } else {
            "still noise: the steps are too small or too few; try --preset paper-3, a larger lr, or more --max-iter"
        }
    } else if best.ii == 0 && is_modern {
        "still noise: no step was better than the start; try more --max-iter, or a smaller --learning-rate"
    } else if best.ii == 0 {
        "still noise: no step was better than the start; the steps are too large; try --preset paper-3, or a smaller lr"
    } else {
        return None;
    };
    Some((Idle::Noise, why))
}

/// Whether there is a unit to be the largest of its layer: a formula may name none.
fn has_unit(recipe: &Recipe) -> bool {
    recipe
        .formula
        .as_ref()
        .is_none_or(|formula| formula.first_unit().is_some())
}

/// A line about a unit that is done: its name, the best objective, what went wrong, the picture.
pub(super) fn summary(recipe: &Recipe, label: Option<&str>, record: &Record, files: &ResultFiles) -> String {
    let unit = &recipe.objective.unit;
    let name = match (&recipe.formula, label) {
        (Some(formula), _) => formula.to_string(),
        (None, Some(label)) => label.to_owned(),
        (None, None) => format!("{} {}", unit.layer, unit.channel),
    };
    let best = record
        .best
        .as_ref()
        .map_or_else(|| "-".to_owned(), |best| format!("{:.1}", best.obj));
    let how = if record.ending == Some(Ending::GradZeroFailure) {
        Some("the gradient is 0, there is nothing to climb")
    } else if let Some((idle, _)) = idle(recipe, record) {
        Some(idle.name())
    } else {
        (record.majority.is_none() && has_unit(recipe)).then_some("never the largest of its layer")
    };
    let how = how.map(|how| format!("  {how}")).unwrap_or_default();
    format!("{name}  {best}  {}{how}", files.path("best_X.jpg").display())
}

/// How many units came to what.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) done: usize,
    pub(super) failed: usize,
    pub(super) never_largest: usize,
    pub(super) noise: usize,
    pub(super) unmoved: usize,
    /// Why the first climb that came to nothing did.
    pub(super) first_idle: Option<&'static str>,
}

impl Tally {
    /// Counts a unit that is done.
    pub(super) fn count(&mut self, recipe: &Recipe, record: &Record) {
        self.done += 1;
        self.never_largest += usize::from(record.majority.is_none() && has_unit(recipe));
        if let Some((idle, why)) = idle(recipe, record) {
            match idle {
                Idle::Noise => self.noise += 1,
                Idle::Unmoved => self.unmoved += 1,
            }
            self.first_idle.get_or_insert(why);
        }
    }

    /// `31 done, 1 failed, 4 never the largest, 0:07`.
    pub(super) fn line(self, elapsed: Duration) -> String {
        let mut parts = vec![format!("{} done", self.done)];
        let others = [
            (self.failed, "failed"),
            (self.never_largest, "never the largest"),
            (self.noise, Idle::Noise.name()),
            (self.unmoved, Idle::Unmoved.name()),
        ];
        parts.extend(
            others
                .iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, what)| format!("{count} {what}")),
        );
        format!("{}, {}", parts.join(", "), clock(elapsed))
    }
}

/// A unit that failed as a line of JSON: its parameters, no files and no figures, and why.
pub(super) fn json_of_failure(params: FindParams<'_>, circumstances: Circumstances) -> String {
    let nothing = Record::new(Vec::new(), [0; 3]);
    json(&Run::new(params, &nothing, circumstances), &[])
}

/// A unit as a line of JSON: what the log says, with the paths of its files instead of their common beginning.
pub(super) fn json(run: &Run, files: &[PathBuf]) -> String {
    let mut record = serde_json::json!(run);
    record["files"] = files.iter().map(|path| path.to_string_lossy()).collect();
    record.to_string()
}
