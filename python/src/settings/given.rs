//! Keywords as they were given.

use deepvis_importer::names::suggest;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error;

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

/// The keywords that were given.
pub(super) struct Given<'py>(pub(super) Option<Bound<'py, PyDict>>);

impl<'py> Given<'py> {
    pub(super) fn any(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(given) = &self.0 else { return Ok(None) };
        given.get_item(name)
    }

    /// A value of a keyword; `None` counts as not given.
    pub(super) fn get<T: for<'a> FromPyObject<'a, 'py>>(&self, name: &str) -> PyResult<Option<T>> {
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

    pub(super) fn check(&self) -> PyResult<()> {
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

/// One of several words.
pub(super) fn named<T: Copy>(given: &Given<'_>, name: &str, known: &[(&str, T)]) -> PyResult<Option<T>> {
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
