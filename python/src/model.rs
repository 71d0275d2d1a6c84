//! `deepvis.Model`: a loaded network.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use deepvis::backend::{Adapter, Compute, adapters};
use deepvis::model::{Source, folder, named, preprocessing};
use deepvis::network::InputSize;
use deepvis::session;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::error;
use crate::events::Events;
use crate::loaded::Loaded;
use crate::preprocessing::Said;
use crate::result::{self, Result as Found};
use crate::{convert, settings, units};

/// A loaded network: `deepvis.load` makes one.
#[pyclass(frozen, module = "deepvis")]
pub(crate) struct Model {
    pub(crate) loaded: Arc<Loaded>,
}

/// Loads a network: a name ("demo" is bundled, `deepvis fetch` brings others), a folder, a file, or a prototxt and its
/// caffemodel as a pair. `name` is called so in results, `keep` lives as long as the network.
#[pyfunction]
#[pyo3(signature = (
    net, weights=None, *, preprocess=None, mean=None, std=None, scale=None, channel_swap=None, channel_order=None, size=None,
    labels=None, label_layers=None, backend="auto", name=None, keep=None,
))]
#[expect(clippy::too_many_arguments, reason = "keywords of a Python function")]
pub(crate) fn load(
    py: Python<'_>,
    net: PathBuf,
    weights: Option<PathBuf>,
    preprocess: Option<String>,
    mean: Option<String>,
    std: Option<String>,
    scale: Option<String>,
    channel_swap: Option<Vec<usize>>,
    channel_order: Option<String>,
    size: Option<[usize; 2]>,
    labels: Option<PathBuf>,
    label_layers: Option<Vec<String>>,
    backend: &str,
    name: Option<String>,
    keep: Option<Py<PyAny>>,
) -> PyResult<Model> {
    let compute = compute(backend)?;
    let preset = if weights.is_none() { own_preset(&net)? } else { None };
    let mut source = match weights {
        Some(weights) => Source::caffe(net, weights),
        None => Source::at(&net).map_err(|error| error::of_model(&error))?,
    };
    let said = Said {
        preprocess,
        mean,
        std,
        scale,
        channel_swap,
        channel_order,
    };
    said.apply(&mut source)?;
    if let Some([rows, columns]) = size {
        let spelled = format!("({rows},{columns})");
        source.size = preprocessing::data_size(&spelled)
            .map(InputSize::Resized)
            .map_err(|message| error::setting(format!("size {spelled}: {message}")))?;
    }
    source.labels = labels.or(source.labels);
    source.label_layers = label_layers.or(source.label_layers);
    let mut model = py.detach(|| source.load()).map_err(|error| error::of_model(&error))?;
    if model.source.preprocessing.is_of_images_to_1() {
        model.import.warnings.push(
            "the mean is below 1, but pixels count from 0 to 255 here: multiply mean and standard deviation of images from 0 to \
             1 by 255 (preprocess=\"torchvision\" does it for ImageNet's)"
                .to_owned(),
        );
    }
    if let Some(name) = name {
        model.import.graph.name = name;
    }
    let loaded = Loaded::new(model, compute, preset, keep);
    Ok(Model {
        loaded: Arc::new(loaded),
    })
}

/// The preset that a model's own settings name.
fn own_preset(net: &Path) -> PyResult<Option<String>> {
    if net.is_file() {
        return Ok(None);
    }
    let settings = named::folder(net).and_then(|folder| folder::settings(&folder));
    Ok(settings.map_err(|error| error::of_model(&error))?.preset)
}

/// What computes: "auto", "cpu", "gpu", or a GPU's number.
fn compute(backend: &str) -> PyResult<Compute> {
    let first = || adapters().into_iter().find(Adapter::is_gpu);
    match backend {
        "cpu" | "flex" => Ok(Compute::cpu()),
        "auto" => Ok(first().map_or_else(Compute::cpu, |adapter| Compute::gpu(&adapter))),
        "gpu" | "wgpu" => first()
            .or_else(|| adapters().into_iter().next())
            .map(|adapter| Compute::gpu(&adapter))
            .ok_or_else(|| {
                error::setting("backend \"gpu\": no adapter was found; backend=\"cpu\" computes on the CPU")
            }),
        other => Err(error::setting(format!("backend \"{other}\": it is auto, cpu or gpu"))),
    }
}

#[pymethods]
impl Model {
    /// The network's name.
    #[getter]
    fn name(&self) -> String {
        self.loaded.model.name()
    }

    /// What computes it: "flex (CPU)".
    #[getter]
    fn backend(&self) -> &str {
        &self.loaded.compute.name
    }

    /// What the importer found odd.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.loaded.model.import.warnings.clone()
    }

    /// Facts about all layers, in order: dicts with name, type, bottoms, tops, shapes, parameters, `multiply_adds`, problem
    /// (why it cannot be climbed, or None).
    #[getter]
    fn layers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let facts = self.loaded.model.layers(self.loaded.compute.most_entries);
        let text = serde_json::to_string(&facts).map_err(|why| error::setting(why.to_string()))?;
        py.import("json")?.call_method1("loads", (text,))
    }

    /// The names of a layer's units, the last layer's without one; an empty list where there are none.
    ///
    /// >>> model = deepvis.load("demo")
    /// >>> model.labels("fc7")[3]
    /// 'triangle'
    #[pyo3(signature = (layer=None))]
    fn labels(&self, layer: Option<String>) -> PyResult<Vec<String>> {
        let layer = self.or_last(layer)?;
        let shape = self
            .loaded
            .model
            .shape(&layer, self.loaded.compute.most_entries)
            .map_err(|error| error::of_network(&error))?;
        let channels = shape.get(1).copied().unwrap_or_default();
        Ok(self.loaded.model.labels.of_layer(&layer, channels).to_vec())
    }

    /// The values of layers for images: for one layer's name (without any, the last layer's) a float32 array with the batch
    /// axis first, for several names a dict of arrays.
    ///
    /// `images` is a file (JPEG or PNG) or a picture (uint8, rows x columns or rows x columns x 3), of which the largest part
    /// of the right proportions is scaled to the network's size and mean-subtracted; or floats, channels x rows x columns or a
    /// batch of these, as the first layer takes them and other frameworks, too: nothing is subtracted or divided.
    ///
    /// >>> import numpy
    /// >>> model = deepvis.load("demo")
    /// >>> model.forward(numpy.zeros((64, 64, 3), "uint8"), "conv3").shape
    /// (1, 64, 16, 16)
    /// >>> found = model.forward(numpy.zeros((5, 3, 64, 64)), ["fc6", "fc7"])
    /// >>> {layer: values.shape for layer, values in found.items()}
    /// {'fc6': (5, 128), 'fc7': (5, 32)}
    #[pyo3(signature = (images, layers=None))]
    fn forward<'py>(
        &self,
        py: Python<'py>,
        images: &Bound<'py, PyAny>,
        layers: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let one = match layers {
            None => Some(self.or_last(None)?),
            Some(layers) => layers.extract::<String>().ok(),
        };
        let names = match (&one, layers) {
            (Some(name), _) => vec![name.clone()],
            (None, Some(layers)) => layers.extract::<Vec<String>>()?,
            (None, None) => Vec::new(),
        };
        let found = PyDict::new(py);
        for values in self.values(py, images, &names)? {
            let array = convert::array(py, values.values, &values.shape)?;
            found.set_item(values.layer, array)?;
        }
        match one {
            Some(name) => found.as_any().get_item(name),
            None => Ok(found.into_any()),
        }
    }

    /// The gradient of a unit with respect to images: a float32 array, the batch axis first, channels x rows x columns as the
    /// network has them. `images` is one of `forward`'s; of a picture it is the gradient with respect to its pixels from 0
    /// to 255. `unit` is a channel (number or label), in a layer with positions a tuple of channel, row and column. As in
    /// Caffe, the gradient starts at the layer of that name, before a ReLU in place.
    ///
    /// >>> import numpy
    /// >>> model = deepvis.load("demo")
    /// >>> model.gradient(numpy.zeros((5, 3, 64, 64)), "fc7", "ring").shape
    /// (5, 3, 64, 64)
    /// >>> model.gradient(numpy.zeros((64, 64, 3), "uint8"), "conv3", (3, 8, 8)).shape
    /// (1, 3, 64, 64)
    fn gradient<'py>(
        &self,
        py: Python<'py>,
        images: &Bound<'py, PyAny>,
        layer: &str,
        unit: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Loaded { model, compute, .. } = self.loaded.as_ref();
        let of_network = |error: deepvis::network::Error| error::of_network(&error);
        let shape = model.blob_shape(layer, compute.most_entries).map_err(of_network)?;
        let entry = units::entry(&self.loaded, layer, &shape, unit)?;
        let image = model.image(layer, compute.most_entries).map_err(of_network)?;
        let images = convert::images(images, model, image)?;
        let found = py
            .detach(|| session::gradient(model, compute, layer, entry, &images))
            .map_err(|error| error::of_session(&error))?;
        let [channels, rows, columns] = image;
        let shape = [found.len() / (channels * rows * columns), channels, rows, columns];
        Ok(convert::array(py, found, &shape)?.into_any())
    }

    /// The likeliest classes of a picture: tuples of value, channel and label (None where there are none), best first. `image`
    /// is one of `forward`'s; `layer` is the last one unless given.
    ///
    /// >>> model = deepvis.load("demo")
    /// >>> ring = model.optimize("fc7", "ring", steps=100).image
    /// >>> [label for value, channel, label in model.classify(ring, top=1)]
    /// ['ring']
    #[pyo3(signature = (image, top=5, layer=None))]
    fn classify(
        &self,
        py: Python<'_>,
        image: &Bound<'_, PyAny>,
        top: usize,
        layer: Option<String>,
    ) -> PyResult<Vec<(f32, usize, Option<String>)>> {
        let layer = self.or_last(layer)?;
        let found = self.values(py, image, std::slice::from_ref(&layer))?.swap_remove(0);
        if found.shape.first() != Some(&1) {
            return Err(error::setting("classify takes one image; forward takes several"));
        }
        let channels = found.values.len();
        let mut ranked: Vec<(usize, f32)> = found.values.into_iter().enumerate().collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked.truncate(top);
        let labels = &self.loaded.model.labels;
        let named = ranked.into_iter().map(|(channel, value)| {
            let label = labels.name(&layer, channels, channel).map(str::to_owned);
            (value, channel, label)
        });
        Ok(named.collect())
    }

    /// Lets a unit climb, from noise up the gradient of its activation; gives a `Result`.
    ///
    /// `channel` is a number or a label; several of them climb together and give a list of results. Instead of layer and
    /// channel, `objective` may say what is climbed: an expression as on the command line, or one of `deepvis.objectives`.
    ///
    /// >>> model = deepvis.load("demo")
    /// >>> model.optimize("fc7", "ring", steps=20, seed=1).image.shape
    /// (64, 64, 3)
    /// >>> [found.label for found in model.optimize("fc7", range(3), steps=2, preset="fourier")]
    /// ['disc', 'ring', 'square']
    ///
    /// Settings, all by keyword, are the command line's; what is not given is the preset's:
    ///
    /// preset: "paper-1" to "paper-4" and "demo" (grey levels under regularizers), "fourier", "olah-2017", "maco",
    ///     "deepdream" and "accentuate" (parameterized images); the model's own unless given, for an objective "fourier"
    /// steps: iterations
    /// seed: a number, or several, each of which gives a result
    /// at: row and column of the unit, or "center"; a parameterized image climbs the whole channel without it
    /// direction: 1 to climb, -1 to descend
    /// start: "`mean_plus_rand`", "randu" or "mean"
    /// `start_from`: the file of a picture to start from instead
    /// decay, `blur_radius`, `blur_every`, `small_val_percentile`, `small_norm_percentile`, `px_benefit_percentile`,
    /// `px_abs_benefit_percentile`, `lr_policy`, `lr_params`: of the recipes of 2015
    /// size, parameterization, `decay_power`, deviation, colour, optimizer, `learning_rate`, transforms, crops: of
    ///     parameterized images
    /// precision: "float64", "float32" or "auto"
    /// `batch_size`: units that climb together, at most; as many as memory allows unless given
    /// progress: True for a line on standard error, or what is called with (place, units, iteration, steps, objective)
    ///
    /// Other Python threads run meanwhile, and Ctrl-C stops it.
    #[pyo3(signature = (layer=None, channel=None, **settings))]
    fn optimize<'py>(
        &self,
        py: Python<'py>,
        layer: Option<String>,
        channel: Option<&Bound<'py, PyAny>>,
        settings: Option<Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let asked = settings::resolve(&self.loaded, layer, channel, settings)?;
        let is_list = asked.is_list;
        let mut found = result::climb(py, &self.loaded, asked)?
            .into_iter()
            .map(|found| Bound::new(py, found))
            .collect::<PyResult<Vec<Bound<'py, Found>>>>()?;
        if is_list {
            Ok(PyList::new(py, found)?.into_any())
        } else {
            Ok(found.swap_remove(0).into_any())
        }
    }

    /// As `optimize`, but gives events while it climbs: `deepvis.Events`, an iterator. `every` is from how many iterations an
    /// event comes, `images=False` leaves the pictures out, which is faster on a GPU.
    ///
    /// >>> events = deepvis.load("demo").iterate("fc7", "ring", steps=9, every=4)
    /// >>> [(event.iteration, event.image.shape) for event in events]
    /// [(0, (64, 64, 3)), (4, (64, 64, 3)), (8, (64, 64, 3))]
    /// >>> events.results
    /// [<deepvis.Result of unit (1, 0, 0) of "fc7" (ring), seed 0: objective ..., 9 iterations>]
    #[pyo3(signature = (layer=None, channel=None, **settings))]
    fn iterate(
        &self,
        layer: Option<String>,
        channel: Option<&Bound<'_, PyAny>>,
        settings: Option<Bound<'_, PyDict>>,
    ) -> PyResult<Events> {
        Events::begin(&self.loaded, settings::resolve(&self.loaded, layer, channel, settings)?)
    }

    /// A table of the layers.
    fn __repr__(&self) -> String {
        let facts = self.loaded.model.layers(self.loaded.compute.most_entries);
        let rows: Vec<[String; 3]> = facts
            .iter()
            .map(|fact| {
                let shape = fact
                    .shapes
                    .first()
                    .map_or(&[][..], |shape| &shape[1.min(shape.len())..]);
                let shape: Vec<String> = shape.iter().map(ToString::to_string).collect();
                [fact.name.clone(), fact.kind.clone(), shape.join(" x ")]
            })
            .collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths = [width(0), width(1)];
        let mut text = format!("{}, computed by {}", self.loaded.model.name(), self.loaded.compute.name);
        for [name, kind, shape] in &rows {
            let line = format!("\n  {name:<0$}  {kind:<1$}  {shape}", widths[0], widths[1]);
            text.push_str(line.trim_end());
        }
        text
    }
}

impl Model {
    fn or_last(&self, layer: Option<String>) -> PyResult<String> {
        layer
            .or_else(|| self.loaded.model.last_layer(self.loaded.compute.most_entries))
            .ok_or_else(|| error::LayerError::new_err("no layer of this network can be computed; `layers` says why"))
    }

    fn values(&self, py: Python<'_>, images: &Bound<'_, PyAny>, layers: &[String]) -> PyResult<Vec<session::Values>> {
        let Loaded { model, compute, .. } = self.loaded.as_ref();
        let names: Vec<&str> = layers.iter().map(String::as_str).collect();
        let Some(first) = names.first() else {
            return Ok(Vec::new());
        };
        let image = model
            .image(first, compute.most_entries)
            .map_err(|error| error::of_network(&error))?;
        let images = convert::images(images, model, image)?;
        py.detach(|| session::forward(model, compute, &names, &images))
            .map_err(|error| error::of_session(&error))
    }
}
