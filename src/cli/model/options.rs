//! What flags and settings say about the network, resolved to files.

use std::path::{Path, PathBuf};

use super::{bundled, folder, is_burnpack, named};
use crate::cli::error::{Error, Result};
use crate::cli::flags::ModelFlags;
use crate::cli::literals;
use crate::cli::settings::Settings;
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
        let folder = match net
            .filter(|net| net.is_dir() || named::is_name(net))
            .or(flags.model.as_deref())
        {
            Some(model) => Some(named::folder(model)?),
            None => None,
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
            is_bundled,
            settings: settings.clone(),
        })
    }
}

/// Prototxt and weights that flags, a model's folder or the position name.
fn named_files(
    net: Option<&Path>,
    folder: Option<&Settings>,
    flags: &ModelFlags,
) -> Result<(Option<PathBuf>, Option<PathBuf>)> {
    let (mut deploy, mut weights) = (flags.deploy_proto.clone(), flags.net_weights.clone());
    if let Some(folder) = folder {
        return Ok((
            deploy.or_else(|| folder.deploy_proto.clone()),
            weights.or_else(|| folder.net_weights.clone()),
        ));
    }
    let Some(net) = net else {
        return Ok((deploy, weights));
    };
    if !net.exists() {
        return Err(Error::NoFile {
            flag: "NET",
            path: net.to_owned(),
        });
    }
    let beside = net.parent().map(folder::files).unwrap_or_default();
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
