//! The flags of `deepvis optimize`, in the original's groups.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use super::{DeviceFlags, ModelFlags};
use crate::ascent::PRESETS;

/// `deepvis optimize`.
#[derive(Debug, Clone, Args)]
pub struct OptimizeFlags {
    /// The network: a model's name or folder, an .onnx or .bpk, or a .caffemodel or .prototxt beside its other half
    pub net: Option<PathBuf>,
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
    pub image: ImageFlags,
    #[command(flatten)]
    pub output: OutputFlags,
    #[command(flatten)]
    pub device: DeviceFlags,
}

/// Where to start optimization.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Where to start optimization")]
pub struct StartFlags {
    /// How to generate x0, the initial point used in optimization
    #[arg(long, value_parser = ["mean_plus_rand", "randu", "mean"], default_value = "mean_plus_rand")]
    pub start_at: String,
    /// Begin with this picture instead: a photograph, of which the largest middle part of the image's proportions is resized to it,
    /// or what --npy wrote of an image of the same size. Presets deepdream and accentuate begin with one
    #[arg(long, value_name = "FILE", conflicts_with = "start_at")]
    pub start_from: Option<PathBuf>,
    /// Random seed used for generating the start-at image (use different seeds to generate different images); several as
    /// 0-8 or 0,3,7
    #[arg(long, alias = "seed", value_name = "SEED", default_value = "0")]
    pub rand_seed: String,
}

/// Which neuron to optimize and in what direction.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Which neuron to optimize and in what direction")]
pub struct UnitFlags {
    /// Name of layer that contains the desired neuron whose value is optimized; several as conv1,conv2 or "conv*"; of an .onnx
    /// also the path of a module, layer4.2.conv3, and "layer4.*.conv3"
    #[arg(long, alias = "layer", value_name = "LAYER")]
    pub push_layer: Option<String>,
    /// Channel number for desired neuron whose value is optimized (channel for conv, neuron index for FC); several as
    /// 0-99,130, as a label such as "flamingo" or "*dog*", or all
    #[arg(long, alias = "channel", value_name = "CHANNEL")]
    pub push_channel: Option<String>,
    /// What to push instead of a unit, with a parameterized image (--preset fourier if none is named): a formula of activations and
    /// of the image, such as "channel(conv4, 9) - 100*diversity(conv4)", "neuron(fc8, flamingo)", "layer(conv3)" (deep dream),
    /// "direction(conv5, v.npy)", "caricature(conv4, photo.jpg)"; docs/feature-visualization.md has all of them. What compares
    /// images (diversity, interpolate, alignment) takes those of all seeds of --rand-seed, 0-3 if one is given
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true,
          conflicts_with_all = ["push_layer", "push_channel", "push_spatial", "push_dir"])]
    pub objective: Option<String>,
    /// Which spatial location to push for conv layers, such as "(6,6)", or center; None for FC layers. Of a transformer's tokens:
    /// cls, the class token, or a number. mean pushes the channel's mean over all places. None is (0,0), the first token, and with
    /// a preset of a parameterized image the mean
    #[arg(long, value_name = "TUPLE", default_value = "None")]
    pub push_spatial: String,
    /// Which direction to push the activation of the selected neuron, that is, the value used to begin backprop: 1 to
    /// maximize it, -1 to minimize it [default: 1]
    #[arg(long, value_name = "DIR", allow_hyphen_values = true)]
    pub push_dir: Option<String>,
}

/// Which regularization options to apply.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Which regularization options to apply")]
pub struct RegularizerFlags {
    /// A row of the paper's Table 1, or what suits the bundled network: regularizers, learning rate and number of iterations;
    /// flags given beside it count
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(PRESETS.iter().map(|preset| preset.name)))]
    pub preset: Option<String>,
    /// With --preset fourier or olah-2017: the random changes before the network sees the image, a set by name (lucid, olah-2017,
    /// xplique, none) or a list such as "pad 16, jitter 8, scale 0.9..1.1, rotate -10..10, jitter 4"
    #[arg(long, value_name = "LIST")]
    pub transforms: Option<String>,
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
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What learning rate schedule to use")]
pub struct RateFlags {
    /// Learning rate policy, see --lr-params [default: constant]
    #[arg(long, value_parser = ["constant", "progress", "progress01"])]
    pub lr_policy: Option<String>,
    /// Learning rate params, a Python dict. "constant" requires the key "lr" and uses that rate. "progress" requires
    /// "max_lr" and "desired_prog" and scales the rate such that the objective would change by desired_prog if it were
    /// linear, limited to max_lr. "progress01" requires "max_lr", "early_prog" and "late_prog_mult" and is for outputs in
    /// [0,1], e.g. of a softmax layer: it slows down as the output approaches 1 [default: {"lr": 1}]
    #[arg(long, alias = "lr", value_name = "DICT")]
    pub lr_params: Option<String>,
    /// The rate of a parameterized image's optimizer [default: 0.05; maco: 1; accentuate: 4; deepdream: 0.0059, 1.5 of 255 grey
    /// levels]
    #[arg(long, value_name = "RATE")]
    pub learning_rate: Option<f64>,
    /// Number of iterations of the optimization loop [default: 500]
    #[arg(long, aliases = ["iterations", "steps"], value_name = "N")]
    pub max_iter: Option<usize>,
}

/// How a parameterized image is made: beside `--preset fourier` and its kin.
#[derive(Debug, Clone, Args)]
#[command(
    next_help_heading = "How a parameterized image is made (with --preset fourier, olah-2017, maco, deepdream or accentuate)"
)]
pub struct ImageFlags {
    /// Size of the image, such as 512 or "(480,640)"; the network sees it resized to its own, or crops of it [default: the
    /// network's; maco and accentuate: twice that; deepdream: 2.7 times, in the proportions of the picture to start from]
    #[arg(long, value_name = "PIXELS")]
    pub size: Option<String>,
    /// Which numbers the image is made of
    #[arg(long, value_enum)]
    pub parameterization: Option<ParameterizationFlag>,
    /// How much stronger low frequencies of a spectrum are [default: 1]
    #[arg(long, value_name = "POWER")]
    pub decay_power: Option<f64>,
    /// With --preset maco: the magnitude of each frequency is the mean of those of the pictures in this folder [default: that of
    /// natural pictures]
    #[arg(long, value_name = "FOLDER")]
    pub spectrum_from: Option<PathBuf>,
    /// Standard deviation of the numbers to start from [default: 0.01]
    #[arg(long, value_name = "SD")]
    pub deviation: Option<f64>,
    /// What the channels of these numbers stand for: colours that vary independently, or the image's own
    #[arg(long, alias = "color", value_enum)]
    pub colour: Option<ColourFlag>,
    /// With --preset fourier or olah-2017: the image has an alpha channel, and other random grounds show through it in each iteration,
    /// so that it becomes opaque where that helps; the picture is transparent elsewhere. opacity() in --objective is the mean
    #[arg(long)]
    pub alpha: bool,
    /// How a step follows from a gradient [default: adam; maco and accentuate: nadam; deepdream: normalized]
    #[arg(long, value_enum)]
    pub optimizer: Option<OptimizerFlag>,
    /// With --preset maco or accentuate: crops of the image that the network sees in each iteration [default: 6]
    #[arg(long, value_name = "N", value_parser = parse_positive)]
    pub crops: Option<usize>,
}

/// `--parameterization`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ParameterizationFlag {
    /// The pixels themselves
    Pixels,
    /// A spectrum
    Fourier,
    /// A sum of four resolutions
    Laplacian,
    /// Phases of a spectrum of natural magnitude
    Maco,
}

/// `--colour`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColourFlag {
    /// Brightness and two contrasts, as natural pictures' colours vary
    Decorrelated,
    /// The image's own
    None,
}

/// `--optimizer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OptimizerFlag {
    /// Kingma and Ba 2015
    Adam,
    /// Adam with Nesterov's momentum
    Nadam,
    /// Adam with weight decay of 0.01
    Adamw,
    /// Keras's
    Rmsprop,
    /// The gradient times the rate
    Plain,
    /// The gradient over its mean size, times the rate: steps of one length, as in deep dreams
    Normalized,
}

/// Where to save results.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Where to save results")]
pub struct OutputFlags {
    /// Output path and filename prefix
    #[arg(long, alias = "out", value_name = "PREFIX", default_value = "optimize_results/opt")]
    pub output_prefix: String,
    /// Output filename template. Fields of the parameters (p.) and of the results (r.) are filled in as Python does, so that
    /// the default makes names like "optimize_results/opt_prob_0278_0_best_X.jpg"
    #[arg(
        long,
        value_name = "TEMPLATE",
        default_value = crate::session::names::TEMPLATE
    )]
    pub output_template: String,
    /// A layer's slashes become dashes in file names instead of folders: "opt_loss3-classifier_0130_0_best_X.jpg". The
    /// presets fourier and olah-2017 do so anyway
    #[arg(long)]
    pub flat_names: bool,
    /// Allow overwriting existing results files. Default: off, i.e. cowardly refuse to overwrite existing files
    #[arg(long)]
    pub brave: bool,
    /// Skip outputting large *info_big.pkl files (they contain pickled versions of x0, last x, best x and first x that
    /// attained max on the specified layer)
    #[arg(long)]
    pub skipbig: bool,
    /// How pickles are written: 3 for Python 3; 2 for Python 2 as well, and for the original's own module
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u8).range(2..=3))]
    pub pickle_protocol: u8,
    /// Write a picture of where the climb is every N iterations, named as in "..._iteration_000100.jpg"
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub save_every: Option<u32>,
    /// Write the climb as a GIF, "..._climb.gif"
    #[arg(long)]
    pub animate: bool,
    /// Show each picture in the terminal, where it can show pictures
    #[arg(long)]
    pub show: bool,
    /// Do only part I of N of the work, from 1/N to N/N: for several machines, whose results merge by copying
    #[arg(long, value_name = "I/N")]
    pub shard: Option<String>,
    /// Write down the state of every climb each N iterations, so that the same command goes on from there
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub checkpoint_every: Option<u32>,
    /// Units that climb together in one batch (default: as many as memory allows, 16 at most, 64 on a GPU)
    #[arg(long, value_name = "N", value_parser = parse_positive)]
    pub batch_size: Option<usize>,
    /// On a GPU: iterations from one look at objective and norms to the next; they are recorded for every iteration all the
    /// same
    #[arg(long, value_name = "N", default_value = "10", value_parser = parse_positive)]
    pub stats_every: usize,
    /// Arithmetic of the images: float64 on the CPU, to the digit as the original, or float32 on the device that computes the
    /// network; auto takes float32 on a GPU and float64 otherwise
    #[arg(long, value_enum, default_value_t = PrecisionFlag::Auto)]
    pub precision: PrecisionFlag,
    /// A line an iteration, as the original script prints
    #[arg(long, short)]
    pub verbose: bool,
    /// Print a record a unit, in JSON and one a line, instead of text: the files that were written, and all that runs.jsonl
    /// says of it
    #[arg(long, conflicts_with = "verbose")]
    pub json: bool,
    /// Also write the best image as numbers, "..._best_X.npy": float64, channels x rows x columns in the network's own order
    /// of channels, the mean subtracted; with the mean added, from 0 to 255 as far as it can be shown
    #[arg(long)]
    pub npy: bool,
    /// Bits of each colour of the picture of a parameterized image, "..._image.png"
    #[arg(long, value_name = "BITS", value_parser = ["8", "16"], default_value = "8")]
    pub png_depth: String,
    /// Also write the parameters that were climbed (z, float64) and the last image (image, float32, channels x rows x columns in
    /// red, green and blue from 0 to 1) as numbers for NumPy, without pickles: "..._image.npz"
    #[arg(long)]
    pub npz: bool,
    /// No progress bar and no messages but errors; of each unit the path of its picture is printed all the same
    #[arg(long, short, conflicts_with = "verbose")]
    pub quiet: bool,
}

/// A whole number of at least 1.
fn parse_positive(given: &str) -> Result<usize, String> {
    match given.parse() {
        Ok(0) | Err(_) => Err("it takes a whole number of at least 1".into()),
        Ok(number) => Ok(number),
    }
}

/// `--precision`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PrecisionFlag {
    /// float32 on a GPU, float64 on a CPU
    Auto,
    /// As NumPy computes
    Float64,
    /// As a GPU computes
    Float32,
}
