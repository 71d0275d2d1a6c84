//! The network and what belongs to it: found by flags, settings and usual places, then loaded.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use deepvis_importer::{Import, record};

use super::device::Compute;
use super::error::{Error, Result};
use super::flags::ModelFlags;
use super::labels::Labels;
use super::literals;
use super::mean::Mean;
use super::settings::{FILE_NAME, Settings};
use crate::network::{InputSize, Network};

/// Where Caffe's own download scripts put things below a checkout: prototxt, weights.
const CAFFE_MODELS: &[(&str, &str)] = &[
    (
        "models/caffenet-yos/caffenet-yos-deploy.prototxt",
        "models/caffenet-yos/caffenet-yos-weights",
    ),
    (
        "models/bvlc_reference_caffenet/deploy.prototxt",
        "models/bvlc_reference_caffenet/bvlc_reference_caffenet.caffemodel",
    ),
];
/// The ImageNet mean below a Caffe checkout.
const CAFFE_MEAN: &str = "python/caffe/imagenet/ilsvrc_2012_mean.npy";
/// The ImageNet labels below a Caffe checkout.
const CAFFE_LABELS: &str = "data/ilsvrc12/synset_words.txt";
/// Channels of Caffe's networks are blue, green, red.
const BGR: [usize; 3] = [2, 1, 0];

/// What flags and settings say about the network, resolved to files.
#[derive(Debug, Clone)]
pub struct ModelOptions {
    /// The prototxt; a .bpk needs none.
    pub deploy: Option<PathBuf>,
    /// The caffemodel or .bpk.
    pub weights: Option<PathBuf>,
    /// The mean as it was given.
    pub mean: Option<String>,
    /// Which channels become red, green and blue.
    pub swap: [usize; 3],
    /// Size of the input.
    pub size: InputSize,
    /// Shape of the input where the prototxt has none.
    pub input_shape: Option<Vec<usize>>,
    /// The labels file.
    pub labels: Option<PathBuf>,
    /// Layers that labels name.
    pub label_layers: Option<Vec<String>>,
}

/// A loaded network.
#[derive(Debug)]
pub struct Model {
    /// Graph and weights.
    pub import: Import,
    /// Labels, where there are some.
    pub labels: Labels,
    /// What it was loaded from.
    pub options: ModelOptions,
}

impl ModelOptions {
    /// Resolves flags, then settings, then a Caffe checkout's usual places. `net` is a file or folder named by position.
    ///
    /// # Errors
    /// When no network is named, a literal does not parse, or a named file is missing.
    pub fn resolve(flags: &ModelFlags, settings: &Settings, net: Option<&Path>) -> Result<Self> {
        let of_folder = net.filter(|net| net.is_dir()).map(folder_settings).transpose()?;
        let named = named_files(net, flags)?;
        let settings = of_folder.as_ref().unwrap_or(settings);
        let root = flags.caffe_root.clone().or_else(|| settings.caffe_root.clone());
        let of_root = root.as_deref().and_then(|root| {
            let present =
                |(deploy, weights): &&(&str, &str)| root.join(deploy).is_file() && root.join(weights).exists();
            CAFFE_MODELS
                .iter()
                .find(present)
                .map(|(deploy, weights)| (root.join(deploy), root.join(weights)))
        });
        // Flags that name a network of their own do not mix with another's settings.
        let is_own = named.0.is_some() || named.1.is_some();
        let of_settings = |file: &Option<PathBuf>| if is_own { None } else { file.clone() };
        let below_root = |place: &str| {
            root.as_deref()
                .map(|root| root.join(place))
                .filter(|place| place.is_file())
        };
        let deploy = named.0.or_else(|| of_settings(&settings.deploy_proto));
        let weights = named.1.or_else(|| of_settings(&settings.net_weights));
        let (deploy, weights) = match (deploy, weights, of_root) {
            (None, None, Some((deploy, weights))) => (Some(deploy), Some(weights)),
            (deploy, weights, _) => (deploy, weights),
        };
        for (flag, file) in [
            ("--deploy-proto", &deploy),
            ("--net-weights", &weights),
            ("--labels", &flags.labels),
        ] {
            if let Some(path) = file
                && !path.exists()
            {
                return Err(Error::NoFile {
                    flag,
                    path: path.clone(),
                });
            }
        }
        let mean = flags.mean.clone().or_else(|| settings.mean.clone());
        let mean = mean.or_else(|| below_root(CAFFE_MEAN).map(|place| place.to_string_lossy().into_owned()));
        let swap = flags
            .channel_swap_to_rgb
            .as_deref()
            .or(settings.channel_swap_to_rgb.as_deref());
        let size = flags.data_size.as_deref().or(settings.data_size.as_deref());
        Ok(Self {
            deploy,
            weights,
            mean,
            swap: swap.map_or(Ok(BGR), literals::channel_swap)?,
            size: size.map_or(Ok(InputSize::Declared), |size| {
                literals::data_size(size).map(InputSize::Resized)
            })?,
            input_shape: flags.input_shape.as_deref().map(literals::input_shape).transpose()?,
            labels: flags
                .labels
                .clone()
                .or_else(|| settings.labels.clone())
                .or_else(|| below_root(CAFFE_LABELS)),
            label_layers: settings.label_layers.clone(),
        })
    }

    /// Loads the network.
    ///
    /// # Errors
    /// When a file is missing, damaged, or of another network.
    pub fn load(self) -> anyhow::Result<Model> {
        let weights = self.weights.clone();
        let mut import = match (&self.deploy, weights) {
            (_, Some(weights)) if is_burnpack(&weights) => record::open(&weights)?,
            (Some(deploy), Some(weights)) => deepvis_importer::import(deploy, &weights)?,
            (None, Some(weights)) => {
                return Err(Error::Usage(format!(
                    "--net-weights {} needs its prototxt: give --deploy-proto too",
                    weights.display()
                ))
                .into());
            }
            (Some(deploy), None) => {
                return Err(Error::Usage(format!(
                    "--deploy-proto {} needs its weights: give --net-weights too",
                    deploy.display()
                ))
                .into());
            }
            (None, None) => return Err(Error::NoNetwork.into()),
        };
        if let Some(shape) = &self.input_shape {
            import.graph.set_input_shape(shape);
        }
        let labels = match &self.labels {
            Some(path) => Labels::read(path, self.label_layers.clone())?,
            None => Labels::default(),
        };
        Ok(Model {
            import,
            labels,
            options: self,
        })
    }
}

impl Model {
    /// Tells what the importer found odd.
    pub fn warn(&self) {
        for warning in &self.import.warnings {
            eprintln!("warning: {warning}");
        }
    }

    /// The network up to a layer.
    ///
    /// # Errors
    /// As [`Network::build`].
    pub fn network(&self, layer: &str, compute: &Compute) -> crate::network::Result<Network> {
        let Import { graph, weights, .. } = &self.import;
        Network::build(
            graph,
            weights,
            &[layer],
            self.options.size,
            &compute.device,
            compute.most_entries,
        )
    }

    /// The mean for an image of that size, an entry for each of the image's.
    ///
    /// # Errors
    /// When the mean does not parse, cannot be read, or is of another size.
    pub fn mean(&self, image: [usize; 3]) -> Result<Arc<[f64]>> {
        let mean = self.options.mean.as_deref().map_or(Ok(Mean::None), Mean::parse)?;
        mean.for_image(image)
    }
}

/// Whether a file of weights is a burnpack, by its ending.
pub fn is_burnpack(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("bpk"))
}

/// Prototxt and weights that flags or the position name.
fn named_files(net: Option<&Path>, flags: &ModelFlags) -> Result<(Option<PathBuf>, Option<PathBuf>)> {
    let (mut deploy, mut weights) = (flags.deploy_proto.clone(), flags.net_weights.clone());
    let Some(net) = net else {
        return Ok((deploy, weights));
    };
    if net.is_dir() {
        let inside = folder_settings(net)?;
        return Ok((deploy.or(inside.deploy_proto), weights.or(inside.net_weights)));
    }
    if !net.exists() {
        return Err(Error::NoFile {
            flag: "NET",
            path: net.to_owned(),
        });
    }
    let beside = net.parent().map(files_of_folder).unwrap_or_default();
    if net.extension().is_some_and(|ending| ending == "prototxt") {
        deploy = deploy.or(Some(net.to_owned()));
        weights = weights.or(beside.1);
    } else {
        weights = weights.or(Some(net.to_owned()));
        if !is_burnpack(net) {
            deploy = deploy.or(beside.0);
        }
    }
    Ok((deploy, weights))
}

/// The settings of a model's folder: its deepvis.toml, completed by the files that are there.
fn folder_settings(folder: &Path) -> Result<Settings> {
    let file = folder.join(FILE_NAME);
    let mut settings = if file.is_file() {
        Settings::read(&file)?
    } else {
        Settings::default()
    };
    let (deploy, weights) = files_of_folder(folder);
    settings.deploy_proto = settings.deploy_proto.or(deploy);
    settings.net_weights = settings.net_weights.or(weights);
    Ok(settings)
}

/// The one prototxt (a deploy one, if there are several) and the one file of weights of a folder.
fn files_of_folder(folder: &Path) -> (Option<PathBuf>, Option<PathBuf>) {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    let ending = |wanted: &str| {
        files
            .iter()
            .filter(|file| file.extension().is_some_and(|ending| ending == wanted))
            .cloned()
            .collect::<Vec<_>>()
    };
    let prototxts = ending("prototxt");
    let is_deploy = |file: &&PathBuf| {
        file.file_name()
            .is_some_and(|name| name.to_string_lossy().contains("deploy"))
    };
    let deploy = prototxts.iter().find(is_deploy).or(prototxts.first()).cloned();
    let weights = ending("caffemodel")
        .first()
        .cloned()
        .or_else(|| ending("bpk").first().cloned());
    (deploy, weights)
}
