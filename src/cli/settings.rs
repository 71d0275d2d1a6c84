//! `deepvis.toml`: defaults that the original read from `settings_local.py`.
//!
//! Looked for in the working directory, then in the user's configuration folder; a model's folder may have one of its own.
//! Relative paths are relative to the file they stand in.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use serde::Deserialize;

use super::error::{Error, Result};

/// The file's name.
pub const FILE_NAME: &str = "deepvis.toml";

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
    /// `--data-size`, as on the command line
    pub data_size: Option<String>,
    /// `--push-layer`
    pub push_layer: Option<String>,
    /// `--push-channel`
    pub push_channel: Option<usize>,
    /// `--preset`
    pub preset: Option<String>,
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

    /// Whether they say which network to load.
    pub fn name_a_network(&self) -> bool {
        self.caffe_root.is_some() || self.deploy_proto.is_some() || self.net_weights.is_some()
    }

    /// Reads a settings file.
    ///
    /// # Errors
    /// When it cannot be read or understood; the message names line and key.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let mut settings: Self = toml::from_str(&text).map_err(|e| Error::Settings {
            path: path.to_owned(),
            message: e.to_string(),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for place in [
            &mut settings.caffe_root,
            &mut settings.deploy_proto,
            &mut settings.net_weights,
            &mut settings.labels,
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
