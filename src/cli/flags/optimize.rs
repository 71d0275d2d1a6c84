//! The flags of `deepvis optimize`, in the original's groups.

use clap::Args;

use super::{DeviceFlags, ModelFlags};

/// `deepvis optimize`.
#[derive(Debug, Clone, Args)]
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
#[derive(Debug, Clone, Args)]
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
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Which neuron to optimize and in what direction")]
pub struct UnitFlags {
    /// Name of layer that contains the desired neuron whose value is optimized; several as conv1,conv2 or "conv*"
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
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Which regularization options to apply")]
pub struct RegularizerFlags {
    /// A row of the paper's Table 1, or what suits the bundled network: regularizers, learning rate and number of iterations;
    /// flags given beside it count
    #[arg(long, value_name = "NAME", value_parser = ["paper-1", "paper-2", "paper-3", "paper-4", "demo"])]
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
    #[arg(long, value_name = "DICT")]
    pub lr_params: Option<String>,
    /// Number of iterations of the optimization loop [default: 500]
    #[arg(long, value_name = "N")]
    pub max_iter: Option<usize>,
}

/// Where to save results.
#[derive(Debug, Clone, Args)]
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
    /// Units that climb together in one batch (default: as many as memory allows, 16 at most)
    #[arg(long, value_name = "N")]
    pub batch_size: Option<usize>,
    /// On a GPU: iterations from one look at objective and norms to the next; they are recorded for every iteration all the
    /// same
    #[arg(long, value_name = "N", default_value = "10", value_parser = parse_positive)]
    pub stats_every: usize,
    /// A line an iteration, as the original script prints
    #[arg(long, short)]
    pub verbose: bool,
    /// No progress bar and no messages but errors
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
