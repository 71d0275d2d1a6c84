//! The command line as it is typed: raw flags, nothing resolved.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Shows what a unit of a trained convolutional network looks for.
#[derive(Debug, Parser)]
#[command(name = "deepvis", version, about, propagate_version = true, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find images that cause high or low activations of specific units, by numerical optimization
    Optimize(Box<OptimizeFlags>),
    /// Convert a Caffe network to one file that loads at once
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
}

/// Which trained network to load.
#[derive(Debug, Args, Clone, Default)]
#[command(next_help_heading = "Which trained network to load")]
pub struct ModelFlags {
    /// Path to caffe root directory, whose usual places of models and mean are then looked into
    #[arg(long, value_name = "DIR")]
    pub caffe_root: Option<PathBuf>,
    /// Path to caffe network prototxt
    #[arg(long, value_name = "FILE")]
    pub deploy_proto: Option<PathBuf>,
    /// Path to caffe network weights, or to a .bpk written by `deepvis import`
    #[arg(long, value_name = "FILE")]
    pub net_weights: Option<PathBuf>,
    /// Mean: "None", a tuple of one value per channel such as "(104,117,123)", or a mean image ("'mean.npy'", a bare
    /// path, or a .binaryproto); a larger image is cropped to its centre
    #[arg(long, value_name = "MEAN", allow_hyphen_values = true)]
    pub mean: Option<String>,
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
    /// The most memory that one layer's result may take, such as 512M or 4G (default: half of what is free)
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

/// `deepvis optimize`.
#[derive(Debug, Args)]
pub struct OptimizeFlags {
    #[command(flatten)]
    pub model: ModelFlags,
    #[command(flatten)]
    pub start: StartFlags,
    #[command(flatten)]
    pub unit: UnitFlags,
    #[command(flatten)]
    pub regularizers: RegularizerFlags,
    #[command(flatten)]
    pub rate: RateFlags,
    #[command(flatten)]
    pub output: OutputFlags,
    #[command(flatten)]
    pub device: DeviceFlags,
}

/// Where to start optimization.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where to start optimization")]
pub struct StartFlags {
    /// How to generate x0, the initial point used in optimization
    #[arg(long, value_parser = ["mean_plus_rand", "randu", "mean"], default_value = "mean_plus_rand")]
    pub start_at: String,
    /// Random seed used for generating the start-at image (use different seeds to generate different images); several as
    /// 0-8 or 0,3,7
    #[arg(long, value_name = "SEED", default_value = "0")]
    pub rand_seed: String,
}

/// Which neuron to optimize and in what direction.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which neuron to optimize and in what direction")]
pub struct UnitFlags {
    /// Name of layer that contains the desired neuron whose value is optimized
    #[arg(long, value_name = "LAYER")]
    pub push_layer: Option<String>,
    /// Channel number for desired neuron whose value is optimized (channel for conv, neuron index for FC); several as
    /// 0-99,130, as a label such as "flamingo" or "*dog*", or all
    #[arg(long, value_name = "CHANNEL")]
    pub push_channel: Option<String>,
    /// Which spatial location to push for conv layers, such as "(6,6)", or center; None for FC layers
    #[arg(long, value_name = "TUPLE", default_value = "None")]
    pub push_spatial: String,
    /// Which direction to push the activation of the selected neuron, that is, the value used to begin backprop: 1 to
    /// maximize it, -1 to minimize it
    #[arg(long, value_name = "DIR", default_value = "1", allow_hyphen_values = true)]
    pub push_dir: String,
}

/// Which regularization options to apply.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which regularization options to apply")]
pub struct RegularizerFlags {
    /// A row of the paper's Table 1: its regularizers, learning rate and number of iterations; flags given beside it count
    #[arg(long, value_name = "NAME", value_parser = ["paper-1", "paper-2", "paper-3", "paper-4"])]
    pub preset: Option<String>,
    /// Amount of L2 decay to use [default: 0]
    #[arg(long, value_name = "DECAY", allow_hyphen_values = true)]
    pub decay: Option<String>,
    /// Radius in pixels of blur to apply after each BLUR_EVERY steps. If 0, perform no blurring. Blur sizes between 0 and
    /// 0.3 work poorly [default: 0]
    #[arg(long, value_name = "RADIUS", allow_hyphen_values = true)]
    pub blur_radius: Option<String>,
    /// Blur every BLUR_EVERY steps. If 0, perform no blurring [default: 0]
    #[arg(long, value_name = "BLUR_EVERY", allow_hyphen_values = true)]
    pub blur_every: Option<String>,
    /// Induce sparsity by setting pixels with absolute value under this percentile to 0. Not discussed in paper. 0 to
    /// disable [default: 0]
    #[arg(long, value_name = "PERCENTILE", allow_hyphen_values = true)]
    pub small_val_percentile: Option<String>,
    /// Induce sparsity by setting pixels with norm under this percentile to 0. \theta_{n_pct} from the paper. 0 to disable
    /// [default: 0]
    #[arg(long, value_name = "PERCENTILE", allow_hyphen_values = true)]
    pub small_norm_percentile: Option<String>,
    /// Induce sparsity by setting pixels with contribution under this percentile to 0. Mentioned briefly in paper but not
    /// used. 0 to disable [default: 0]
    #[arg(long, value_name = "PERCENTILE", allow_hyphen_values = true)]
    pub px_benefit_percentile: Option<String>,
    /// Induce sparsity by setting pixels with absolute contribution under this percentile to 0. \theta_{c_pct} from the
    /// paper. 0 to disable [default: 0]
    #[arg(long, value_name = "PERCENTILE", allow_hyphen_values = true)]
    pub px_abs_benefit_percentile: Option<String>,
}

/// What learning rate schedule to use.
#[derive(Debug, Args)]
#[command(next_help_heading = "What learning rate schedule to use")]
pub struct RateFlags {
    /// Learning rate policy, see --lr-params [default: constant]
    #[arg(long, value_parser = ["constant", "progress", "progress01"])]
    pub lr_policy: Option<String>,
    /// Learning rate params, a Python dict. "constant" requires the key "lr" and uses that rate. "progress" requires
    /// "max_lr" and "desired_prog" and scales the rate such that the objective would change by desired_prog if it were
    /// linear, limited to max_lr. "progress01" requires "max_lr", "early_prog" and "late_prog_mult" and is for outputs in
    /// [0,1], e.g. of a softmax layer: it slows down as the output approaches 1 [default: {"lr": 1}]
    #[arg(long, value_name = "DICT")]
    pub lr_params: Option<String>,
    /// Number of iterations of the optimization loop [default: 500]
    #[arg(long, value_name = "N")]
    pub max_iter: Option<usize>,
}

/// Where to save results.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where to save results")]
pub struct OutputFlags {
    /// Output path and filename prefix
    #[arg(long, value_name = "PREFIX", default_value = "optimize_results/opt")]
    pub output_prefix: String,
    /// Output filename template. Fields of the parameters (p.) and of the results (r.) are filled in as Python does, so that
    /// the default makes names like "optimize_results/opt_prob_0278_0_best_X.jpg"
    #[arg(
        long,
        value_name = "TEMPLATE",
        default_value = "%(p.push_layer)s_%(p.push_channel)04d_%(p.rand_seed)d"
    )]
    pub output_template: String,
    /// Allow overwriting existing results files. Default: off, i.e. cowardly refuse to overwrite existing files
    #[arg(long)]
    pub brave: bool,
    /// Skip outputting large *info_big.pkl files (they contain pickled versions of x0, last x, best x and first x that
    /// attained max on the specified layer)
    #[arg(long)]
    pub skipbig: bool,
    /// Units that climb together in one batch (default: as many as memory allows, 16 at most)
    #[arg(long, value_name = "N")]
    pub batch_size: Option<usize>,
    /// A line an iteration, as the original script prints
    #[arg(long, short)]
    pub verbose: bool,
    /// No progress bar and no messages but errors
    #[arg(long, short, conflicts_with = "verbose")]
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
