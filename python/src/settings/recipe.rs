//! What keywords change of a recipe.

use deepvis::ascent::{Basis, Image, Method, Optimizer, PartError, Parts, Preset, Recipe, Schedule, Start, Stepping};
use deepvis::objective::{Expression, Reach};
use deepvis::output::original::{Number, Spelling};
use deepvis::parameterization::Colour;
use deepvis::python::Value;
use deepvis_importer::names::suggest;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::given::{Given, named};
use crate::error;

/// Keywords that parameterized images alone have.
const OF_PARAMETERIZED: [&str; 10] = [
    "learning_rate",
    "transforms",
    "size",
    "parameterization",
    "decay_power",
    "deviation",
    "colour",
    "optimizer",
    "crops",
    "alpha",
];
/// What an image's numbers stand for.
const COLOURS: [(&str, Colour); 2] = [("decorrelated", Colour::Decorrelated), ("none", Colour::None)];

/// Sets what the keywords say, and how they say it.
pub(super) fn adjust(
    given: &Given<'_>,
    recipe: &mut Recipe,
    preset: Option<&Preset>,
    [_, rows, columns]: [usize; 3],
) -> PyResult<Spelling> {
    let is_modern = recipe.image != Image::GreyLevels;
    if let Some(steps) = given.get("steps")? {
        recipe.steps = steps;
    }
    if let Some(place) = given.any("at")?.filter(|place| !place.is_none()) {
        recipe.objective.unit.spatial = if place.is_instance_of::<PyString>() {
            match place.extract::<String>()?.as_str() {
                "center" => [rows / 2, columns / 2],
                other => {
                    return Err(error::setting(format!(
                        "at \"{other}\": a row and a column, or \"center\", is a place"
                    )));
                }
            }
        } else {
            place.extract()?
        };
        recipe.objective.reach = Reach::Position;
    }
    if let Some(start) = given.get::<String>("start")? {
        recipe.start = match start.as_str() {
            "mean_plus_rand" => Start::MeanPlusRand,
            "randu" => Start::Randu,
            "mean" => Start::Mean,
            other => {
                return Err(error::setting(format!(
                    "start \"{other}\": an ascent starts at mean_plus_rand, randu or mean"
                )));
            }
        };
    }
    let r = &mut recipe.regularizers;
    let is_classic_preset = preset.is_some() && !is_modern;
    let decay = number(given, "decay", &mut r.decay, is_classic_preset)?;
    let blur_radius = number(given, "blur_radius", &mut r.blur_radius, is_classic_preset)?;
    if let Some(every) = given.get("blur_every")? {
        r.blur_every = every;
    }
    let percentiles = [
        number(given, "small_val_percentile", &mut r.small_val_percentile, false)?,
        number(given, "small_norm_percentile", &mut r.small_norm_percentile, false)?,
        number(given, "px_benefit_percentile", &mut r.px_benefit_percentile, false)?,
        number(
            given,
            "px_abs_benefit_percentile",
            &mut r.px_abs_benefit_percentile,
            false,
        )?,
    ];
    let direction = direction(given, recipe)?;
    let lr_params = rate(given, recipe, preset.is_some())?;
    of_parameterized(given, recipe, preset)?;
    recipe.check().or_else(|error| match error {
        // Which images climb together is not known yet.
        deepvis::ascent::Error::Setting(_) if recipe.formula.as_ref().is_some_and(Expression::is_of_a_group) => Ok(()),
        error => Err(error::of_ascent(&error)),
    })?;
    let plain = Spelling::plain(recipe);
    let [small_val, small_norm, px_benefit, px_abs_benefit] = percentiles;
    Ok(Spelling {
        push_dir: direction,
        decay,
        blur_radius,
        small_val_percentile: small_val,
        small_norm_percentile: small_norm,
        px_benefit_percentile: px_benefit,
        px_abs_benefit_percentile: px_abs_benefit,
        lr_params: lr_params.unwrap_or(plain.lr_params),
    })
}

/// A number, set where it is given, and how the command line spells it: given ones, and those of a preset, are floats.
fn number(given: &Given<'_>, name: &str, value: &mut f64, is_of_preset: bool) -> PyResult<Number> {
    if let Some(number) = given.get::<f64>(name)? {
        *value = number;
        return Ok(Number::Float(number));
    }
    Ok(if is_of_preset || *value != 0.0 {
        Number::Float(*value)
    } else {
        Number::Int(0)
    })
}

fn direction(given: &Given<'_>, recipe: &mut Recipe) -> PyResult<Number> {
    let Some(direction) = given.any("direction")? else {
        return Ok(Number::Int(1));
    };
    let direction: f64 = direction.extract()?;
    recipe.objective.direction = direction;
    Ok(Number::Float(direction))
}

/// The learning rate of a recipe of 2015; gives the dict as it was given.
fn rate(given: &Given<'_>, recipe: &mut Recipe, is_preset: bool) -> PyResult<Option<Value>> {
    let policy = given.get::<String>("lr_policy")?;
    let parameters = given.any("lr_params")?.filter(|parameters| !parameters.is_none());
    // As the command line spells its own default.
    let default = Value::Dict(vec![(Value::Str("lr".into()), Value::Int(1))]);
    let schedule = match &recipe.optimizer {
        Optimizer::Adaptive(_) if policy.is_some() || parameters.is_some() => {
            return Err(error::setting(
                "lr_policy and lr_params belong to the 2015 recipes; a parameterized image has learning_rate",
            ));
        }
        Optimizer::Adaptive(_) => return Ok(Some(default)),
        Optimizer::GradientAscent { schedule } => *schedule,
    };
    let of_recipe = schedule.policy();
    let policy = policy.as_deref().unwrap_or(of_recipe);
    let Some(parameters) = parameters else {
        if policy != of_recipe {
            return Err(error::setting(format!("lr_policy \"{policy}\" needs lr_params")));
        }
        return Ok((!is_preset).then_some(default));
    };
    let parameters = match parameters.cast_into::<PyDict>() {
        Ok(parameters) => parameters,
        Err(why) => {
            let one = PyDict::new(why.into_inner().py());
            one.set_item("lr", given.any("lr_params")?)?;
            one
        }
    };
    let key = |name: &str| -> PyResult<f64> {
        let value = parameters.get_item(name)?;
        let value = value.ok_or_else(|| error::setting(format!("lr_policy \"{policy}\" needs the key \"{name}\"")))?;
        let value: f64 = value.extract()?;
        if value.is_finite() || (name == "max_lr" && value == f64::INFINITY) {
            Ok(value)
        } else {
            Err(error::setting(format!("lr_params: \"{name}\" must be a finite number")))
        }
    };
    let schedule = Schedule::of_policy(policy, key)?.ok_or_else(|| {
        error::setting(format!(
            "lr_policy \"{policy}\": there is none; {}",
            suggest(policy, &["constant", "progress", "progress01"], 3)
        ))
    })?;
    recipe.optimizer = Optimizer::GradientAscent { schedule };
    let mut entries = Vec::new();
    for (name, value) in &parameters {
        let value = match value.extract::<i64>() {
            Ok(whole) => Value::Int(whole),
            Err(_) => Value::Float(value.extract()?),
        };
        entries.push((Value::Str(name.extract()?), value));
    }
    Ok(Some(Value::Dict(entries)))
}

/// Sets what parameterized images alone have.
fn of_parameterized(given: &Given<'_>, recipe: &mut Recipe, preset: Option<&Preset>) -> PyResult<()> {
    let size = match given.any("size")?.filter(|size| !size.is_none()) {
        None => None,
        Some(size) => Some(match size.extract::<usize>() {
            Ok(side) => [side, side],
            Err(_) => size.extract()?,
        }),
    };
    let parts = Parts {
        parameterization: named(given, "parameterization", &Basis::NAMES)?,
        decay_power: given.get("decay_power")?,
        deviation: given.get("deviation")?,
        colour: named(given, "colour", &COLOURS)?,
        optimizer: named(given, "optimizer", &Stepping::NAMES)?,
        learning_rate: given.get("learning_rate")?,
        transforms: given.get("transforms")?,
        crops: given.get("crops")?,
        alpha: given.get("alpha")?.unwrap_or(false),
    };
    match preset.map(|preset| preset.method) {
        Some(Method::Modern(modern)) => {
            let wrong = |error: PartError| error::setting(error.to_string());
            recipe.image = Image::Parameterized(parts.image(modern).map_err(wrong)?);
            recipe.optimizer = Optimizer::Adaptive(parts.optimizer(modern).map_err(wrong)?);
            recipe.views = parts.views(modern).map_err(wrong)?;
            recipe.size = size;
            Ok(())
        }
        Some(Method::Classic { .. }) | None => {
            for name in OF_PARAMETERIZED {
                if given.any(name)?.is_some_and(|given| !given.is_none()) {
                    return Err(error::setting(format!(
                        "{name}: it goes with the presets fourier, olah-2017 and maco"
                    )));
                }
            }
            Ok(())
        }
    }
}
