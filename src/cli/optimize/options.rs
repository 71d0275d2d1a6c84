//! `deepvis optimize`, resolved: every literal parsed, presets and defaults filled in.

use std::path::PathBuf;

use deepvis_importer::names::suggest;

use super::{modern, selection};
use crate::ascent::{
    Image, LARGEST_RADIUS, Method, Modern, Optimizer, PRESETS, Precision, Preset, Recipe, Regularizers,
};
use crate::backend::Compute;
use crate::cli::error::{Error, Result};
use crate::cli::flags::{OptimizeFlags, PrecisionFlag, RegularizerFlags};
use crate::cli::literals::{self, Spatial};
use crate::cli::model::ModelOptions;
use crate::model::Settings;
use crate::objective::{Expression, Neuron, Reach, Unit};
use crate::output::original::pickle::Protocol;
use crate::output::original::{Number, Spelling};
use crate::python::Value;
use crate::session::Keeper;
use crate::session::names::{self, TEMPLATE};
use crate::transform::Views;

/// The original's `--max-iter`.
const MAX_ITER: usize = 500;
/// Longest run that is believed; each iteration leaves a record.
const MOST_ITERATIONS: usize = 100_000_000;
/// The original's `--lr-params`.
const LR_PARAMS: &str = "{\"lr\": 1}";
/// The preset of an objective that is no unit, where none is named.
const DEFAULT_OF_FORMULAS: &str = "fourier";
/// Images of an objective that compares them, where one seed is given.
const COMPARED: u32 = 4;
/// The original's `--push-layer` and `--push-channel`: the flamingo.
const PUSH_LAYER: &str = "fc8";
const PUSH_CHANNEL: usize = 130;

/// What to optimize, and how.
#[derive(Debug, Clone)]
pub(super) struct OptimizeOptions {
    pub(super) model: ModelOptions,
    /// As given: patterns need the network.
    pub(super) layers: String,
    /// Whether nobody named a layer, so that `layers` is the original's default.
    pub(super) layer_is_assumed: bool,
    /// As given: a selection needs the layer's size and labels.
    pub(super) channels: String,
    pub(super) spatial: Spatial,
    pub(super) seeds: Vec<u32>,
    /// What gives an image its size that is not given.
    pub(super) modern: Option<Modern>,
    /// Where the magnitudes of an image's spectrum come from, if not from their formula.
    pub(super) spectrum_from: Option<PathBuf>,
    /// Of every unit; unit and seed are filled in for each.
    pub(super) recipe: Recipe,
    /// How its numbers were given.
    pub(super) spelling: Spelling,
}

impl OptimizeOptions {
    pub(super) fn resolve(flags: &OptimizeFlags, settings: &Settings) -> Result<Self> {
        let model = ModelOptions::resolve(&flags.model, settings, flags.net.as_deref())?;
        let settings = &model.settings;
        let layers = flags.unit.push_layer.clone().or_else(|| settings.push_layer.clone());
        let layer_is_assumed = layers.is_none();
        let layers = layers.unwrap_or_else(|| PUSH_LAYER.into());
        let formula = flags.unit.objective.as_deref().map(Expression::parse).transpose();
        let formula = formula.map_err(|error| Error::Usage(format!("--objective: {error}")))?;
        let preset = preset(
            flags
                .regularizers
                .preset
                .as_deref()
                .or(formula.as_ref().map(|_| DEFAULT_OF_FORMULAS)),
            settings,
        )?;
        let formula = formula.or_else(|| modern::dreamt(flags, &layers, preset));
        if let Some(formula) = formula.as_ref().filter(|formula| formula.layers().is_empty()) {
            return Err(Error::Usage(format!(
                "--objective: {formula} names no layer of the network"
            )));
        }
        let classic = preset.and_then(|preset| match preset.method {
            Method::Classic { regularizers, schedule } => Some((regularizers, schedule)),
            Method::Modern(_) => None,
        });
        let modern = preset.and_then(|preset| match preset.method {
            Method::Classic { .. } => None,
            Method::Modern(modern) => Some(modern),
        });
        let modern = modern::check(flags, modern)?;
        let parts = modern::parts(flags);
        let policy = flags
            .rate
            .lr_policy
            .as_deref()
            .or(classic.map(|(_, schedule)| schedule.policy()))
            .unwrap_or("constant");
        // A preset's parameters suit its own policy alone.
        let of_preset = classic
            .map(|(_, schedule)| schedule)
            .filter(|schedule| schedule.policy() == policy && flags.rate.lr_params.is_none());
        let (schedule, lr_params) = match of_preset {
            Some(schedule) => (schedule, None),
            None => {
                if let ("progress" | "progress01", None) = (policy, &flags.rate.lr_params) {
                    return Err(Error::Usage(needs_params(policy)));
                }
                let given = flags.rate.lr_params.as_deref().unwrap_or(LR_PARAMS);
                let (schedule, value) = literals::learning_rate(policy, given)?;
                (schedule, Some(value))
            }
        };
        let steps = flags
            .rate
            .max_iter
            .or(preset.map(|preset| preset.steps))
            .unwrap_or(MAX_ITER);
        if !(1..=MOST_ITERATIONS).contains(&steps) {
            return Err(Error::Usage(format!(
                "--max-iter {steps}: it takes from 1 to {MOST_ITERATIONS} iterations"
            )));
        }
        let push_dir = match &flags.unit.push_dir {
            Some(given) => literals::push_dir(given)?,
            None => Number::Int(1),
        };
        let (regularizers, numbers) = regularizers(&flags.regularizers, classic.map(|(regularizers, _)| regularizers))?;
        if formula.is_some() && modern.is_none() {
            return Err(Error::Usage(
                "--objective: it goes with a preset of a parameterized image, such as fourier".into(),
            ));
        }
        let spatial = literals::spatial(&flags.unit.push_spatial)?;
        if spatial == Spatial::Mean && modern.is_none() {
            return Err(Error::Usage(
                "--push-spatial mean: it goes with a parameterized image, as --preset fourier makes one; the recipes of \
                 2015 push one place"
                    .into(),
            ));
        }
        let mut seeds = selection::seeds(&flags.start.rand_seed)?;
        let is_of_a_group = formula.as_ref().is_some_and(Expression::is_of_a_group);
        if let ([seed], true) = (seeds.as_slice(), is_of_a_group) {
            seeds = (*seed..=seed.saturating_add(COMPARED - 1)).collect();
        }
        let mut recipe = Recipe {
            objective: Neuron {
                unit: Unit {
                    layer: String::new(),
                    channel: 0,
                    spatial: [0, 0],
                },
                direction: push_dir.value(),
                reach: if modern.is_some() && matches!(spatial, Spatial::Unset | Spatial::Mean) {
                    Reach::Channel
                } else {
                    Reach::Position
                },
            },
            formula,
            company: if is_of_a_group { seeds.clone() } else { Vec::new() },
            files: Vec::new(),
            image: match modern {
                Some(modern) => Image::Parameterized(parts.image(modern).map_err(modern::of_flag)?),
                None => Image::GreyLevels,
            },
            size: modern::size(&flags.image)?,
            views: match modern {
                Some(modern) => parts.views(modern).map_err(modern::of_flag)?,
                None => Views::None,
            },
            start: literals::start_at(&flags.start.start_at),
            start_from: None,
            hold: modern.and_then(Modern::hold),
            seed: 0,
            optimizer: match modern {
                Some(modern) => Optimizer::Adaptive(parts.optimizer(modern).map_err(modern::of_flag)?),
                None => Optimizer::GradientAscent { schedule },
            },
            regularizers,
            steps,
            rate_changes: Vec::new(),
        };
        let start_from = flags.start.start_from.as_ref();
        let is_typed = flags.start.start_at != "mean_plus_rand";
        if let Some(file) = start_from.or(settings.start_from.as_ref().filter(|_| !is_typed)) {
            recipe = recipe.starting_from(&file.to_string_lossy())?;
        }
        recipe.note_files().map_err(|error| Error::Usage(error.to_string()))?;
        modern::check_start(&recipe, &seeds)?;
        if flags.image.spectrum_from.is_some() && !modern::is_maco(&recipe) {
            return Err(Error::Usage(
                "--spectrum-from: it goes with --preset maco, whose image is of fixed magnitude".into(),
            ));
        }
        let spelling = spelling(&recipe, push_dir, numbers, lr_params);
        let channel = settings.push_channel.unwrap_or(PUSH_CHANNEL);
        Ok(Self {
            layers,
            layer_is_assumed,
            channels: flags.unit.push_channel.clone().unwrap_or_else(|| channel.to_string()),
            spatial,
            seeds,
            modern,
            spectrum_from: flags.image.spectrum_from.clone(),
            recipe,
            spelling,
            model,
        })
    }

    /// The template of names: without one given, a formula names its files itself.
    fn template(&self, given: &str) -> String {
        if given == TEMPLATE {
            names::template(&self.recipe)
        } else {
            given.to_owned()
        }
    }

    /// Where results go.
    pub(super) fn keeper(&self, flags: &OptimizeFlags) -> Result<Keeper> {
        let output = &flags.output;
        if output.png_depth == "16" && self.recipe.image == Image::GreyLevels {
            return Err(Error::Usage(
                "--png-depth 16: the recipes of 2015 write no PNG; presets such as fourier do".into(),
            ));
        }
        let times = |every: Option<u32>| every.and_then(|every| usize::try_from(every).ok());
        Ok(Keeper {
            prefix: output.output_prefix.clone(),
            template: self.template(&output.output_template),
            flat_names: output.flat_names || self.model.settings.flat_names || self.recipe.image != Image::GreyLevels,
            overwrite: output.brave,
            skip_big: output.skipbig,
            protocol: if output.pickle_protocol == 2 {
                Protocol::Two
            } else {
                Protocol::Three
            },
            deep_png: output.png_depth == "16",
            npz: output.npz,
            save_every: times(output.save_every),
            animate: output.animate,
            checkpoint_every: times(output.checkpoint_every),
            shard: output.shard.as_deref().map(literals::shard).transpose()?,
            spelling: self.spelling.clone(),
        })
    }
}

/// That a policy has no rate of its own.
fn needs_params(policy: &str) -> String {
    let example = match policy {
        "progress01" => "{'max_lr': 100.0, 'early_prog': 0.03, 'late_prog_mult': 0.1}",
        _ => "{'max_lr': 100.0, 'desired_prog': 2.0}",
    };
    format!(
        "--lr-policy {policy} requires the key 'max_lr' and others, which --lr-params gives, such as --lr-params \"{example}\""
    )
}

/// `--precision`, or what suits the device.
pub(super) fn precision(flag: PrecisionFlag, recipe: &Recipe, compute: &Compute) -> Precision {
    match flag {
        PrecisionFlag::Float64 => Precision::Float64,
        PrecisionFlag::Float32 => Precision::Float32,
        PrecisionFlag::Auto => recipe.precision(compute.is_gpu()),
    }
}

/// The preset that the flag names, else the settings.
fn preset(flag: Option<&str>, settings: &Settings) -> Result<Option<&'static Preset>> {
    let Some(name) = flag.or(settings.preset.as_deref()) else {
        return Ok(None);
    };
    match Preset::named(name) {
        Some(preset) => Ok(Some(preset)),
        None => {
            let known: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
            Err(Error::Usage(format!(
                "preset = \"{name}\" in the settings: there is none; {}",
                suggest(name, &known, 10)
            )))
        }
    }
}

/// The numbers of the regularizers as they were given.
struct Numbers {
    decay: Number,
    blur_radius: Number,
    small_val: Number,
    small_norm: Number,
    benefit: Number,
    abs_benefit: Number,
}

fn regularizers(flags: &RegularizerFlags, of_preset: Option<Regularizers>) -> Result<(Regularizers, Numbers)> {
    // What a preset gives counts as given, as if it were typed.
    let decay = match (flags.decay.as_deref(), of_preset) {
        (Some(given), _) => literals::float("--decay", given, 0.0..=1.0, "a number from 0 to 1")?,
        (None, Some(preset)) => Number::Float(preset.decay),
        (None, None) => Number::Int(0),
    };
    let blur_radius = match (flags.blur_radius.as_deref(), of_preset) {
        (Some(given), _) => literals::float(
            "--blur-radius",
            given,
            0.0..=LARGEST_RADIUS,
            "a radius in pixels from 0 to 1000",
        )?,
        (None, Some(preset)) => Number::Float(preset.blur_radius),
        (None, None) => Number::Int(0),
    };
    let percentile = |flag: &'static str, given: Option<&str>, of_preset: Option<f64>| match (given, of_preset) {
        (Some(given), _) => literals::percentile(flag, given),
        (None, Some(percent)) if percent > 0.0 => Ok(Number::Float(percent)),
        (None, _) => Ok(Number::Int(0)),
    };
    let small_val = percentile(
        "--small-val-percentile",
        flags.small_val_percentile.as_deref(),
        of_preset.map(|preset| preset.small_val_percentile),
    )?;
    let small_norm = percentile(
        "--small-norm-percentile",
        flags.small_norm_percentile.as_deref(),
        of_preset.map(|preset| preset.small_norm_percentile),
    )?;
    let benefit = percentile(
        "--px-benefit-percentile",
        flags.px_benefit_percentile.as_deref(),
        of_preset.map(|preset| preset.px_benefit_percentile),
    )?;
    let abs_benefit = percentile(
        "--px-abs-benefit-percentile",
        flags.px_abs_benefit_percentile.as_deref(),
        of_preset.map(|preset| preset.px_abs_benefit_percentile),
    )?;
    let blur_every = match flags.blur_every.as_deref() {
        Some(given) => given
            .parse::<i64>()
            .ok()
            .and_then(|every| u64::try_from(every).ok())
            .ok_or_else(|| {
                literals::wrong(
                    "--blur-every",
                    given,
                    "it is not a whole number of iterations",
                    "0 or more",
                )
            })?,
        None => of_preset.map_or(0, |preset| preset.blur_every),
    };
    let numbers = Numbers {
        decay,
        blur_radius,
        small_val,
        small_norm,
        benefit,
        abs_benefit,
    };
    let regularizers = Regularizers {
        decay: decay.value(),
        blur_radius: blur_radius.value(),
        blur_every,
        small_val_percentile: small_val.value(),
        small_norm_percentile: small_norm.value(),
        px_benefit_percentile: benefit.value(),
        px_abs_benefit_percentile: abs_benefit.value(),
    };
    Ok((regularizers, numbers))
}

fn spelling(recipe: &Recipe, push_dir: Number, numbers: Numbers, lr_params: Option<Value>) -> Spelling {
    let plain = Spelling::plain(recipe);
    Spelling {
        push_dir,
        decay: numbers.decay,
        blur_radius: numbers.blur_radius,
        small_val_percentile: numbers.small_val,
        small_norm_percentile: numbers.small_norm,
        px_benefit_percentile: numbers.benefit,
        px_abs_benefit_percentile: numbers.abs_benefit,
        lr_params: lr_params.unwrap_or(plain.lr_params),
    }
}
