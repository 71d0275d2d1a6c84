//! The flags of the other commands.

use std::net::IpAddr;
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

/// `deepvis explore`.
#[derive(Debug, Args)]
pub struct ExploreFlags {
    /// The network: a model's name or folder, an .onnx or .bpk, or a .caffemodel or .prototxt beside its other half
    pub net: Option<PathBuf>,
    #[command(flatten)]
    pub model: ModelFlags,
    /// The port of the page; 0 takes any that is free
    #[arg(long, value_name = "N", default_value_t = 8150)]
    pub port: u16,
    /// Let other machines look, too: the address to listen on, 0.0.0.0 for all. The address that is printed then holds a
    /// token, and nobody gets in without it
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<IpAddr>,
    /// Open the page in the browser
    #[arg(long)]
    pub open: bool,
    /// Output path and filename prefix, as for optimize; where results of other settings are there, a number is added
    #[arg(long, alias = "out", value_name = "PREFIX", default_value = "optimize_results/opt")]
    pub output_prefix: String,
    /// Skip outputting large *info_big.pkl files
    #[arg(long)]
    pub skipbig: bool,
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
    /// The network: a model's name or folder, an .onnx, or a .caffemodel or .prototxt
    pub net: PathBuf,
    /// The .caffemodel of a prototxt, where it is not beside it
    pub weights: Option<PathBuf>,
    /// Rows and columns of images, for an .onnx whose shapes are computed for one size
    #[arg(long, value_name = "TUPLE")]
    pub data_size: Option<String>,
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
    /// The network: a model's name or folder, an .onnx or .bpk, or a .caffemodel or .prototxt beside its other half
    pub net: Option<PathBuf>,
    #[command(flatten)]
    pub model: ModelFlags,
    /// Only this layer, in detail
    #[arg(long, value_name = "LAYER")]
    pub layer: Option<String>,
    /// The modules of an ONNX network as a tree
    #[arg(long)]
    pub tree: bool,
    /// Machine-readable
    #[arg(long)]
    pub json: bool,
    /// The most memory that a climb may take, such as 512M or 4G (default: half of what is free)
    #[arg(long, value_name = "SIZE")]
    pub max_memory: Option<String>,
}

/// `deepvis classify`.
#[derive(Debug, Args)]
pub struct ClassifyFlags {
    /// A .prototxt, .caffemodel, .onnx, .bpk or folder of a model, then photographs (JPEG or PNG)
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
    /// The network: a model's name or folder, an .onnx or .bpk, or a .caffemodel or .prototxt beside its other half
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
    /// The settings_local.py of a Deep Visualization Toolbox, whose network, mean and labels are taken over
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Overwrite a deepvis.toml that is there
    #[arg(long)]
    pub brave: bool,
}

/// `deepvis completions`.
#[derive(Debug, Args)]
pub struct CompletionsFlags {
    /// The shell to complete in
    pub shell: clap_complete::Shell,
}

/// `deepvis man`.
#[derive(Debug, Args)]
pub struct ManFlags {
    /// The command to describe; without one, deepvis as a whole
    pub command: Option<String>,
}
