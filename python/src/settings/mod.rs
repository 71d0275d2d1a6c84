//! Keyword arguments of `optimize` and `iterate` as recipes.

mod given;
mod recipe;

use deepvis::ascent::{Method, PRESETS, Precision, Preset, Recipe};
use deepvis::objective::{Channel, Expression, extents};
use deepvis::output::original::Spelling;
use deepvis::session::picture_size;
use deepvis_importer::names::suggest;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};

use crate::error;
use crate::loaded::Loaded;
use crate::units::{channels, of_label};
use given::Given;
use recipe::adjust;

pub(crate) use given::KEYWORDS;

/// The preset of an objective that is no unit, where none is named, as on the command line.
const DEFAULT_OF_OBJECTIVES: &str = "fourier";
/// Images of an objective that compares them, where one seed is given, as on the command line.
const COMPANY: u32 = 4;

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
