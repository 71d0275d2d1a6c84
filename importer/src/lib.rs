//! Reads networks: files of a framework in, a [`Graph`] and its [`Weights`] out.
//!
//! - [`caffe`] is the front end for Caffe's files, [`onnx`] that for ONNX;
//! - [`about`] is what a front end tells beside the graph;
//! - [`mod@format`] tells files apart;
//! - [`graph`] is what every front end makes: layers, the values between them, and what can be asked for by name;
//! - [`weights`] has the stored tensors by name, their numbers left in the file until they are asked for;
//! - [`record`] writes both as one burnpack file and reads it back.
//!
//! Nothing here knows of a backend or of tensors in memory.

pub mod about;
pub mod caffe;
pub mod error;
pub mod format;
pub mod graph;
pub mod input;
pub mod names;
pub mod onnx;
pub mod record;
pub mod weights;
mod wire;

pub use about::{Doubt, InputTransform};
pub use caffe::{import, read_graph};
pub use error::{Error, Result};
pub use format::{Format, open};
pub use graph::{Graph, Layer, LayerKind};
pub use weights::{StoredTensor, Weights};

/// A network as imported: what is computed, and with which numbers.
#[derive(Debug)]
pub struct Import {
    /// The layers, in the order in which they are computed.
    pub graph: Graph,
    /// The stored tensors by name; their numbers stay in the file until they are asked for.
    pub weights: Weights,
    /// What a user should know but need not act on, such as fields of a fork that were skipped.
    pub warnings: Vec<String>,
    /// Settings that are not known of layers that are computed: these may compute otherwise.
    pub doubts: Vec<Doubt>,
    /// What the network's files say is done to images before it sees them.
    pub transform: Option<InputTransform>,
}
