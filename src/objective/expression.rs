//! What an objective says, as it is written.

use serde::{Deserialize, Serialize};

use super::error::ParseError;

/// Decay of alignment in lucid.
pub(super) const DECAY: f64 = 2.0;
/// Power of `dot_cosine` in xplique.
pub(super) const DOT_POWER: f64 = 2.0;
/// Width of the frame in lucid.
pub(super) const FRAME: usize = 20;
/// Mid-grey.
pub(super) const GREY: f64 = 0.5;

/// A number for each image: what is to be maximised.
///
/// In files it is its text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Expression {
    /// The same for each.
    Number(f64),
    /// What a network or an image says.
    Term(Term),
    /// `-a`
    Negative(Box<Self>),
    /// `a + b`, `a - b`, `a * b`, `a / b`
    Binary(Box<Self>, Operator, Box<Self>),
}

/// Two numbers' connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
    /// `/`
    Over,
}

/// A channel of a layer, by number or by what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Channel {
    /// Its number, from 0.
    Index(usize),
    /// Its label.
    Label(String),
}

/// A term of an objective. In formulas a is the layer's activation, `[channels, rows, columns]`, of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// Which.
    pub kind: Kind,
    /// The only image of a unit's that has it, from 0; for all others it is 0.
    pub image: Option<usize>,
}

impl Term {
    /// The file that it reads.
    pub fn file(&self) -> Option<&str> {
        self.kind.file()
    }
}

/// Which term.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// a[c, y, x]; in the middle (row H/2, column W/2) by default. `neuron(layer, channel, row=3, column=5)`; of a transformer's
    /// layer, whose places are its tokens, `neuron(layer, channel, token=3)`, or `token=cls` for the first
    Neuron {
        /// The layer.
        layer: String,
        /// c.
        channel: Channel,
        /// y and x.
        position: Option<[usize; 2]>,
    },
    /// The mean of `a[c]`. `channel(layer, channel)`
    Channel {
        /// The layer.
        layer: String,
        /// c.
        channel: Channel,
    },
    /// The mean of a^2: the whole layer, as in deep dreams. `layer(layer)`
    Layer {
        /// The layer.
        layer: String,
    },
    /// The mean of a. `mean(layer)`
    Mean {
        /// The layer.
        layer: String,
    },
    /// The mean over positions of d max(0.1, cos)^p, d = sum over channels of a v, cos = d / (1e-4 + |a|) / (1e-4 + |v|): lucid.
    /// `direction(layer, v.npy, power=2)`; p is 0 by default.
    Direction {
        /// The layer.
        layer: String,
        /// The file of v, `[channels]`.
        file: String,
        /// p.
        power: f64,
    },
    /// The same at one position. `direction_neuron(layer, v.npy, row=3, column=5, power=2)`
    DirectionNeuron {
        /// The layer.
        layer: String,
        /// The file of v, `[channels]`.
        file: String,
        /// Row and column; the middle by default.
        position: Option<[usize; 2]>,
        /// p.
        power: f64,
    },
    /// The same for the window of v's size in the middle, v having rows and columns. `tensor_direction(layer, v.npy, power=2)`
    TensorDirection {
        /// The layer.
        layer: String,
        /// The file of v, `[channels, rows, columns]`.
        file: String,
        /// p.
        power: f64,
    },
    /// The mean over positions of d / (|a| |v|), no more: lucent's `direction`. `cosine(layer, v.npy)`
    Cosine {
        /// The layer.
        layer: String,
        /// The file of v, `[channels]`.
        file: String,
    },
    /// S max(0.1, S / (|a| |v|))^p, S being the sum of a v over all entries: xplique's and horama's `dot_cossim`, but of each
    /// image by itself. `dot_cosine(layer, v.npy, power=2)`; p is 2 by default.
    DotCosine {
        /// The layer.
        layer: String,
        /// The file of v, `[channels, rows, columns]`.
        file: String,
        /// p.
        power: f64,
    },
    /// S max(0.1, S / (1e-6 + |a|))^p, S being the sum of a times a photo's activations: what the layer sees in the photo,
    /// exaggerated. `caricature(layer, photo.jpg, power=1)`; p is 0 by default.
    Caricature {
        /// The layer.
        layer: String,
        /// The photo's file.
        photo: String,
        /// p.
        power: f64,
    },
    /// -|a - a0|^2 / |a0|^2, a0 being a photo's activations: the photo, as far as the layer knows it (Mahendran and Vedaldi 2015).
    /// `inversion(layer, photo.jpg)`
    Inversion {
        /// The layer.
        layer: String,
        /// The photo's file.
        photo: String,
    },
    /// The mean of |a - a0|: lucid's `activation_difference`. `difference(layer, photo.jpg)`
    Difference {
        /// The layer.
        layer: String,
        /// The photo's file.
        photo: String,
    },
    /// `(1 - w) mean a1[c1] + w mean a2[c2]`, w going from 0 to 1 over a unit's images.
    /// `interpolate(layer1, channel1, layer2, channel2)`
    Interpolate {
        /// The first image's layer and channel.
        first: (String, Channel),
        /// The last image's.
        last: (String, Channel),
    },
    /// The sum over the unit's other images of <G, G'>, G being the channels' Gram matrix over its Frobenius norm (Olah et al.
    /// 2017); large where images are alike, so it is subtracted: `channel(l, 7) - 100*diversity(l)`. Its mean over the images is
    /// lucid's.
    Diversity {
        /// The layer.
        layer: String,
    },
    /// Half of -mean (a - a')^2 / r^d for each other image of the unit at distance d of 1 to 4. Its sum over the images is
    /// lucid's. `alignment(layer, decay=2)`
    Alignment {
        /// The layer.
        layer: String,
        /// r.
        decay: f64,
    },
    /// The sum of |x - c| over the image x, which is between 0 and 1. `l1(0.5)`
    L1 {
        /// c; 0 by default.
        centre: f64,
    },
    /// sqrt(1e-6 + sum of (x - c)^2). `l2(0.5)`
    L2 {
        /// c; 0 by default.
        centre: f64,
    },
    /// The sum of absolute differences of neighbours, right and below. `total_variation()`
    TotalVariation,
    /// The mean of an image's alpha channel: how much of it is there. `opacity()`
    Opacity,
    /// The sum of (x - blurred x)^2 / 2, what is blurred being a constant: the gradient pulls x towards it. Blurred by 3 x 3
    /// weights of 1/2 and 1 in the middle. `blur_penalty()`
    BlurPenalty,
    /// The sum over a frame of (x - blurred x)^2 + 0.8 (x - c)^2, blurred by 5 x 5 weights: lucid's
    /// `penalize_boundary_complexity` but for its sign, so it is subtracted. `boundary(20, 0.5)`
    Boundary {
        /// The frame's width; 20 by default.
        width: usize,
        /// c; 0.5 by default.
        centre: f64,
    },
}

impl Kind {
    /// The layers it reads.
    fn layers(&self) -> Vec<&str> {
        match self {
            Self::Neuron { layer, .. }
            | Self::Channel { layer, .. }
            | Self::Layer { layer }
            | Self::Mean { layer }
            | Self::Direction { layer, .. }
            | Self::DirectionNeuron { layer, .. }
            | Self::TensorDirection { layer, .. }
            | Self::Cosine { layer, .. }
            | Self::DotCosine { layer, .. }
            | Self::Caricature { layer, .. }
            | Self::Inversion { layer, .. }
            | Self::Difference { layer, .. }
            | Self::Diversity { layer }
            | Self::Alignment { layer, .. } => vec![layer],
            Self::Interpolate { first, last } => vec![&first.0, &last.0],
            Self::L1 { .. }
            | Self::L2 { .. }
            | Self::TotalVariation
            | Self::Opacity
            | Self::BlurPenalty
            | Self::Boundary { .. } => Vec::new(),
        }
    }

    /// The file that it reads.
    fn file(&self) -> Option<&str> {
        match self {
            Self::Direction { file, .. }
            | Self::DirectionNeuron { file, .. }
            | Self::TensorDirection { file, .. }
            | Self::Cosine { file, .. }
            | Self::DotCosine { file, .. } => Some(file),
            Self::Caricature { photo, .. } | Self::Inversion { photo, .. } | Self::Difference { photo, .. } => {
                Some(photo)
            }
            Self::Neuron { .. }
            | Self::Channel { .. }
            | Self::Layer { .. }
            | Self::Mean { .. }
            | Self::Interpolate { .. }
            | Self::Diversity { .. }
            | Self::Alignment { .. }
            | Self::L1 { .. }
            | Self::L2 { .. }
            | Self::TotalVariation
            | Self::Opacity
            | Self::BlurPenalty
            | Self::Boundary { .. } => None,
        }
    }

    /// Whether an image's value hangs on the unit's other images, or on how many there are.
    fn is_of_a_group(&self) -> bool {
        match self {
            Self::Diversity { .. } | Self::Alignment { .. } | Self::Interpolate { .. } => true,
            Self::Neuron { .. }
            | Self::Channel { .. }
            | Self::Layer { .. }
            | Self::Mean { .. }
            | Self::Direction { .. }
            | Self::DirectionNeuron { .. }
            | Self::TensorDirection { .. }
            | Self::Cosine { .. }
            | Self::DotCosine { .. }
            | Self::Caricature { .. }
            | Self::Inversion { .. }
            | Self::Difference { .. }
            | Self::L1 { .. }
            | Self::L2 { .. }
            | Self::TotalVariation
            | Self::Opacity
            | Self::BlurPenalty
            | Self::Boundary { .. } => false,
        }
    }
}

impl TryFrom<String> for Expression {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        Self::parse(&text)
    }
}

impl From<Expression> for String {
    fn from(expression: Expression) -> Self {
        expression.to_string()
    }
}

impl Expression {
    /// Layer, channel and, if any, position of the first unit that it names.
    pub fn first_unit(&self) -> Option<(&str, &Channel, Option<[usize; 2]>)> {
        self.terms().into_iter().find_map(|term| match &term.kind {
            Kind::Neuron {
                layer,
                channel,
                position,
            } => Some((layer.as_str(), channel, *position)),
            Kind::Channel { layer, channel } => Some((layer.as_str(), channel, None)),
            Kind::Interpolate { first, .. } => Some((first.0.as_str(), &first.1, None)),
            Kind::Layer { .. }
            | Kind::Mean { .. }
            | Kind::Direction { .. }
            | Kind::DirectionNeuron { .. }
            | Kind::TensorDirection { .. }
            | Kind::Cosine { .. }
            | Kind::DotCosine { .. }
            | Kind::Caricature { .. }
            | Kind::Inversion { .. }
            | Kind::Difference { .. }
            | Kind::Diversity { .. }
            | Kind::Alignment { .. }
            | Kind::L1 { .. }
            | Kind::L2 { .. }
            | Kind::TotalVariation
            | Kind::Opacity
            | Kind::BlurPenalty
            | Kind::Boundary { .. } => None,
        })
    }

    /// The mean of a layer's squares.
    pub fn layer(layer: String) -> Self {
        Self::Term(Term {
            kind: Kind::Layer { layer },
            image: None,
        })
    }

    /// All terms, from left to right.
    pub fn terms(&self) -> Vec<&Term> {
        match self {
            Self::Number(_) => Vec::new(),
            Self::Term(term) => vec![term],
            Self::Negative(inner) => inner.terms(),
            Self::Binary(left, _, right) => [left.terms(), right.terms()].concat(),
        }
    }

    /// The layers whose activations it needs, each once, in the order in which they are named.
    pub fn layers(&self) -> Vec<&str> {
        let mut layers = Vec::new();
        for layer in self.terms().into_iter().flat_map(|term| term.kind.layers()) {
            if !layers.contains(&layer) {
                layers.push(layer);
            }
        }
        layers
    }

    /// The files that it reads.
    pub fn files(&self) -> Vec<&str> {
        self.terms().into_iter().filter_map(|term| term.kind.file()).collect()
    }

    /// Whether a unit's images go from one end to another.
    pub fn interpolates(&self) -> bool {
        let is_it = |term: &&Term| matches!(term.kind, Kind::Interpolate { .. });
        self.terms().iter().any(is_it)
    }

    /// Whether it reads an image's alpha channel.
    pub fn reads_opacity(&self) -> bool {
        self.terms().iter().any(|term| term.kind == Kind::Opacity)
    }

    /// Whether a unit of it is several images that must be evaluated together.
    pub fn is_of_a_group(&self) -> bool {
        self.terms()
            .iter()
            .any(|term| term.image.is_some() || term.kind.is_of_a_group())
    }
}
