//! One stored tensor and where its numbers are.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn_pack::Bytes;

use crate::error::{Error, Result};
use crate::input;

/// How the numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    F16,
    Bf16,
    F32,
    F64,
}

impl Element {
    pub(crate) fn size(self) -> u64 {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

/// A run of numbers in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) offset: u64,
    pub(crate) len: u64,
    pub(crate) element: Element,
}

/// Where the numbers of a tensor are.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// In a file, in one or more little-endian runs.
    File { path: Arc<PathBuf>, chunks: Vec<Chunk> },
    /// In memory: numbers that were written one by one, or that a program made.
    Memory(Arc<Vec<f32>>),
    /// In a burnpack, as float32.
    Packed(Arc<PathBuf>, Bytes),
}

/// A learned tensor of a network: its shape as written, and its numbers as float32 on demand.
#[derive(Debug, Clone)]
pub struct StoredTensor {
    shape: Vec<usize>,
    source: Source,
}

impl StoredTensor {
    /// A tensor held in memory.
    ///
    /// # Panics
    /// When `values` does not fill `shape`.
    pub fn from_values(shape: Vec<usize>, values: Vec<f32>) -> Self {
        assert_eq!(
            shape.iter().product::<usize>(),
            values.len(),
            "tensor of shape {shape:?}"
        );
        Self {
            shape,
            source: Source::Memory(Arc::new(values)),
        }
    }

    pub(crate) fn new(shape: Vec<usize>, source: Source) -> Self {
        Self { shape, source }
    }

    /// The shape, as the file gives it: legacy blobs have always four axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The same numbers under another shape; `None` where that has another number of entries.
    pub fn reshaped(&self, shape: Vec<usize>) -> Option<Self> {
        (shape.iter().product::<usize>() == self.count()).then(|| Self {
            shape,
            source: self.source.clone(),
        })
    }

    /// Whether it has the shape and the very numbers of another, as far as that is seen without reading them.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let same = match (&self.source, &other.source) {
            (Source::Memory(a), Source::Memory(b)) => a == b,
            (Source::File { path: a, chunks: of_a }, Source::File { path: b, chunks: of_b }) => a == b && of_a == of_b,
            (Source::File { .. } | Source::Memory(_) | Source::Packed(..), _) => false,
        };
        same && self.shape == other.shape
    }

    /// The number of entries.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// The numbers, row-major.
    ///
    /// # Errors
    /// When the file cannot be read any more.
    pub fn values(&self) -> Result<Vec<f32>> {
        match &self.source {
            Source::Memory(values) => Ok(values.to_vec()),
            Source::Packed(..) => Ok(decode(&self.bytes()?, Element::F32)),
            Source::File { path, chunks } => {
                let mut values = Vec::with_capacity(self.count());
                for chunk in chunks {
                    values.extend(decode(&read_chunk(path, chunk)?, chunk.element));
                }
                Ok(values)
            }
        }
    }

    /// The numbers as the bytes of float32s in the machine's byte order; not decoded where the file holds them like
    /// that.
    ///
    /// # Errors
    /// As [`StoredTensor::values`].
    pub fn bytes(&self) -> Result<Bytes> {
        match &self.source {
            Source::Packed(path, bytes) => {
                let bytes = bytes.clone();
                bytes.read(Default::default()).map_err(|e| Error::Read {
                    path: path.as_ref().clone(),
                    source: std::io::Error::other(e.to_string()),
                })?;
                Ok(bytes)
            }
            Source::File { path, chunks } => match chunks.as_slice() {
                [chunk] if chunk.element == Element::F32 && cfg!(target_endian = "little") => {
                    Ok(Bytes::from_bytes_vec(read_chunk(path, chunk)?))
                }
                _ => Ok(Bytes::from_elems(self.values()?)),
            },
            Source::Memory(values) => Ok(Bytes::from_elems(values.to_vec())),
        }
    }
}

fn read_chunk(path: &Path, chunk: &Chunk) -> Result<Vec<u8>> {
    read_bytes(path, chunk.offset, chunk.len)
}

/// Bytes of a file, of which it is known that they are there.
pub(crate) fn read_bytes(path: &Path, offset: u64, len: u64) -> Result<Vec<u8>> {
    let failed = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let (mut file, _) = input::open(path).map_err(failed)?;
    file.seek(SeekFrom::Start(offset)).map_err(failed)?;
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
    file.read_exact(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn decode(bytes: &[u8], element: Element) -> Vec<f32> {
    match element {
        Element::F32 => bytes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect(),
        #[expect(clippy::cast_possible_truncation, reason = "Caffe computes in float32 as well")]
        Element::F64 => bytes
            .as_chunks::<8>()
            .0
            .iter()
            .map(|b| f64::from_le_bytes(*b) as f32)
            .collect(),
        Element::Bf16 => bytes
            .as_chunks::<2>()
            .0
            .iter()
            .map(|b| half::bf16::from_le_bytes(*b).to_f32())
            .collect(),
        Element::F16 => bytes
            .as_chunks::<2>()
            .0
            .iter()
            .map(|b| half::f16::from_le_bytes(*b).to_f32())
            .collect(),
    }
}

/// A shape without its leading ones: `1x1x1xN` of a legacy blob is the same as `N`.
pub fn trimmed(shape: &[usize]) -> &[usize] {
    let ones = shape.iter().take_while(|d| **d == 1).count();
    &shape[ones.min(shape.len())..]
}
