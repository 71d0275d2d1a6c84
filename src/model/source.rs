//! Where a model comes from: its files, and what is not in them.

use std::path::{Path, PathBuf};

use deepvis_importer::InputTransform;
use deepvis_importer::graph::Origin;
use deepvis_importer::{Format, Import, LayerKind};

use super::error::{Error, Result};
use super::{Labels, Model, Preprocessing, Scheme, files, fit_input, folder, is_whole, named, preprocessing};
use crate::network::InputSize;

/// The files of a model and what is not in them.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// The prototxt; a .bpk needs none.
    pub deploy: Option<PathBuf>,
    /// The caffemodel or .bpk.
    pub weights: Option<PathBuf>,
    /// What is done to a photograph.
    pub preprocessing: Preprocessing,
    /// Whether nobody said what that is: an ONNX network of three channels is then taken to be one of torchvision's.
    pub assumes_preprocessing: bool,
    /// Size of the input.
    pub size: InputSize,
    /// Shape of the input where the prototxt has none.
    pub input_shape: Option<Vec<usize>>,
    /// Whether a setting that is not known of a layer that is computed is an error.
    pub strict: bool,
    /// Whether more stored blobs than a layer reads are a warning only.
    pub lenient: bool,
    /// The labels file.
    pub labels: Option<PathBuf>,
    /// Layers that labels name.
    pub label_layers: Option<Vec<String>>,
}

impl Source {
    /// A model by name (`demo` is bundled, `deepvis fetch` brings others), or a folder with its files and perhaps a
    /// `deepvis.toml`.
    ///
    /// # Errors
    /// When there is none, or its settings cannot be understood.
    pub fn named(name: impl AsRef<Path>) -> Result<Self> {
        let folder = named::folder(name.as_ref())?;
        let settings = folder::settings(&folder)?;
        if let (None, None) = (&settings.deploy_proto, &settings.net_weights) {
            return Err(files::none_in(&folder));
        }
        let wrong = |key: &str, message: String| Error::Settings {
            path: settings.source.clone().unwrap_or_else(|| folder.clone()),
            message: format!("{key}: {message}\n"),
        };
        let size = settings.data_size.as_deref();
        let parts = settings.preprocessing()?;
        Ok(Self {
            assumes_preprocessing: parts.is_empty(),
            preprocessing: parts.preprocessing(),
            size: size
                .map_or(Ok(InputSize::Declared), |size| {
                    preprocessing::data_size(size).map(InputSize::Resized)
                })
                .map_err(|message| wrong("data_size", message))?,
            input_shape: None,
            strict: false,
            lenient: false,
            deploy: settings.deploy_proto,
            weights: settings.net_weights,
            labels: settings.labels,
            label_layers: settings.label_layers,
        })
    }

    /// What a person calls a network: a model's name or folder (see [`Source::named`]), a `.bpk`, or one of a prototxt and
    /// its caffemodel with the other beside it; files are without a mean, but for an ONNX network, which is as in
    /// [`Source::onnx`].
    ///
    /// # Errors
    /// When there is neither a file nor a model of that name, or its settings cannot be understood.
    pub fn at(net: impl AsRef<Path>) -> Result<Self> {
        let net = net.as_ref();
        if !net.is_file() {
            return Self::named(net);
        }
        let found = files::of(net)?;
        Ok(Self {
            deploy: found.deploy,
            weights: found.weights,
            assumes_preprocessing: true,
            ..Self::default()
        })
    }

    /// A prototxt and its caffemodel, without a mean.
    pub fn caffe(deploy: impl Into<PathBuf>, caffemodel: impl Into<PathBuf>) -> Self {
        Self {
            deploy: Some(deploy.into()),
            weights: Some(caffemodel.into()),
            ..Self::default()
        }
    }

    /// A `.bpk` that [`deepvis_importer::record::write`] wrote, without a mean.
    pub fn burnpack(path: impl Into<PathBuf>) -> Self {
        Self {
            weights: Some(path.into()),
            ..Self::default()
        }
    }

    /// An ONNX network; one of three channels takes images as torchvision's do, unless [`Source::preprocessing`] is set and
    /// [`Source::assumes_preprocessing`] is not.
    pub fn onnx(path: impl Into<PathBuf>) -> Self {
        Self {
            weights: Some(path.into()),
            assumes_preprocessing: true,
            ..Self::default()
        }
    }

    /// Sets the mean: `None`, one value a channel such as `(104,117,123)`, or a file.
    #[must_use]
    pub fn with_mean(mut self, mean: impl Into<String>) -> Self {
        self.preprocessing.mean = Some(mean.into());
        self.assumes_preprocessing = false;
        self
    }

    /// How its files are read.
    pub fn read_options(&self) -> deepvis_importer::caffe::Options {
        deepvis_importer::caffe::Options {
            input_shape: self.input_shape.clone(),
            strict: self.strict,
            lenient: self.lenient,
        }
    }

    /// Reads the network from its files, as it is in them.
    ///
    /// # Errors
    /// When a file is missing, damaged, or of another network.
    pub fn import(&self) -> Result<Import> {
        Ok(match (&self.deploy, &self.weights) {
            (_, Some(weights)) if is_whole(weights) => deepvis_importer::open(weights, self.given_size())?,
            (Some(deploy), Some(weights)) => {
                deepvis_importer::caffe::import_with(deploy, weights, &self.read_options())?
            }
            (None, Some(path)) => match Format::of(path)? {
                Format::Caffemodel => return Err(files::half(path, "prototxt")),
                _ => deepvis_importer::open(path, self.given_size())?,
            },
            (Some(path), None) => return Err(files::half(path, "weights")),
            (None, None) => return Err(Error::NoNetwork),
        })
    }

    /// Loads the model.
    ///
    /// # Errors
    /// When a file is missing, damaged, or of another network.
    pub fn load(mut self) -> Result<Model> {
        let mut import = self.import()?;
        if let Some(shape) = &self.input_shape {
            import.graph.set_input_shape(shape);
        }
        let fitted = fit_input(&mut import.graph, &import.weights, self.size);
        import.warnings.extend(fitted);
        if self.assumes_preprocessing && import.graph.origin == Origin::Onnx && input_channels(&import) == Some(3) {
            self.preprocessing = Scheme::Torchvision.parts().preprocessing();
            import.warnings.push(
                "nothing says how this network takes images; torchvision's way is assumed (RGB, ImageNet's mean and standard \
                 deviation)"
                    .to_owned(),
            );
        }
        if let Some(transform) = import.transform.clone() {
            import.warnings.extend(self.take_images_as(&transform));
        }
        let labels = match &self.labels {
            Some(path) => Labels::read(path, self.label_layers.clone())?,
            None => Labels::default(),
        };
        Ok(Model {
            import,
            labels,
            source: self,
        })
    }

    /// Takes images as the network's own files say, in what nobody said otherwise; returns what a person should know of it.
    pub fn take_images_as(&mut self, transform: &InputTransform) -> Vec<String> {
        let (mut taken, mut said) = (Vec::new(), Vec::new());
        let layer = &transform.layer;
        if self.preprocessing.mean.is_none() {
            let beside = self
                .deploy
                .as_deref()
                .or(self.weights.as_deref())
                .and_then(Path::parent);
            if !transform.mean_values.is_empty() {
                let values: Vec<String> = transform.mean_values.iter().map(ToString::to_string).collect();
                let mean = match values.as_slice() {
                    [one] => one.clone(),
                    several => format!("({})", several.join(",")),
                };
                taken.push(format!("less the mean {mean}"));
                self.preprocessing.mean = Some(mean);
            } else if let Some(file) = &transform.mean_file {
                // Caffe's own paths are relative to where it was started; beside the prototxt is where people keep it.
                let name = Path::new(file).file_name().map(Path::new);
                let places = [Some(Path::new(file)), name].into_iter().flatten();
                let mut places = places.map(|place| beside.unwrap_or(Path::new("")).join(place));
                match places.find(|place| place.is_file()) {
                    Some(place) => {
                        taken.push(format!("less the mean in {}", place.display()));
                        self.preprocessing.mean = Some(place.to_string_lossy().into_owned());
                    }
                    None => said.push(format!(
                        "layer \"{layer}\" subtracts the mean in {file}, which is not here: none is subtracted unless one is \
                         given"
                    )),
                }
            }
        }
        match transform.scale {
            Some(scale) if self.preprocessing.std.is_none() && scale.is_finite() && scale > 0.0 => {
                taken.push(format!("times {scale}"));
                self.preprocessing.std = Some(vec![1.0 / f64::from(scale)]);
            }
            Some(scale) if self.preprocessing.std.is_none() => {
                said.push(format!(
                    "layer \"{layer}\" multiplies images by {scale}, which is not done here"
                ));
            }
            Some(_) | None => {}
        }
        if !taken.is_empty() {
            said.push(format!(
                "images are taken as layer \"{layer}\" says: {}",
                taken.join(", ")
            ));
        }
        said
    }

    /// Rows and columns of the image where they are given.
    pub fn given_size(&self) -> Option<[usize; 2]> {
        match self.size {
            InputSize::Declared => None,
            InputSize::Resized(size) => Some(size),
        }
    }
}

/// Channels of the first input that declares them.
fn input_channels(import: &Import) -> Option<usize> {
    import.graph.layers.iter().find_map(|layer| match &layer.kind {
        LayerKind::Input { shape } => shape.as_ref()?.get(1).copied().flatten(),
        _ => None,
    })
}
