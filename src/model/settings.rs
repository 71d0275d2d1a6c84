//! `deepvis.toml`: defaults that the original read from `settings_local.py`.
//!
//! Looked for in the working directory, then in the user's configuration folder; a model's folder may have one of its own.
//! Relative paths are relative to the file they stand in.

use std::path::{Path, PathBuf};

use deepvis_importer::input;
use etcetera::BaseStrategy;
use serde::Deserialize;

use super::error::{Error, Result};
use super::preprocessing::{ChannelOrder, Given, PartError, Parts, Scheme};

/// The file's name.
pub const FILE_NAME: &str = "deepvis.toml";

/// Bytes of the longest settings file that is read.
const LONGEST: u64 = 1 << 20;

/// What `deepvis init-settings` writes.
pub const TEMPLATE: &str = include_str!("settings_template.toml");

/// Settings, all of them optional.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `--caffe-root`
    pub caffe_root: Option<PathBuf>,
    /// `--deploy-proto`
    pub deploy_proto: Option<PathBuf>,
    /// `--net-weights`
    pub net_weights: Option<PathBuf>,
    /// `--mean`, as on the command line
    pub mean: Option<String>,
    /// `--labels`
    pub labels: Option<PathBuf>,
    /// Layers whose units the labels name.
    pub label_layers: Option<Vec<String>>,
    /// `--channel-swap-to-rgb`, as on the command line
    pub channel_swap_to_rgb: Option<String>,
    /// `--channel-order`
    pub channel_order: Option<ChannelOrder>,
    /// `--preprocess`
    pub preprocess: Option<Scheme>,
    /// `--input-std`, as on the command line
    #[serde(alias = "std")]
    pub input_std: Option<String>,
    /// `--input-scale`, as on the command line
    pub input_scale: Option<String>,
    /// `--data-size`, as on the command line
    pub data_size: Option<String>,
    /// `--push-layer`
    pub push_layer: Option<String>,
    /// `--push-channel`
    pub push_channel: Option<usize>,
    /// `--start-from`
    pub start_from: Option<PathBuf>,
    /// `--preset`
    pub preset: Option<String>,
    /// `--flat-names`
    #[serde(default)]
    pub flat_names: bool,
    /// The file these came from.
    #[serde(skip)]
    pub source: Option<PathBuf>,
}

impl Settings {
    /// The settings that hold here: of the working directory, else of the user.
    ///
    /// # Errors
    /// When a settings file is there but cannot be read or understood.
    pub fn find() -> Result<Self> {
        let mut places = vec![PathBuf::from(FILE_NAME)];
        if let Ok(strategy) = etcetera::choose_base_strategy() {
            places.push(strategy.config_dir().join("deepvis").join(FILE_NAME));
        }
        match places.iter().find(|place| place.is_file()) {
            Some(place) => Self::read(place),
            None => Ok(Self::default()),
        }
    }

    /// How the network takes images, as far as they say it.
    pub fn given(&self) -> Given<'_> {
        Given {
            scheme: self.preprocess,
            mean: self.mean.as_deref(),
            swap: self.channel_swap_to_rgb.as_deref(),
            order: self.channel_order,
            std: self.input_std.as_deref(),
            scale: self.input_scale.as_deref(),
        }
    }

    /// The same, understood.
    ///
    /// # Errors
    /// When a part is not understood, or two say the same thing; the message names file and key.
    pub fn preprocessing(&self) -> Result<Parts> {
        self.given().parts().map_err(|error| Error::Settings {
            path: self.source.clone().unwrap_or_else(|| FILE_NAME.into()),
            message: match error {
                PartError::Swap(given, message) => format!("channel_swap_to_rgb = {given:?}: {message}\n"),
                PartError::Std(given, message) => format!("input_std = {given:?}: {message}\n"),
                PartError::Scale(given, message) => format!("input_scale = {given:?}: {message}\n"),
                PartError::SwapAndOrder => {
                    "channel_swap_to_rgb and channel_order say the same thing: give one of them\n".to_owned()
                }
                PartError::StdAndScale => {
                    "input_std and input_scale say the same thing (a scale is 1 / std): give one of them\n".to_owned()
                }
            },
        })
    }

    /// Whether they say which network to load.
    pub fn name_a_network(&self) -> bool {
        self.caffe_root.is_some() || self.deploy_proto.is_some() || self.net_weights.is_some()
    }

    /// A model's own settings, completed by a user's where they say nothing. How to climb is the user's to say first. Files
    /// and preprocessing of a network that the user's settings name are that network's alone.
    #[must_use]
    pub fn completed_by(self, user: &Self) -> Self {
        let user = if user.name_a_network() {
            Self {
                preset: user.preset.clone(),
                start_from: user.start_from.clone(),
                flat_names: user.flat_names,
                source: user.source.clone(),
                ..Self::default()
            }
        } else {
            user.clone()
        };
        // What says the same thing in other words is no completion.
        let order = self.channel_swap_to_rgb.is_some() || self.channel_order.is_some();
        let std = self.input_std.is_some() || self.input_scale.is_some();
        Self {
            caffe_root: self.caffe_root,
            deploy_proto: self.deploy_proto,
            net_weights: self.net_weights,
            mean: self.mean.or(user.mean),
            labels: self.labels.clone().or(user.labels),
            label_layers: match self.labels {
                Some(_) => self.label_layers,
                None => self.label_layers.or(user.label_layers),
            },
            channel_swap_to_rgb: self
                .channel_swap_to_rgb
                .or(if order { None } else { user.channel_swap_to_rgb }),
            channel_order: self.channel_order.or(if order { None } else { user.channel_order }),
            preprocess: self.preprocess.or(user.preprocess),
            input_std: self.input_std.or(if std { None } else { user.input_std }),
            input_scale: self.input_scale.or(if std { None } else { user.input_scale }),
            data_size: self.data_size.or(user.data_size),
            push_layer: self.push_layer.or(user.push_layer),
            push_channel: self.push_channel.or(user.push_channel),
            preset: user.preset.or(self.preset),
            start_from: user.start_from.or(self.start_from),
            flat_names: user.flat_names || self.flat_names,
            source: self.source.or(user.source),
        }
    }

    /// Reads a settings file.
    ///
    /// # Errors
    /// When it cannot be read or understood; the message names line and key.
    pub fn read(path: &Path) -> Result<Self> {
        let text = input::read_text(path, LONGEST).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// The settings in the text of the file `path`.
    ///
    /// # Errors
    /// When it cannot be understood.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let mut settings: Self = toml::from_str(text).map_err(|e| Error::Settings {
            path: path.to_owned(),
            message: e.to_string(),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for place in [
            &mut settings.caffe_root,
            &mut settings.deploy_proto,
            &mut settings.net_weights,
            &mut settings.labels,
            &mut settings.start_from,
        ] {
            *place = place.take().map(|place| folder.join(place));
        }
        settings.mean = settings.mean.map(|mean| relative_mean(mean, folder));
        settings.source = Some(path.to_owned());
        Ok(settings)
    }
}

/// A mean that is a file of that folder, else the literal as it is.
fn relative_mean(mean: String, folder: &Path) -> String {
    let bare = mean.trim().trim_matches(['\'', '"']);
    let place = folder.join(bare);
    if place.is_file() {
        place.to_string_lossy().into_owned()
    } else {
        mean
    }
}
