//! The flags of the other commands.

use std::path::PathBuf;

use clap::Args;

use super::{DeviceFlags, ModelFlags};

/// `deepvis demo`.
#[derive(Debug, Args)]
pub struct DemoFlags {
    /// Where to write the pictures and the gallery
    #[arg(long, value_name = "DIR", default_value = "deepvis-demo")]
    pub output_dir: PathBuf,
    /// Make the pictures anew
    #[arg(long)]
    pub brave: bool,
    /// No progress bar and no messages but errors
    #[arg(long, short)]
    pub quiet: bool,
    #[command(flatten)]
    pub device: DeviceFlags,
}

/// `deepvis gallery`.
#[derive(Debug, Args)]
pub struct GalleryFlags {
    /// The folder of results, with what is below it
    #[arg(default_value = "optimize_results")]
    pub folder: PathBuf,
    /// What the page is called
    #[arg(long, value_name = "TITLE")]
    pub title: Option<String>,
}

/// `deepvis fetch`.
#[derive(Debug, Args)]
pub struct FetchFlags {
    /// The network's name; without one, those that are known are listed
    pub name: Option<String>,
    /// Take the files from this folder or address instead of the public ones
    #[arg(long, value_name = "DIR|URL")]
    pub from: Option<String>,
    /// Download again what is there
    #[arg(long)]
    pub brave: bool,
    /// No progress bar and no messages but errors
    #[arg(long, short)]
    pub quiet: bool,
}

/// `deepvis import`.
#[derive(Debug, Args)]
pub struct ImportFlags {
    /// The network's deploy.prototxt
    pub deploy: PathBuf,
    /// Its .caffemodel
    pub weights: PathBuf,
    /// The file to write
    #[arg(long, short, value_name = "NET.bpk")]
    pub output: PathBuf,
    /// Overwrite the file if it is there
    #[arg(long)]
    pub brave: bool,
}

/// `deepvis inspect`.
#[derive(Debug, Args)]
pub struct InspectFlags {
    /// A .prototxt, .caffemodel beside one, .bpk, or folder of a model (default: as for optimize)
    pub net: Option<PathBuf>,
    #[command(flatten)]
    pub model: ModelFlags,
    /// Only this layer, in detail
    #[arg(long, value_name = "LAYER")]
    pub layer: Option<String>,
    /// Machine-readable
    #[arg(long)]
    pub json: bool,
}

/// `deepvis classify`.
#[derive(Debug, Args)]
pub struct ClassifyFlags {
    /// A .prototxt, .caffemodel, .bpk or folder of a model, then photographs (JPEG or PNG)
    #[arg(required = true, value_name = "[NET] IMAGE")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub model: ModelFlags,
    /// The layer whose units are the classes (default: the last that can be computed)
    #[arg(long, value_name = "LAYER")]
    pub layer: Option<String>,
    /// How many classes to name
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub top: usize,
    #[command(flatten)]
    pub device: DeviceFlags,
}

/// `deepvis forward`.
#[derive(Debug, Args)]
pub struct ForwardFlags {
    /// A .prototxt, .caffemodel, .bpk or folder of a model (default: as for optimize)
    pub net: Option<PathBuf>,
    #[command(flatten)]
    pub model: ModelFlags,
    /// The image: a .npy of the input blob as it is, or a picture, from which the mean is subtracted
    #[arg(long, value_name = "FILE")]
    pub input: PathBuf,
    /// The layer whose blob is written
    #[arg(long, value_name = "LAYER")]
    pub layer: String,
    /// A unit of it, "channel" or "channel,row,column": its gradient is written too
    #[arg(long, value_name = "UNIT")]
    pub unit: Option<String>,
    /// Where to write output.npy and input_gradient.npy
    #[arg(long, value_name = "DIR")]
    pub output_dir: PathBuf,
    /// Overwrite files that are there
    #[arg(long)]
    pub brave: bool,
    #[command(flatten)]
    pub device: DeviceFlags,
}

/// `deepvis devices`.
#[derive(Debug, Args)]
pub struct DevicesFlags {
    /// Machine-readable
    #[arg(long)]
    pub json: bool,
}

/// `deepvis init-settings`.
#[derive(Debug, Args)]
pub struct InitSettingsFlags {
    /// Overwrite a deepvis.toml that is there
    #[arg(long)]
    pub brave: bool,
}
