//! What flags and settings say about the network, resolved to files.

use std::path::{Path, PathBuf};

use deepvis_importer::LayerKind;
use deepvis_importer::graph::ValueId;

use super::error::{Error, Result};
use super::flags::ModelFlags;
use super::literals;
use crate::model::files::{self, Files};
use crate::model::preprocessing::{Given, Parts};
use crate::model::{Model, Settings, Source, bundled, folder, named};
use crate::network::InputSize;

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
/// What flags and settings say about the network, resolved to files.
#[derive(Debug, Clone)]
pub struct ModelOptions {
    /// The files, and what is not in them.
    pub source: Source,
    /// Whether no network was named, so that it is the bundled one.
    pub is_bundled: bool,
    /// The settings that hold for this network: of its folder, if it has one.
    pub settings: Settings,
}

impl ModelOptions {
    /// Resolves flags, then settings, then a Caffe checkout's usual places, then the bundled network. `net` is a file, folder
    /// or model named by position.
    ///
    /// # Errors
    /// When there is no such model, a literal does not parse, or a named file is missing.
    pub fn resolve(flags: &ModelFlags, settings: &Settings, net: Option<&Path>) -> Result<Self> {
        if let (Some(net), Some(model)) = (net, &flags.model) {
            return Err(Error::Usage(format!(
                "{} and --model {}: name one network",
                net.display(),
                model.display()
            )));
        }
        // A word that is no file may be a model's name; of what is no regular file it is said when it is read.
        let is_file = |net: &&Path| net.exists() && !net.is_dir();
        let folder = match (net.filter(|net| !is_file(net)), flags.model.as_deref()) {
            (Some(net), _) => Some(named::folder(net)?),
            (None, Some(model)) => Some(named::folder(model).map_err(|error| match error {
                crate::model::Error::Unknown(message) => Error::Usage(format!("--model {message}")),
                error => error.into(),
            })?),
            (None, None) => None,
        };
        let file = net.filter(|_| folder.is_none());
        let names_one = file.is_some()
            || folder.is_some()
            || [&flags.deploy_proto, &flags.net_weights, &flags.caffe_root]
                .iter()
                .any(|given| given.is_some());
        let is_bundled = !names_one && !settings.name_a_network();
        let folder = if is_bundled { Some(bundled::folder()?) } else { folder };
        let of_folder = folder.as_deref().map(folder::settings).transpose()?;
        let named = named_files(file, of_folder.as_ref(), flags)?;
        let settings = &match of_folder {
            Some(of_folder) => of_folder.completed_by(settings),
            None => settings.clone(),
        };
        let root = flags.caffe_root.clone().or_else(|| settings.caffe_root.clone());
        if let Some(root) = root.as_deref().filter(|root| !root.is_dir()) {
            return Err(Error::NoFile {
                flag: "--caffe-root",
                path: root.to_owned(),
            });
        }
        let of_root = root.as_deref().and_then(|root| {
            let present =
                |(deploy, weights): &&(&str, &str)| root.join(deploy).is_file() && root.join(weights).exists();
            CAFFE_MODELS
                .iter()
                .find(present)
                .map(|(deploy, weights)| (root.join(deploy), root.join(weights)))
        });
        // What is named by flags alone is completed by the settings; a file or a model that is named whole is not.
        let is_whole = net.is_some() || named.1.as_deref().is_some_and(crate::model::is_whole);
        let of_settings = |file: &Option<PathBuf>| if is_whole { None } else { file.clone() };
        let below_root = |place: &str| {
            root.as_deref()
                .map(|root| root.join(place))
                .filter(|place| place.is_file())
        };
        let deploy = named.0.or_else(|| of_settings(&settings.deploy_proto));
        let weights = named.1.or_else(|| of_settings(&settings.net_weights));
        let (deploy, weights) = match (deploy, weights, of_root) {
            (deploy, weights, Some(of_root)) if !is_whole => (deploy.or(Some(of_root.0)), weights.or(Some(of_root.1))),
            (deploy, weights, _) => (deploy, weights),
        };
        if let (None, None, Some(folder)) = (&deploy, &weights, &folder) {
            return Err(crate::model::files::none_in(folder).into());
        }
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
        let mut parts = preprocessing(flags, settings)?;
        let assumes_preprocessing = parts.is_empty();
        if parts.mean.is_none() {
            parts.mean = below_root(CAFFE_MEAN).map(|place| place.to_string_lossy().into_owned());
        }
        let size = flags.data_size.as_deref().or(settings.data_size.as_deref());
        Ok(Self {
            source: Source {
                deploy,
                weights,
                preprocessing: parts.preprocessing(),
                assumes_preprocessing,
                size: size.map_or(Ok(InputSize::Declared), |size| {
                    literals::data_size(size).map(InputSize::Resized)
                })?,
                input_shape: flags.input_shape.as_deref().map(literals::input_shape).transpose()?,
                strict: flags.strict,
                lenient: flags.lenient,
                labels: flags
                    .labels
                    .clone()
                    .or_else(|| settings.labels.clone())
                    .or_else(|| below_root(CAFFE_LABELS)),
                // The settings say it of their own labels; a flag may name those of another network.
                label_layers: settings
                    .label_layers
                    .clone()
                    .filter(|_| flags.labels.is_none() || settings.labels.is_none()),
            },
            is_bundled,
            settings: settings.clone(),
        })
    }
}

/// How the network takes images: of flags the particular one holds, then the scheme; only then what settings say, and nothing of
/// them beside a scheme.
fn preprocessing(flags: &ModelFlags, settings: &Settings) -> Result<Parts> {
    let given = Given {
        scheme: flags.preprocess,
        mean: flags.mean.as_deref(),
        swap: flags.channel_swap_to_rgb.as_deref(),
        order: flags.channel_order,
        std: flags.input_std.as_deref(),
        scale: flags.input_scale.as_deref(),
    };
    let parts = given.parts().map_err(literals::part)?;
    Ok(match flags.preprocess {
        Some(_) => parts,
        None => parts.completed_by(settings.preprocessing()?),
    })
}

/// The files of a network and what is done to images, in a line; `None` for the bundled network.
pub(super) fn files_used(source: &Source) -> Option<String> {
    let is_bundled = bundled::folder().is_ok_and(|folder| {
        source
            .weights
            .as_ref()
            .is_some_and(|weights| weights.starts_with(&folder))
    });
    if is_bundled {
        return None;
    }
    let network = [&source.deploy, &source.weights];
    let network: Vec<String> = network
        .into_iter()
        .flatten()
        .map(|path| path.display().to_string())
        .collect();
    let mean = source.preprocessing.mean.as_deref().unwrap_or("none");
    let std = source.preprocessing.divisors().map(|std| match std {
        [std] => format!(", divided by {std}"),
        several => format!(", divided by {several:?}"),
    });
    let labels = source
        .labels
        .as_ref()
        .map(|labels| format!(", labels {}", labels.display()));
    Some(format!(
        "network {}, mean {mean}{}{}",
        network.join(" + "),
        std.unwrap_or_default(),
        labels.unwrap_or_default()
    ))
}

/// What was assumed about a network's images, and is perhaps wrong.
pub(super) fn doubts(model: &Model) -> Vec<String> {
    let graph = &model.import.graph;
    let mut doubts: Vec<String> = super::assumed_size(graph, model.source.size).into_iter().collect();
    // A network that begins with a normalization of its own takes images as they are.
    let inputs: Vec<ValueId> = graph
        .layers
        .iter()
        .filter(|layer| matches!(layer.kind, LayerKind::Input { .. }))
        .flat_map(|layer| layer.outputs.iter().copied())
        .collect();
    let normalizes = graph.layers.iter().any(|layer| {
        let reads_image = layer.inputs.iter().any(|input| inputs.contains(input));
        let normalizes = matches!(
            layer.kind,
            LayerKind::BatchNorm { .. }
                | LayerKind::BatchStatistics { .. }
                | LayerKind::Scale { .. }
                | LayerKind::Bias { .. }
                | LayerKind::Power { .. }
                | LayerKind::Mvn { .. }
                | LayerKind::Standardize { .. }
                | LayerKind::Pairwise(_)
        );
        reads_image && normalizes
    });
    if model.source.preprocessing.mean.is_none() && !normalizes {
        doubts.push("no --mean was given, so none is subtracted; ImageNet networks want \"(104,117,123)\"".into());
    }
    if model.source.preprocessing.is_of_images_to_1() {
        doubts.push(
            "the mean is below 1, but pixels count from 0 to 255 here: multiply mean and standard deviation of images from 0 to 1 \
             by 255 (--preprocess torchvision does it for ImageNet's)"
                .into(),
        );
    }
    doubts
}

/// Prototxt and weights that flags, a model's folder or the position name.
fn named_files(
    net: Option<&Path>,
    folder: Option<&Settings>,
    flags: &ModelFlags,
) -> Result<(Option<PathBuf>, Option<PathBuf>)> {
    let (deploy, weights) = (flags.deploy_proto.clone(), flags.net_weights.clone());
    if let Some(folder) = folder {
        return Ok((
            deploy.or_else(|| folder.deploy_proto.clone()),
            weights.or_else(|| folder.net_weights.clone()),
        ));
    }
    let Some(net) = net else {
        return match (deploy, weights) {
            (None, Some(weights)) if weights.is_file() => {
                let found = files::of(&weights)?;
                Ok((found.deploy, found.weights))
            }
            named => Ok(named),
        };
    };
    let found = match (&deploy, &weights) {
        // What is given need not be found.
        (None, None) => files::of(net)?,
        (Some(_), None) => Files {
            deploy: None,
            weights: Some(net.to_owned()),
        },
        (None, Some(_)) => Files {
            deploy: Some(net.to_owned()),
            weights: None,
        },
        (Some(_), Some(_)) => {
            return Err(Error::Usage(format!(
                "{}, --deploy-proto and --net-weights: name one network",
                net.display()
            )));
        }
    };
    Ok((deploy.or(found.deploy), weights.or(found.weights)))
}
