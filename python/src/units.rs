//! Units as Python names them: by numbers and labels.

use deepvis::objective::Unit;
use deepvis::session::labelled;
use deepvis_importer::names::counted;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::error;
use crate::loaded::Loaded;

/// What a channel may be.
const CHANNELS: &str = "a channel is a number, a label, or several of them";

/// The place in the row-major blob of one image of a unit: a channel, by number or label, or all coordinates.
pub(crate) fn entry(loaded: &Loaded, layer: &str, shape: &[usize], unit: &Bound<'_, PyAny>) -> PyResult<usize> {
    let extents = shape.get(1..).unwrap_or_default();
    let of_unit = || error::UnitError::new_err(format!("unit {unit}: layer \"{layer}\" has shape {shape:?}"));
    let coordinates = if unit.is_instance_of::<PyString>() {
        let channels = extents.first().copied().unwrap_or(1);
        vec![of_label(loaded, layer, channels, &unit.extract::<String>()?)?]
    } else if let Some(channel) = whole(unit) {
        vec![channel.map_err(|_| of_unit())?]
    } else {
        unit.extract::<Vec<usize>>().map_err(|_| of_unit())?
    };
    let is_whole = coordinates.len() == extents.len()
        || extents
            .get(1..)
            .is_some_and(|rest| rest.iter().all(|extent| *extent == 1));
    if !is_whole || !coordinates.iter().zip(extents).all(|(index, extent)| index < extent) {
        return Err(of_unit());
    }
    let padded = coordinates.into_iter().chain(std::iter::repeat(0));
    Ok(padded
        .zip(extents)
        .fold(0, |place, (index, extent)| place * extent + index))
}

/// The channels that a number, a label or several of them name, and whether there are several.
pub(crate) fn channels(
    loaded: &Loaded,
    layer: &str,
    count: usize,
    given: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Vec<usize>, bool)> {
    let given = given.filter(|given| !given.is_none());
    let given = given.ok_or_else(|| PyTypeError::new_err(format!("which of the {count} channels of \"{layer}\"?")))?;
    let one = |given: &Bound<'_, PyAny>| -> PyResult<usize> {
        if given.is_instance_of::<PyString>() {
            return of_label(loaded, layer, count, &given.extract::<String>()?);
        }
        let channel = match whole(given) {
            Some(Ok(channel)) => channel,
            Some(Err(negative)) => {
                return Err(error::UnitError::new_err(format!(
                    "channel {negative}: layer \"{layer}\" has {} (from 0 to {})",
                    counted(count, "channel"),
                    count.saturating_sub(1)
                )));
            }
            None => return Err(PyTypeError::new_err(CHANNELS)),
        };
        // The error of a channel that is not there, before anything climbs.
        let unit = Unit {
            layer: layer.to_owned(),
            channel,
            spatial: [0, 0],
        };
        unit.place([count, 1, 1])
            .map_err(|error| error::UnitError::new_err(error.to_string()))?;
        Ok(channel)
    };
    if given.is_instance_of::<PyString>() || whole(given).is_some() {
        return Ok((vec![one(given)?], false));
    }
    let several = given
        .try_iter()
        .map_err(|_| PyTypeError::new_err(CHANNELS))?
        .map(|item| one(&item?))
        .collect::<PyResult<Vec<_>>>()?;
    Ok((several, true))
}

/// A whole number, which may be below 0; `None` for anything else.
pub(crate) fn whole(given: &Bound<'_, PyAny>) -> Option<Result<usize, i64>> {
    let number = given.extract::<i64>().ok()?;
    Some(usize::try_from(number).map_err(|_| number))
}

/// The channel that a label stands for.
pub(crate) fn of_label(loaded: &Loaded, layer: &str, channels: usize, label: &str) -> PyResult<usize> {
    labelled(&loaded.model.labels, layer, channels, label).map_err(error::UnitError::new_err)
}
