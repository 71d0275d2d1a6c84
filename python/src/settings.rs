//! Keyword arguments of `optimize` and `iterate` as recipes.

use deepvis::ascent::{
    Basis, Image, Method, Optimizer, PRESETS, PartError, Parts, Precision, Preset, Recipe, Schedule, Start, Stepping,
};
use deepvis::objective::{Channel, Expression, Reach, extents};
use deepvis::output::original::{Number, Spelling};
use deepvis::parameterization::Colour;
use deepvis::python::Value;
use deepvis::session::picture_size;
use deepvis_importer::names::suggest;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString};

use crate::error;
use crate::loaded::Loaded;
use crate::units::{channels, of_label};

/// Every keyword.
pub(crate) const KEYWORDS: [&str; 32] = [
    "objective",
    "preset",
    "steps",
    "seed",
    "at",
    "direction",
    "start",
    "start_from",
    "decay",
    "blur_radius",
    "blur_every",
    "small_val_percentile",
    "small_norm_percentile",
    "px_benefit_percentile",
    "px_abs_benefit_percentile",
    "lr_policy",
    "lr_params",
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
    "precision",
    "batch_size",
    "progress",
    "every",
    "images",
];
/// The preset of an objective that is no unit, where none is named, as on the command line.
const DEFAULT_OF_OBJECTIVES: &str = "fourier";
/// Images of an objective that compares them, where one seed is given, as on the command line.
const COMPANY: u32 = 4;

/// Those of them that parameterized images alone have.
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

/// What an ascent is asked for.
pub(crate) struct Asked {
    /// One for each unit, or for each image.
    pub(crate) recipes: Vec<Recipe>,
    pub(crate) spelling: Spelling,
    pub(crate) precision: Precision,
    pub(crate) batch: Option<usize>,
    /// What is told of progress, if anything is.
    pub(crate) progress: Option<Py<PyAny>>,
    /// Iterations from one event to the next.
    pub(crate) every: usize,
    /// Whether events have images.
    pub(crate) has_images: bool,
    /// Whether a list is wanted back.
    pub(crate) is_list: bool,
}

/// The keywords that were given.
struct Given<'py>(Option<Bound<'py, PyDict>>);

impl<'py> Given<'py> {
    fn any(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(given) = &self.0 else { return Ok(None) };
        given.get_item(name)
    }

    /// A value of a keyword; `None` counts as not given.
    fn get<T: for<'a> FromPyObject<'a, 'py>>(&self, name: &str) -> PyResult<Option<T>> {
        let given = self.any(name)?.filter(|given| !given.is_none());
        let value = given.map(|given| given.extract::<T>().map_err(Into::<PyErr>::into));
        value.transpose().map_err(|why| {
            let py = self.0.as_ref().map(Bound::py);
            match py {
                Some(py) => PyTypeError::new_err(format!("{name}: {}", why.value(py))),
                None => why,
            }
        })
    }

    fn check(&self) -> PyResult<()> {
        let Some(given) = &self.0 else { return Ok(()) };
        for key in given.keys() {
            let key: String = key.extract()?;
            if !KEYWORDS.contains(&key.as_str()) {
                return Err(PyTypeError::new_err(format!(
                    "there is no setting \"{key}\"; {}",
                    suggest(&key, &KEYWORDS, 5)
                )));
            }
        }
        Ok(())
    }
}

/// What layer, channel and keywords come to.
pub(crate) fn resolve(
    loaded: &Loaded,
    layer: Option<String>,
    channel: Option<&Bound<'_, PyAny>>,
    given: Option<Bound<'_, PyDict>>,
) -> PyResult<Asked> {
    let given = Given(given);
    given.check()?;
    let formula = match given.any("objective")?.filter(|objective| !objective.is_none()) {
        Some(objective) => {
            let text = objective.str()?.to_string();
            Some(Expression::parse(&text).map_err(|error| error::setting(error.to_string()))?)
        }
        None => None,
    };
    let preset = preset(&given, loaded, formula.is_some())?;
    let (layer, channel) = match (&formula, layer) {
        (Some(_), Some(_)) => {
            return Err(error::setting(
                "objective: it says what is climbed, so no layer goes with it",
            ));
        }
        (Some(formula), None) => {
            let unit = formula.first_unit().map(|(layer, _, _)| layer);
            let layer = unit.or(formula.layers().first().copied());
            let layer = layer.ok_or_else(|| error::setting(format!("{formula}: the objective names no layer")))?;
            (layer.to_owned(), None)
        }
        (None, Some(layer)) => (layer, channel),
        (None, None) => {
            return Err(PyTypeError::new_err(
                "a layer and a channel, or an objective, say what is climbed",
            ));
        }
    };
    let shape = loaded
        .model
        .shape(&layer, loaded.compute.most_entries)
        .map_err(|error| error::of_network(&error))?;
    let extents = extents(&shape, &layer).map_err(|error| error::UnitError::new_err(error.to_string()))?;
    let (channels, mut is_list) = match &formula {
        Some(formula) => {
            let channel = match formula.first_unit() {
                Some((_, Channel::Index(channel), _)) => *channel,
                Some((_, Channel::Label(label), _)) => of_label(loaded, &layer, extents[0], label)?,
                None => 0,
            };
            (vec![channel], false)
        }
        None => channels(loaded, &layer, extents[0], channel)?,
    };
    let mut template = Recipe::of_unit(layer.clone(), 0);
    if let Some(preset) = preset {
        template = template.with_preset(preset);
    }
    if let Some(formula) = formula {
        template.formula = Some(formula);
    }
    if let Some(file) = given.get::<std::path::PathBuf>("start_from")? {
        template = template
            .starting_from(&file.to_string_lossy())
            .map_err(|error| error::of_model(&error))?;
    }
    template.note_files().map_err(|error| error::of_session(&error))?;
    let spelling = adjust(&given, &mut template, preset, extents)?;
    if let (Some(Method::Modern(modern)), None) = (preset.map(|preset| preset.method), template.size) {
        let image = loaded.model.image(&layer, loaded.compute.most_entries);
        let [_, rows, columns] = image.map_err(|error| error::of_network(&error))?;
        let photo = picture_size(&template).map_err(|error| error::of_model(&error))?;
        template.size = modern.size([rows, columns], photo);
    }
    let mut seeds = vec![0];
    if let Some(seed) = given.any("seed")?.filter(|seed| !seed.is_none()) {
        let one = |seed: &Bound<'_, PyAny>| {
            seed.extract::<u32>()
                .map_err(|_| error::setting(format!("seed {seed}: a seed is a whole number from 0 to {}", u32::MAX)))
        };
        seeds = match seed.try_iter() {
            Ok(several) => {
                is_list = true;
                several.map(|seed| one(&seed?)).collect::<PyResult<_>>()?
            }
            Err(_) => vec![one(&seed)?],
        };
    }
    let compares = template.formula.as_ref().is_some_and(Expression::is_of_a_group);
    if compares {
        if let [seed] = *seeds {
            seeds = (seed..seed.saturating_add(COMPANY)).collect();
        }
        is_list = true;
        template.company.clone_from(&seeds);
    }
    let recipes: Vec<Recipe> = channels
        .into_iter()
        .flat_map(|channel| seeds.iter().map(move |seed| (channel, *seed)))
        .map(|(channel, seed)| {
            let mut recipe = template.clone().with_seed(seed);
            recipe.objective.unit.channel = channel;
            recipe
        })
        .collect();
    let batch = given.get::<usize>("batch_size")?;
    if batch == Some(0) {
        return Err(error::setting("batch_size 0: it is 1 or more"));
    }
    Ok(Asked {
        recipes,
        spelling,
        precision: precision(&given, &template, loaded)?,
        batch,
        progress: progress(&given)?,
        every: given.get::<usize>("every")?.unwrap_or(1).max(1),
        has_images: given.get("images")?.unwrap_or(true),
        is_list,
    })
}

/// The preset that is named, else the model's own; none where `preset=None` says so.
fn preset(given: &Given<'_>, loaded: &Loaded, is_formula: bool) -> PyResult<Option<&'static Preset>> {
    let name = match given.any("preset")? {
        Some(name) if name.is_none() => return Ok(None),
        Some(name) => Some(name.extract::<String>()?),
        None if is_formula => Some(DEFAULT_OF_OBJECTIVES.to_owned()),
        None => loaded.preset.clone(),
    };
    let Some(name) = name else { return Ok(None) };
    let known: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
    let preset = Preset::named(&name).ok_or_else(|| {
        error::setting(format!(
            "preset \"{name}\": there is none; {}",
            suggest(&name, &known, 10)
        ))
    })?;
    Ok(Some(preset))
}

/// Sets what the keywords say, and how they say it.
fn adjust(
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
    let schedule = match policy {
        "constant" => Schedule::Constant { lr: key("lr")? },
        "progress" => Schedule::Progress {
            max_lr: key("max_lr")?,
            desired_prog: key("desired_prog")?,
        },
        "progress01" => Schedule::Progress01 {
            max_lr: key("max_lr")?,
            early_prog: key("early_prog")?,
            late_prog_mult: key("late_prog_mult")?,
        },
        other => {
            return Err(error::setting(format!(
                "lr_policy \"{other}\": there is none; {}",
                suggest(other, &["constant", "progress", "progress01"], 3)
            )));
        }
    };
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

/// One of several words.
fn named<T: Copy>(given: &Given<'_>, name: &str, known: &[(&str, T)]) -> PyResult<Option<T>> {
    let Some(word) = given.get::<String>(name)? else {
        return Ok(None);
    };
    match known.iter().find(|(known, _)| *known == word) {
        Some((_, value)) => Ok(Some(*value)),
        None => {
            let words: Vec<&str> = known.iter().map(|(known, _)| *known).collect();
            Err(error::setting(format!(
                "{name} \"{word}\": there is none; {}",
                suggest(&word, &words, words.len())
            )))
        }
    }
}

fn precision(given: &Given<'_>, recipe: &Recipe, loaded: &Loaded) -> PyResult<Precision> {
    match given.get::<String>("precision")?.as_deref() {
        None | Some("auto") => Ok(recipe.precision(loaded.compute.is_gpu())),
        Some("float64") => Ok(Precision::Float64),
        Some("float32") => Ok(Precision::Float32),
        Some(other) => Err(error::setting(format!(
            "precision \"{other}\": it is float64, float32 or auto"
        ))),
    }
}

/// What is called with progress: `True` stands for the package's own line.
fn progress(given: &Given<'_>) -> PyResult<Option<Py<PyAny>>> {
    let Some(progress) = given.any("progress")?.filter(|progress| !progress.is_none()) else {
        return Ok(None);
    };
    if !progress.is_instance_of::<PyBool>() {
        return Ok(Some(progress.unbind()));
    }
    if !progress.extract::<bool>()? {
        return Ok(None);
    }
    let line = progress.py().import("deepvis._progress")?.getattr("Line")?;
    Ok(Some(line.call0()?.unbind()))
}
