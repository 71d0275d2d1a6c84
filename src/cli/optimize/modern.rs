//! The parts of a parameterized image's recipe, each by its own flag beside a preset, and what goes with what.

use crate::ascent::{Basis, Image, Method, Modern, PartError, Parts, Preset, Recipe, Stepping};
use crate::cli::error::{Error, Result};
use crate::cli::flags::{ColourFlag, ImageFlags, OptimizeFlags, OptimizerFlag, ParameterizationFlag};
use crate::cli::literals::wrong;
use crate::model::preprocessing;
use crate::objective::Expression;
use crate::parameterization::{Colour, LARGEST_SIDE, Parameterization};
use crate::transform::Views;

/// The flags that were given, for a message.
pub(super) fn given(flags: &ImageFlags) -> [(&'static str, bool); 9] {
    [
        ("--size", flags.size.is_some()),
        ("--parameterization", flags.parameterization.is_some()),
        ("--decay-power", flags.decay_power.is_some()),
        ("--deviation", flags.deviation.is_some()),
        ("--colour", flags.colour.is_some()),
        ("--optimizer", flags.optimizer.is_some()),
        ("--crops", flags.crops.is_some()),
        ("--alpha", flags.alpha),
        ("--spectrum-from", flags.spectrum_from.is_some()),
    ]
}

/// The parts that flags say.
pub(super) fn parts(flags: &OptimizeFlags) -> Parts {
    let image = &flags.image;
    Parts {
        parameterization: image.parameterization.map(|flag| match flag {
            ParameterizationFlag::Pixels => Basis::Pixels,
            ParameterizationFlag::Fourier => Basis::Fourier,
            ParameterizationFlag::Laplacian => Basis::Laplacian,
            ParameterizationFlag::Maco => Basis::Maco,
        }),
        decay_power: image.decay_power,
        deviation: image.deviation,
        colour: image.colour.map(|flag| match flag {
            ColourFlag::Decorrelated => Colour::Decorrelated,
            ColourFlag::None => Colour::None,
        }),
        optimizer: image.optimizer.map(|flag| match flag {
            OptimizerFlag::Adam => Stepping::Adam,
            OptimizerFlag::Nadam => Stepping::Nadam,
            OptimizerFlag::Adamw => Stepping::Adamw,
            OptimizerFlag::Rmsprop => Stepping::Rmsprop,
            OptimizerFlag::Plain => Stepping::Plain,
            OptimizerFlag::Normalized => Stepping::Normalized,
        }),
        learning_rate: flags.rate.learning_rate,
        transforms: flags.regularizers.transforms.clone(),
        crops: image.crops,
        alpha: image.alpha,
    }
}

/// A wrong part by its flag.
pub(super) fn of_flag(error: PartError) -> Error {
    Error::Usage(format!("--{}{}", error.part.replace('_', "-"), error.message))
}

/// `--size`: rows and columns, or one number for both.
pub(super) fn size(flags: &ImageFlags) -> Result<Option<[usize; 2]>> {
    const EXPECTED: &str = "pixels, such as 512, or rows and columns, such as \"(480,640)\"";
    let size = flags.size.as_deref().map(|given| {
        let both = match given.trim().parse::<usize>() {
            Ok(side) => Ok([side, side]),
            Err(_) => preprocessing::data_size(given),
        };
        let both = both.and_then(|both| {
            if both.iter().all(|side| (1..=LARGEST_SIDE).contains(side)) {
                Ok(both)
            } else {
                Err(format!("an image has from 1 to {LARGEST_SIDE} rows and columns"))
            }
        });
        both.map_err(|message| wrong("--size", given, message, EXPECTED))
    });
    size.transpose()
}

/// Refuses flags that a recipe has no place for.
pub(super) fn check(flags: &OptimizeFlags, modern: Option<Modern>) -> Result<Option<Modern>> {
    let r = &flags.regularizers;
    let classic = [
        ("--decay", r.decay.is_some()),
        ("--blur-radius", r.blur_radius.is_some()),
        ("--blur-every", r.blur_every.is_some()),
        ("--small-val-percentile", r.small_val_percentile.is_some()),
        ("--small-norm-percentile", r.small_norm_percentile.is_some()),
        ("--px-benefit-percentile", r.px_benefit_percentile.is_some()),
        ("--px-abs-benefit-percentile", r.px_abs_benefit_percentile.is_some()),
        ("--lr-policy", flags.rate.lr_policy.is_some()),
        ("--lr-params", flags.rate.lr_params.is_some()),
    ];
    let parts = given(&flags.image);
    let of_modern = [
        ("--transforms", r.transforms.is_some()),
        ("--learning-rate", flags.rate.learning_rate.is_some()),
    ]
    .into_iter()
    .chain(parts);
    let (wrong, why) = match modern {
        Some(_) => (
            classic.into_iter().find(|(_, given)| *given),
            "it belongs to the 2015 recipes, and --preset names one of a parameterized image",
        ),
        None => (
            of_modern.into_iter().find(|(_, given)| *given),
            "it goes with --preset fourier, olah-2017, maco, deepdream or accentuate",
        ),
    };
    match wrong {
        Some((flag, _)) => Err(Error::Usage(format!("{flag}: {why}"))),
        None => Ok(modern),
    }
}

/// What a deep dream climbs where no channel is named: the whole layer.
pub(super) fn dreamt(flags: &OptimizeFlags, layer: &str, preset: Option<&Preset>) -> Option<Expression> {
    if preset.map(|preset| preset.method) != Some(Method::Modern(Modern::Deepdream))
        || flags.unit.push_channel.is_some()
    {
        return None;
    }
    Some(Expression::layer(layer.to_owned()))
}

/// Whether an image's phases alone are free.
pub(super) fn is_maco(recipe: &Recipe) -> bool {
    matches!(&recipe.image, Image::Parameterized(spec) if matches!(spec.parameterization, Parameterization::Maco { .. }))
}

/// Refuses what a picture to start from cannot go with, before a network is loaded.
pub(super) fn check_start(recipe: &Recipe, seeds: &[u32]) -> Result<()> {
    let Some(picture) = &recipe.start_from else {
        return match recipe.hold {
            Some(_) => Err(Error::Usage(
                "--preset accentuate: it accentuates what is in a picture; --start-from photo.jpg names one".into(),
            )),
            None => Ok(()),
        };
    };
    if is_maco(recipe) {
        let error = crate::parameterization::Error::MacoPicture;
        return Err(Error::Usage(format!(
            "--start-from {}: {error}; presets fourier, deepdream and accentuate do",
            picture.file
        )));
    }
    if seeds.len() > 1 && recipe.views == Views::None {
        return Err(Error::Usage(format!(
            "--start-from {}: nothing but the start is random here, so that {} seeds would give the same picture {} times",
            picture.file,
            seeds.len(),
            seeds.len()
        )));
    }
    Ok(())
}
