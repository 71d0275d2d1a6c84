//! The command line as it is typed: raw flags, nothing resolved.

mod commands;
mod optimize;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::model::Scheme;
use crate::model::preprocessing::ChannelOrder;

pub use commands::{
    ClassifyFlags, CompletionsFlags, DemoFlags, DevicesFlags, ExploreFlags, FetchFlags, ForwardFlags, GalleryFlags,
    ImportFlags, InitSettingsFlags, InspectFlags, ManFlags,
};
pub use optimize::{
    ColourFlag, ImageFlags, OptimizeFlags, OptimizerFlag, OutputFlags, ParameterizationFlag, PrecisionFlag,
    RegularizerFlags,
};

/// Shows what a unit of a trained convolutional network looks for.
#[derive(Debug, Parser)]
#[command(name = "deepvis", version, about, propagate_version = true, max_term_width = 110)]
#[command(args_override_self = true, infer_long_args = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find images that cause high or low activations of specific units, by numerical optimization
    Optimize(Box<OptimizeFlags>),
    /// Show what a dozen units of the bundled network look for: the first minute with deepvis
    Demo(DemoFlags),
    /// Look into a network on a live page: pick units, watch them climb, keep the pictures
    Explore(Box<ExploreFlags>),
    /// Make a page and pictures to look at of a folder of results
    Gallery(GalleryFlags),
    /// Download a well-known network: weights, mean and labels
    Fetch(FetchFlags),
    /// Convert a network, of Caffe or ONNX, to one file that loads at once
    Import(ImportFlags),
    /// List the layers of a network and what can be pushed
    Inspect(InspectFlags),
    /// Name what is on photographs, to check that a network was imported right
    Classify(ClassifyFlags),
    /// Run an image through a network and write a blob, and the gradient of one of its units
    Forward(ForwardFlags),
    /// List the GPUs that --backend wgpu can use
    Devices(DevicesFlags),
    /// Write a commented deepvis.toml into the working directory
    InitSettings(InitSettingsFlags),
    /// Print the completions of a shell
    Completions(CompletionsFlags),
    /// Print the manual page of deepvis or of a command
    Man(ManFlags),
}

/// Which trained network to load.
#[derive(Debug, Args, Clone, Default)]
#[command(next_help_heading = "Which trained network to load")]
pub struct ModelFlags {
    /// A model by name (demo is bundled, `deepvis fetch` brings others), or a model's folder with its deepvis.toml
    #[arg(long, value_name = "NAME|DIR")]
    pub model: Option<PathBuf>,
    /// Path to caffe root directory, whose usual places of models and mean are then looked into
    #[arg(long, value_name = "DIR")]
    pub caffe_root: Option<PathBuf>,
    /// Path to caffe network prototxt
    #[arg(long, value_name = "FILE")]
    pub deploy_proto: Option<PathBuf>,
    /// Path to caffe network weights, or to an .onnx, or to a .bpk written by `deepvis import`
    #[arg(long, value_name = "FILE")]
    pub net_weights: Option<PathBuf>,
    /// Mean: "None", a tuple of one value per channel such as "(104,117,123)", or a mean image ("'mean.npy'", a bare
    /// path, or a .binaryproto); a larger image is cropped to its centre
    #[arg(long, value_name = "MEAN", allow_hyphen_values = true)]
    pub mean: Option<String>,
    /// How the network takes images: torchvision (default for .onnx), caffe, keras-tf, timm-inception, or none where it
    /// normalizes RGB from 0 to 255 by itself
    #[arg(long, value_name = "SCHEME")]
    pub preprocess: Option<Scheme>,
    /// What images from 0 to 255, less the mean, are divided by: a number, or one per channel such as
    /// "(58.395,57.12,57.375)"; also --std [default: 1]
    #[arg(long, alias = "std", value_name = "STD")]
    pub input_std: Option<String>,
    /// The same as a factor, as in Caffe's transform_param: 0.017 is --input-std 58.82; a number, or one per channel
    #[arg(long, value_name = "FACTOR")]
    pub input_scale: Option<String>,
    /// The order of the network's channels: rgb or bgr (Caffe's), as --channel-swap-to-rgb (0,1,2) or (2,1,0)
    #[arg(long, value_name = "rgb|bgr")]
    pub channel_order: Option<ChannelOrder>,
    /// Permutation to apply to channels to change to RGB space for plotting: (0,1,2) if the network is trained for RGB,
    /// (2,1,0) if it is trained for BGR
    #[arg(long, value_name = "TUPLE")]
    pub channel_swap_to_rgb: Option<String>,
    /// Size of network input, "(rows,columns)"
    #[arg(long, value_name = "TUPLE")]
    pub data_size: Option<String>,
    /// A text file with one label a line; names units in messages
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// Shape of the input where the prototxt has none, as for a training prototxt: batch,channels,rows,columns
    #[arg(long, value_name = "N,C,H,W")]
    pub input_shape: Option<String>,
    /// Refuse a prototxt with settings of computed layers that are not known; without it they are warned about
    #[arg(long)]
    pub strict: bool,
    /// Take weights with more blobs for a layer than it reads, with a warning; without it they are refused
    #[arg(long)]
    pub lenient: bool,
}

/// Where to compute.
#[derive(Debug, Args, Clone)]
#[command(next_help_heading = "Where to compute")]
pub struct DeviceFlags {
    /// What computes: auto takes a GPU when there is a usable one, else flex, and says which
    #[arg(long, value_enum, default_value_t = Backend::Auto)]
    pub backend: Backend,
    /// Which GPU, by its number in `deepvis devices`
    #[arg(long, value_name = "N")]
    pub device: Option<usize>,
    /// The most memory to take, such as 512M or 4G (default: half of what is free)
    #[arg(long, value_name = "SIZE")]
    pub max_memory: Option<String>,
}

/// A backend of burn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// A GPU when there is a usable one, else flex
    Auto,
    /// The CPU, fast
    Flex,
    /// The CPU, by the ndarray crate
    Ndarray,
    /// A GPU, by Vulkan, Metal, DirectX or WebGPU
    Wgpu,
}
