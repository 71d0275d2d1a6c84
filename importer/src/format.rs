//! Files that hold networks, told apart by their first bytes.

use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};
use crate::{Import, input, onnx, record};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// deepvis's own.
    Burnpack,
    /// ONNX.
    Onnx,
    /// A caffemodel, or other protobuf.
    Caffemodel,
    /// PyTorch's: `.pt`, `.pth`; a zip archive, or a pickle of old.
    Torch,
    /// PyTorch's exported program, `.pt2`.
    TorchExport,
    /// Keras' archive, `.keras`.
    Keras,
    /// HDF5: Keras' `.h5`, or a caffemodel of later versions of Caffe.
    Hdf5,
    /// Weights without a network.
    Safetensors,
    /// Nothing.
    Empty,
    /// Anything else.
    Unknown,
}

/// Bytes that are looked at.
const LOOKED_AT: u64 = 4096;

/// How a network of PyTorch becomes ONNX.
const TORCH_RECIPE: &str = "it has to be exported by the program that made the network:\n    \
     torch.onnx.export(model.eval(), (torch.randn(2, 3, 224, 224),), \"net.onnx\",\n        \
     dynamic_shapes=({0: torch.export.Dim(\"batch\")},), external_data=False)\nthen give net.onnx";
/// How a network of Keras becomes ONNX.
const KERAS_RECIPE: &str = "it has to be exported by Keras (with tf2onnx installed, after the model was called once):\n    \
     model = keras.saving.load_model(\"net.keras\")\n    \
     model.export(\"net.onnx\", format=\"onnx\")\nthen give net.onnx";

impl Format {
    /// Tells what a file is.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(path: &Path) -> Result<Self> {
        let failed = |source| Error::Read {
            path: path.to_owned(),
            source,
        };
        let mut start = Vec::new();
        let (file, _) = input::open(path).map_err(failed)?;
        file.take(LOOKED_AT).read_to_end(&mut start).map_err(failed)?;
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        let has = |part: &[u8]| start.windows(part.len()).any(|window| window == part);
        Ok(if start.is_empty() {
            Self::Empty
        } else if start.starts_with(b"PK\x03\x04") {
            if ending == "pt2" || has(b"models/model.json") {
                Self::TorchExport
            } else if ending == "keras" || has(b"model.weights.h5") || has(b"metadata.json") {
                Self::Keras
            } else {
                Self::Torch
            }
        } else if start.starts_with(b"\x89HDF\r\n") {
            Self::Hdf5
        } else if start.starts_with(b"\x80") && start.get(1).is_some_and(|version| (2..=5).contains(version)) {
            Self::Torch
        } else if is_safetensors(&start) {
            Self::Safetensors
        } else if ending == "bpk" {
            Self::Burnpack
        } else if ending == "onnx" {
            if start.is_ascii() && !start.iter().any(|byte| *byte < 8) {
                Self::Unknown
            } else {
                Self::Onnx
            }
        } else if ending == "caffemodel" {
            Self::Caffemodel
        } else if start.starts_with(b"\x08") {
            // Every exporter writes the version of the format first, which no caffemodel has.
            Self::Onnx
        } else {
            Self::Caffemodel
        })
    }

    /// Why a file of this format is no network, and how to make one of it; `None` where it is one.
    pub fn refusal(self) -> Option<String> {
        Some(match self {
            Self::Burnpack | Self::Onnx | Self::Caffemodel => return None,
            Self::Torch => format!("it is a PyTorch file, which has weights but no graph; {TORCH_RECIPE}"),
            Self::TorchExport => format!("it is a PyTorch program (.pt2), which deepvis does not read; {TORCH_RECIPE}"),
            Self::Safetensors => format!("it is a safetensors file, which has weights but no graph; {TORCH_RECIPE}"),
            Self::Keras => format!("it is a Keras file, which deepvis does not read; {KERAS_RECIPE}"),
            Self::Hdf5 => {
                format!("it is an HDF5 file, as Keras writes it, which deepvis does not read; {KERAS_RECIPE}")
            }
            Self::Empty => "the file is empty; was its download cut off?".to_owned(),
            Self::Unknown => "it is not an ONNX file, nor another that deepvis knows".to_owned(),
        })
    }
}

/// A length of eight bytes, then JSON.
fn is_safetensors(start: &[u8]) -> bool {
    let length = start.first_chunk().map(|length| u64::from_le_bytes(*length));
    start.get(8) == Some(&b'{') && length.is_some_and(|length| length > 1 && length < 1 << 32)
}

/// Opens a network that is one file: a burnpack, or ONNX. `size` are the rows and columns of the image where the user gives
/// them: the shapes of an ONNX network are computed for it.
///
/// # Errors
/// When the file is of another format, with how to make a network of it, or as [`record::open`] and [`onnx::import`].
pub fn open(path: &Path, size: Option<[usize; 2]>) -> Result<Import> {
    let refused = |message: String| Error::Net(message).in_file(path);
    match Format::of(path)? {
        Format::Burnpack => record::open(path),
        Format::Onnx => onnx::import(path, size),
        Format::Caffemodel => Err(refused(
            "if it is a caffemodel, it needs its prototxt; it is neither an ONNX network nor a burnpack".into(),
        )),
        other => Err(refused(other.refusal().unwrap_or_default())),
    }
}
