//! The index of a caffemodel: which blobs it holds and where their numbers are.
//!
//! Only names, shapes and lengths are read. Every declared length is checked against the bytes that are there before
//! anything is allocated, so that neither a hostile nor a truncated file can make this allocate more than it is long.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::caffe::sniff;
use crate::error::{Error, Result};
use crate::weights::{Chunk, Element, Source, StoredTensor};
use crate::wire::{WireReader, WireType};

/// Field numbers of `NetParameter`: current layers, V1 layers.
const NET_LAYER: u32 = 100;
const NET_LAYERS_V1: u32 = 2;

/// Longest layer name that is accepted.
const LONGEST_NAME: u64 = 4096;
/// Most axes of a Caffe blob (`kMaxBlobAxes`).
const MOST_AXES: usize = 32;

/// Field numbers of the name, the blobs and the nested older layer, in the three generations of layer messages.
struct Fields {
    name: u32,
    blobs: u32,
    inner: Option<&'static Fields>,
    inner_number: u32,
}

static V0: Fields = Fields {
    name: 1,
    blobs: 50,
    inner: None,
    inner_number: 0,
};
static V1: Fields = Fields {
    name: 4,
    blobs: 6,
    inner: Some(&V0),
    inner_number: 1,
};
static CURRENT: Fields = Fields {
    name: 1,
    blobs: 7,
    inner: None,
    inner_number: 0,
};

/// The blobs of each layer of a caffemodel that has some. Of several layers of one name the last counts, as in Caffe.
pub(super) fn index(path: &Path) -> Result<BTreeMap<String, Vec<StoredTensor>>> {
    let (mut file, len) = open(path)?;
    refuse_others(&mut file, path, "a caffemodel", |begin| {
        sniff::instead_of_caffemodel(begin).or_else(|| sniff::solver_state(begin))
    })?;
    index_from(file, len, path)
}

/// The same of anything that can be read; numbers are later read from `path`.
pub(super) fn index_from<R: Read + Seek>(
    inner: R,
    len: u64,
    path: &Path,
) -> Result<BTreeMap<String, Vec<StoredTensor>>> {
    let mut reader = WireReader::new(inner, path, "caffemodel");
    let path = Arc::new(path.to_owned());
    let mut layers = BTreeMap::new();
    if len == 0 {
        return Err(reader.error("it is empty"));
    }
    while let Some((number, wire)) = reader.field(len)? {
        let fields = match number {
            NET_LAYER => &CURRENT,
            NET_LAYERS_V1 => &V1,
            _ => {
                reader.skip(wire, len)?;
                continue;
            }
        };
        if wire != WireType::Delimited {
            return Err(reader.error("a layer that is no message"));
        }
        let end = reader.delimited(len)?;
        let (name, blobs) = layer(&mut reader, end, fields, &path)?;
        if !blobs.is_empty() {
            layers.insert(name, blobs);
        }
    }
    Ok(layers)
}

/// Reads a `.binaryproto`: one blob, as Caffe's `compute_image_mean` writes it.
///
/// # Errors
/// When the file cannot be read, is truncated or holds no blob.
pub fn read_binaryproto(path: &Path) -> Result<StoredTensor> {
    let (mut file, len) = open(path)?;
    refuse_others(
        &mut file,
        path,
        "a mean image (.npy or .binaryproto)",
        sniff::instead_of_mean,
    )?;
    let mut reader = WireReader::new(file, path, "binaryproto");
    let blob = blob(&mut reader, len, &Arc::new(path.to_owned()))?;
    if blob.count() == 0 {
        return Err(reader.error("it holds no numbers"));
    }
    Ok(blob)
}

/// How many bytes are looked at to tell what a file is.
const BEGIN: u64 = 1024;

/// Refuses a file that begins as another kind does.
fn refuse_others(
    file: &mut File,
    path: &Path,
    expected: &'static str,
    found: impl Fn(&[u8]) -> Option<&'static str>,
) -> Result<()> {
    let failed = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let mut begin = Vec::new();
    file.by_ref().take(BEGIN).read_to_end(&mut begin).map_err(failed)?;
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    match found(&begin) {
        Some(found) => Err(Error::OtherFile {
            path: path.to_owned(),
            expected,
            found,
        }),
        None => Ok(()),
    }
}

fn open(path: &Path) -> Result<(File, u64)> {
    crate::input::open(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })
}

fn layer<R: Read + Seek>(
    reader: &mut WireReader<R>,
    end: u64,
    fields: &Fields,
    path: &Arc<PathBuf>,
) -> Result<(String, Vec<StoredTensor>)> {
    let mut name = String::new();
    let mut blobs = Vec::new();
    while let Some((number, wire)) = reader.field(end)? {
        if wire != WireType::Delimited {
            reader.skip(wire, end)?;
        } else if number == fields.name {
            name = reader.string(end, LONGEST_NAME)?;
        } else if number == fields.blobs {
            let blob_end = reader.delimited(end)?;
            blobs.push(blob(reader, blob_end, path)?);
        } else if let Some(inner) = fields.inner
            && number == fields.inner_number
        {
            let inner_end = reader.delimited(end)?;
            let (inner_name, inner_blobs) = layer(reader, inner_end, inner, path)?;
            name = inner_name;
            blobs.extend(inner_blobs);
        } else {
            reader.skip(wire, end)?;
        }
    }
    Ok((name, blobs))
}

#[derive(Default)]
struct BlobFields {
    shape: Option<Vec<usize>>,
    legacy: [Option<usize>; 4],
    chunks: Vec<Chunk>,
    single: Vec<f32>,
    raw_type: u64,
    raw: Option<(u64, u64)>,
}

fn blob<R: Read + Seek>(reader: &mut WireReader<R>, end: u64, path: &Arc<PathBuf>) -> Result<StoredTensor> {
    let mut fields = BlobFields {
        raw_type: 1,
        ..BlobFields::default()
    };
    while let Some((number, wire)) = reader.field(end)? {
        match (number, wire) {
            (1..=4, WireType::Varint) => {
                let value = reader.varint(end)?;
                fields.legacy[number as usize - 1] = Some(extent(reader, value)?);
            }
            (7, WireType::Delimited) => {
                let shape_end = reader.delimited(end)?;
                fields.shape = Some(shape(reader, shape_end)?);
            }
            (5, WireType::Delimited) => chunk(reader, end, Element::F32, &mut fields.chunks)?,
            (8, WireType::Delimited) => chunk(reader, end, Element::F64, &mut fields.chunks)?,
            (5, WireType::Fixed32) => fields.single.push(f32::from_le_bytes(reader.take(end)?)),
            #[expect(clippy::cast_possible_truncation, reason = "Caffe computes in float32 as well")]
            (8, WireType::Fixed64) => fields.single.push(f64::from_le_bytes(reader.take(end)?) as f32),
            (10, WireType::Varint) => fields.raw_type = reader.varint(end)?,
            (12, WireType::Delimited) => {
                let raw_end = reader.delimited(end)?;
                fields.raw = Some((reader.position(), raw_end - reader.position()));
                reader.skip_to(raw_end)?;
            }
            _ => reader.skip(wire, end)?,
        }
    }
    finish(reader, fields, path)
}

fn finish<R: Read + Seek>(reader: &WireReader<R>, mut fields: BlobFields, path: &Arc<PathBuf>) -> Result<StoredTensor> {
    if let Some((offset, len)) = fields.raw {
        let element = match fields.raw_type {
            0 => Element::F64,
            1 => Element::F32,
            2 => Element::F16,
            other => return Err(reader.error(format!("raw data of unknown type {other}"))),
        };
        fields.chunks.push(Chunk { offset, len, element });
    }
    let held: u64 = fields.single.len() as u64 + fields.chunks.iter().map(|c| c.len / c.element.size()).sum::<u64>();
    if fields.chunks.iter().any(|c| c.len % c.element.size() != 0) {
        return Err(reader.error("a run of numbers ends within one"));
    }
    let shape = match fields.shape {
        Some(shape) => shape,
        None if fields.legacy.iter().any(Option::is_some) => {
            fields.legacy.iter().map(|extent| extent.unwrap_or(0)).collect()
        }
        None => vec![usize::try_from(held).map_err(|_| reader.error("too many numbers"))?],
    };
    let declared = shape
        .iter()
        .try_fold(1u64, |product, extent| product.checked_mul(*extent as u64))
        .ok_or_else(|| reader.error(format!("a blob of impossible shape {shape:?}")))?;
    if declared != held {
        return Err(reader.error(format!("a blob of shape {shape:?} with {held} numbers")));
    }
    let source = if fields.chunks.is_empty() {
        Source::Memory(Arc::new(fields.single))
    } else if fields.single.is_empty() {
        Source::File {
            path: path.clone(),
            chunks: fields.chunks,
        }
    } else {
        return Err(reader.error("a blob that is written both packed and one by one"));
    };
    Ok(StoredTensor::new(shape, source))
}

fn chunk<R: Read + Seek>(
    reader: &mut WireReader<R>,
    end: u64,
    element: Element,
    chunks: &mut Vec<Chunk>,
) -> Result<()> {
    let chunk_end = reader.delimited(end)?;
    let offset = reader.position();
    if chunk_end > offset {
        chunks.push(Chunk {
            offset,
            len: chunk_end - offset,
            element,
        });
    }
    reader.skip_to(chunk_end)
}

fn shape<R: Read + Seek>(reader: &mut WireReader<R>, end: u64) -> Result<Vec<usize>> {
    let mut dims = Vec::new();
    while let Some((number, wire)) = reader.field(end)? {
        match (number, wire) {
            (1, WireType::Varint) => {
                let value = reader.varint(end)?;
                dims.push(extent(reader, value)?);
            }
            (1, WireType::Delimited) => {
                let packed_end = reader.delimited(end)?;
                while reader.position() < packed_end {
                    let value = reader.varint(packed_end)?;
                    dims.push(extent(reader, value)?);
                    if dims.len() > MOST_AXES {
                        return Err(reader.error("a blob of more than 32 axes"));
                    }
                }
            }
            _ => reader.skip(wire, end)?,
        }
        if dims.len() > MOST_AXES {
            return Err(reader.error("a blob of more than 32 axes"));
        }
    }
    Ok(dims)
}

fn extent<R: Read + Seek>(reader: &WireReader<R>, value: u64) -> Result<usize> {
    match usize::try_from(value) {
        Ok(extent) if extent <= i32::MAX as usize => Ok(extent),
        _ => Err(reader.error(format!("an axis of {value} entries"))),
    }
}
