//! `deepvis.Result`: what an ascent found; and results that were written earlier.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deepvis::ascent::{self, Climb, Flow, Image, Listener, Precision, Progress};
use deepvis::output::original::Spelling;
use deepvis::output::original::pickle::Protocol;
use deepvis::output::runs as log;
use deepvis::session::{self, Climbed, Keeper};
use numpy::PyArrayDyn;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::loaded::Loaded;
use crate::settings::Asked;
use crate::{convert, error};

/// How often Python hears of an ascent, and Ctrl-C is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What an ascent found. A notebook shows it as its picture.
#[pyclass(frozen, module = "deepvis")]
pub(crate) struct Result {
    loaded: Arc<Loaded>,
    climb: Climb,
    spelling: Spelling,
    precision: Precision,
    took: Duration,
}

/// Lets all that was asked for climb, looking for Ctrl-C; the interpreter is free meanwhile.
pub(crate) fn climb(py: Python<'_>, loaded: &Arc<Loaded>, asked: Asked) -> PyResult<Vec<Result>> {
    let mut attention = Attention {
        progress: asked.progress.as_ref(),
        steps: asked.recipes.first().map_or(0, |recipe| recipe.steps),
        units: asked.recipes.len(),
        looked: Instant::now(),
        raised: None,
    };
    let begun = Instant::now();
    let climbs = py.detach(|| {
        session::climb(
            &loaded.model,
            &loaded.compute,
            asked.precision,
            &asked.recipes,
            asked.batch,
            &mut attention,
        )
    });
    let took = begun.elapsed();
    if let Some(progress) = &asked.progress
        && progress.bind(py).hasattr("close")?
    {
        progress.call_method0(py, "close")?;
    }
    if let Some(raised) = attention.raised {
        return Err(raised);
    }
    let climbs = climbs.map_err(|error| error::of_session(&error))?;
    collect(loaded, climbs, &asked.spelling, asked.precision, took)
}

/// Climbs as results; each took its share of the time.
pub(crate) fn collect(
    loaded: &Arc<Loaded>,
    climbs: Vec<ascent::Result<Climb>>,
    spelling: &Spelling,
    precision: Precision,
    took: Duration,
) -> PyResult<Vec<Result>> {
    let units = u32::try_from(climbs.len()).unwrap_or(u32::MAX).max(1);
    let results = climbs.into_iter().map(|climb| {
        Ok(Result {
            loaded: loaded.clone(),
            climb: climb.map_err(|error| error::of_ascent(&error))?,
            spelling: spelling.clone(),
            precision,
            took: took / units,
        })
    });
    results.collect()
}

/// Looks up from the work now and then.
struct Attention<'a> {
    progress: Option<&'a Py<PyAny>>,
    steps: usize,
    units: usize,
    looked: Instant,
    /// What Python raised: Ctrl-C, or an error of what was told of progress.
    raised: Option<PyErr>,
}

impl Listener for Attention<'_> {
    fn wants_images(&self, _: usize) -> bool {
        false
    }

    fn iterated(&mut self, progress: &Progress<'_>) -> Flow {
        let done = progress.climb.iteration();
        if self.looked.elapsed() < LOOK_EVERY && done < self.steps {
            return Flow::Continue;
        }
        self.looked = Instant::now();
        let heard = Python::attach(|py| {
            py.check_signals()?;
            if let Some(told) = self.progress {
                let found = f64::from(progress.found.objective);
                told.call1(py, (progress.place, self.units, done, self.steps, found))?;
            }
            Ok(())
        });
        match heard {
            Ok(()) => Flow::Continue,
            Err(raised) => {
                self.raised = Some(raised);
                Flow::Stop
            }
        }
    }
}

impl Result {
    fn array<'py>(
        &self,
        py: Python<'py>,
        snapshot: Option<&ascent::Snapshot>,
    ) -> PyResult<Option<Bound<'py, PyArrayDyn<f64>>>> {
        let image = self.climb.record().image;
        snapshot
            .map(|snapshot| convert::array(py, snapshot.xx.clone(), &image))
            .transpose()
    }
}

#[pymethods]
impl Result {
    /// The picture, uint8, rows x columns x 3: `best_Xpm.jpg`, or `image.png` of a parameterized image, before compression.
    #[getter]
    fn image<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayDyn<u8>>> {
        convert::pixels(py, self.climb.picture())
    }

    /// How opaque the picture's pixels are, uint8, rows x columns, by how strongly they were pushed; None but for `maco`.
    #[getter]
    fn opacity<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyArrayDyn<u8>>>> {
        convert::opacity(py, &self.climb.picture())
    }

    /// The objective of the picture.
    #[getter]
    fn objective(&self) -> Option<f32> {
        let record = self.climb.record();
        let shown = match self.climb.recipe().image {
            Image::GreyLevels => &record.best,
            Image::Parameterized(_) => &record.last,
        };
        shown.as_ref().map(|shown| shown.obj)
    }

    /// The objective at each iteration, float32.
    #[getter]
    fn objectives<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
        let objectives = self.climb.record().obj.clone();
        let count = objectives.len();
        convert::array(py, objectives, &[count])
    }

    /// What the last image is made of, float64, one axis: its parameters, or its grey levels less the mean.
    #[getter]
    fn z<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
        let x = self.climb.state().x.clone();
        let count = x.len();
        convert::array(py, x, &[count])
    }

    /// The image of the best objective, float64, channels x rows x columns, less the mean.
    #[getter]
    fn best<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyArrayDyn<f64>>>> {
        self.array(py, self.climb.record().best.as_ref())
    }

    /// The last image, as `best`.
    #[getter]
    fn last<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyArrayDyn<f64>>>> {
        self.array(py, self.climb.record().last.as_ref())
    }

    /// The first image for which the unit was the largest of its layer, as `best`; None where it never was.
    #[getter]
    fn majority<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyArrayDyn<f64>>>> {
        self.array(py, self.climb.record().majority.as_ref())
    }

    /// The layer.
    #[getter]
    fn layer(&self) -> &str {
        &self.climb.recipe().objective.unit.layer
    }

    /// The channel.
    #[getter]
    fn channel(&self) -> usize {
        self.climb.recipe().objective.unit.channel
    }

    /// The seed.
    #[getter]
    fn seed(&self) -> u32 {
        self.climb.recipe().seed
    }

    /// The unit's name, where there is one.
    #[getter]
    fn label(&self) -> Option<&str> {
        let unit = &self.climb.recipe().objective.unit;
        let channels = self.climb.extents()[0];
        self.loaded.model.labels.name(&unit.layer, channels, unit.channel)
    }

    /// Iterations that were done.
    #[getter]
    fn iterations(&self) -> usize {
        self.climb.record().ii.len()
    }

    /// How it ended, in the original's words.
    #[getter]
    fn ending(&self) -> Option<&'static str> {
        self.climb.record().ending.map(ascent::Ending::message)
    }

    /// What was climbed, and how: a dict, as in `info.json`.
    #[getter]
    fn recipe<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let text = serde_json::to_string(self.climb.recipe()).map_err(|why| error::setting(why.to_string()))?;
        py.import("json")?.call_method1("loads", (text,))
    }

    /// Writes the files that the command line writes, and the line of `runs.jsonl`; gives what their names begin with.
    ///
    /// >>> import os, tempfile
    /// >>> result = deepvis.load("demo").optimize("fc7", "ring", steps=2)
    /// >>> with tempfile.TemporaryDirectory() as folder:
    /// ...     begin = result.save(folder + "/opt")
    /// ...     os.path.basename(begin), os.path.exists(begin + "_best_X.jpg")
    /// ('opt_fc7_0001_0', True)
    #[pyo3(signature = (prefix="optimize_results/opt", *, overwrite=false))]
    fn save(&self, py: Python<'_>, prefix: &str, overwrite: bool) -> PyResult<String> {
        let keeper = Keeper {
            prefix: prefix.to_owned(),
            template: session::names::template(self.climb.recipe()),
            // As the command line does.
            flat_names: self.climb.recipe().image != Image::GreyLevels,
            overwrite,
            skip_big: false,
            protocol: Protocol::Three,
            deep_png: false,
            npz: false,
            save_every: None,
            animate: false,
            checkpoint_every: None,
            shard: None,
            spelling: self.spelling.clone(),
        };
        let files = py.detach(|| {
            let climbed = Climbed {
                model: &self.loaded.model,
                fingerprint: self.loaded.fingerprint(self.layer())?,
                backend: &self.loaded.compute.name,
                precision: self.precision,
                took: self.took,
            };
            keeper
                .save(&self.climb, &climbed)
                .map_err(|error| error::of_session(&error))
        })?;
        Ok(files.below(std::path::Path::new("")))
    }

    /// The picture as the bytes of a PNG file.
    fn _repr_png_<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let png = self.climb.picture().png().map_err(error::setting)?;
        Ok(PyBytes::new(py, &png))
    }

    fn __repr__(&self) -> String {
        let label = self.label().map(|label| format!(" ({label})")).unwrap_or_default();
        let objective = self.objective().map(|objective| format!("objective {objective}, "));
        format!(
            "<deepvis.Result of {}{label}, seed {}: {}{} iterations>",
            self.climb.recipe().title(),
            self.seed(),
            objective.unwrap_or_default(),
            self.iterations()
        )
    }
}

/// The lines of a folder's `runs.jsonl` and of its shards', as dicts: `pandas.DataFrame(deepvis.runs(folder))`.
///
/// >>> import tempfile
/// >>> result = deepvis.load("demo").optimize("fc7", "ring", steps=2)
/// >>> with tempfile.TemporaryDirectory() as folder:
/// ...     begin = result.save(folder + "/opt")
/// ...     [row] = deepvis.runs(folder)
/// >>> row["push_layer"], row["push_channel"], row["label"], row["iterations"]
/// ('fc7', 1, 'ring', 2)
#[pyfunction]
pub(crate) fn runs(py: Python<'_>, folder: PathBuf) -> PyResult<Bound<'_, PyAny>> {
    let log = log::read(&folder).map_err(|source| {
        error::of_output(&deepvis::output::Error::Read {
            path: folder.clone(),
            source,
        })
    })?;
    let text = serde_json::to_string(&log.runs).map_err(|why| error::setting(why.to_string()))?;
    py.import("json")?.call_method1("loads", (text,))
}
