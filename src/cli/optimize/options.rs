//! `deepvis optimize`, resolved: every literal parsed, presets and defaults filled in.

use deepvis_importer::names::suggest;

use super::selection;
use crate::cli::error::{Error, Result};
use crate::cli::flags::{OptimizeFlags, RegularizerFlags};
use crate::cli::literals::{self, Spatial};
use crate::cli::model::ModelOptions;
use crate::cli::settings::Settings;
use crate::optimizer::{LearningRate, Number, Regularizers, StartAt};
use crate::python::Value;

/// The original's `--max-iter`.
const MAX_ITER: usize = 500;
/// Longest run that is believed; each iteration leaves a record.
const MOST_ITERATIONS: usize = 100_000_000;
/// The original's `--lr-params`.
const LR_PARAMS: &str = "{\"lr\": 1}";
/// The original's `--push-layer` and `--push-channel`: the flamingo.
const PUSH_LAYER: &str = "fc8";
const PUSH_CHANNEL: usize = 130;

/// A row of the paper's Table 1, as the specification's command lines give it, or one of ours.
struct Preset {
    name: &'static str,
    decay: &'static str,
    blur_radius: &'static str,
    blur_every: &'static str,
    small_norm_percentile: Option<&'static str>,
    px_abs_benefit_percentile: Option<&'static str>,
    max_iter: usize,
    lr_policy: &'static str,
    lr_params: &'static str,
}

const PRESETS: &[Preset] = &[
    Preset {
        name: "paper-1",
        decay: "0",
        blur_radius: "0.5",
        blur_every: "4",
        small_norm_percentile: Some("50"),
        px_abs_benefit_percentile: None,
        max_iter: 500,
        lr_policy: "progress",
        lr_params: "{'max_lr': 100.0, 'desired_prog': 2.0}",
    },
    Preset {
        name: "paper-2",
        decay: "0.3",
        blur_radius: "0",
        blur_every: "0",
        small_norm_percentile: Some("20"),
        px_abs_benefit_percentile: None,
        max_iter: 750,
        lr_policy: "constant",
        lr_params: "{'lr': 100.0}",
    },
    Preset {
        name: "paper-3",
        decay: "0.0001",
        blur_radius: "1.0",
        blur_every: "4",
        small_norm_percentile: None,
        px_abs_benefit_percentile: None,
        max_iter: 1000,
        lr_policy: "constant",
        lr_params: "{'lr': 100.0}",
    },
    Preset {
        name: "paper-4",
        decay: "0",
        blur_radius: "0.5",
        blur_every: "4",
        small_norm_percentile: None,
        px_abs_benefit_percentile: Some("90"),
        max_iter: 1000,
        lr_policy: "progress",
        lr_params: "{'max_lr': 100000000, 'desired_prog': 2.0}",
    },
    // For the bundled network, found by looking: see models/demo/README.md.
    Preset {
        name: "demo",
        decay: "0.001",
        blur_radius: "1.0",
        blur_every: "4",
        small_norm_percentile: None,
        px_abs_benefit_percentile: None,
        max_iter: 200,
        lr_policy: "progress",
        lr_params: "{'max_lr': 100000.0, 'desired_prog': 2.0}",
    },
];

/// What to optimize, and how.
#[derive(Debug, Clone)]
pub(super) struct OptimizeOptions {
    pub(super) model: ModelOptions,
    /// As given: patterns need the network.
    pub(super) layers: String,
    /// As given: a selection needs the layer's size and labels.
    pub(super) channels: String,
    pub(super) spatial: Spatial,
    pub(super) push_dir: Number,
    pub(super) start_at: StartAt,
    pub(super) seeds: Vec<u32>,
    pub(super) regularizers: Regularizers,
    pub(super) rate: LearningRate,
    pub(super) lr_params: Value,
    pub(super) max_iter: usize,
}

impl OptimizeOptions {
    pub(super) fn resolve(flags: &OptimizeFlags, settings: &Settings) -> Result<Self> {
        let model = ModelOptions::resolve(&flags.model, settings, None)?;
        let settings = &model.settings;
        let preset = preset(flags.regularizers.preset.as_deref(), settings)?;
        let policy = flags
            .rate
            .lr_policy
            .as_deref()
            .or(preset.map(|p| p.lr_policy))
            .unwrap_or("constant");
        // A preset's parameters suit its own policy alone.
        let of_preset = preset
            .filter(|preset| preset.lr_policy == policy)
            .map(|preset| preset.lr_params);
        let lr_params = flags.rate.lr_params.as_deref().or(of_preset).unwrap_or(LR_PARAMS);
        let (rate, lr_params) = literals::learning_rate(policy, lr_params)?;
        let max_iter = flags.rate.max_iter.or(preset.map(|p| p.max_iter)).unwrap_or(MAX_ITER);
        if !(1..=MOST_ITERATIONS).contains(&max_iter) {
            return Err(Error::Usage(format!(
                "--max-iter {max_iter}: it takes from 1 to {MOST_ITERATIONS} iterations"
            )));
        }
        let layer = flags.unit.push_layer.clone().or_else(|| settings.push_layer.clone());
        let channel = settings.push_channel.unwrap_or(PUSH_CHANNEL);
        Ok(Self {
            layers: layer.unwrap_or_else(|| PUSH_LAYER.into()),
            channels: flags.unit.push_channel.clone().unwrap_or_else(|| channel.to_string()),
            spatial: literals::spatial(&flags.unit.push_spatial)?,
            push_dir: literals::push_dir(&flags.unit.push_dir)?,
            start_at: literals::start_at(&flags.start.start_at),
            seeds: selection::seeds(&flags.start.rand_seed)?,
            regularizers: regularizers(&flags.regularizers, preset)?,
            rate,
            lr_params,
            max_iter,
            model,
        })
    }
}

/// The preset that the flag names, else the settings.
fn preset(flag: Option<&str>, settings: &Settings) -> Result<Option<&'static Preset>> {
    let Some(name) = flag.or(settings.preset.as_deref()) else {
        return Ok(None);
    };
    match PRESETS.iter().find(|preset| preset.name == name) {
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

fn regularizers(flags: &RegularizerFlags, preset: Option<&Preset>) -> Result<Regularizers> {
    const LARGEST_RADIUS: f64 = 1000.0;
    let or_zero = |given: Option<&str>, parse: &dyn Fn(&str) -> Result<Number>| given.map_or(Ok(Number::Int(0)), parse);
    let decay = flags.decay.as_deref().or(preset.map(|p| p.decay));
    let radius = flags.blur_radius.as_deref().or(preset.map(|p| p.blur_radius));
    let every = flags
        .blur_every
        .as_deref()
        .or(preset.map(|p| p.blur_every))
        .unwrap_or("0");
    let small_norm = flags
        .small_norm_percentile
        .as_deref()
        .or(preset.and_then(|p| p.small_norm_percentile));
    let abs_benefit = flags
        .px_abs_benefit_percentile
        .as_deref()
        .or(preset.and_then(|p| p.px_abs_benefit_percentile));
    Ok(Regularizers {
        decay: or_zero(decay, &|given| {
            literals::float("--decay", given, 0.0..=1.0, "a number from 0 to 1")
        })?,
        blur_radius: or_zero(radius, &|given| {
            literals::float(
                "--blur-radius",
                given,
                0.0..=LARGEST_RADIUS,
                "a radius in pixels from 0 to 1000",
            )
        })?,
        blur_every: every
            .parse()
            .ok()
            .filter(|every| *every >= 0)
            .ok_or_else(|| Error::Literal {
                flag: "--blur-every",
                given: every.to_owned(),
                message: "it is not a whole number of iterations".into(),
                expected: "0 or more",
            })?,
        small_val_percentile: literals::percentile("--small-val-percentile", flags.small_val_percentile.as_deref())?,
        small_norm_percentile: literals::percentile("--small-norm-percentile", small_norm)?,
        px_benefit_percentile: literals::percentile("--px-benefit-percentile", flags.px_benefit_percentile.as_deref())?,
        px_abs_benefit_percentile: literals::percentile("--px-abs-benefit-percentile", abs_benefit)?,
    })
}
