//! The bytes of an ONNX file, taken apart: nodes are read, large weights are left where they are.
//!
//! Every declared length is checked against the bytes that are there before anything is allocated, so that neither a
//! hostile nor a truncated file can make this allocate more than a small multiple of its length.

use std::collections::HashMap;
use std::io::{Read, Seek};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use prost::Message;
use prost::encoding::{encode_key, encode_varint};

use super::expand::MOST_NODES;
use super::proto::{FunctionProto, NodeProto, OperatorSetIdProto, StringStringEntryProto, TensorProto, ValueInfoProto};
use super::tensor::{ElementType, Step, Tensor, count, decode, extents};
use crate::error::{Error, Result};
use crate::input;
use crate::weights::{Chunk, Element, Source, StoredTensor};
use crate::wire::{WireReader, WireType};

/// A tensor of the file.
#[derive(Debug, Clone)]
pub(super) enum Initializer {
    /// Small, or of whole numbers: read already.
    Held(Tensor),
    /// Floats that stay in their file until they are asked for.
    Stored(StoredTensor),
}

/// What an ONNX file holds.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) name: String,
    pub(super) producer: String,
    /// The version of each operator set, by domain; `ai.onnx` is "".
    pub(super) opsets: HashMap<String, i64>,
    pub(super) nodes: Vec<NodeProto>,
    pub(super) inputs: Vec<ValueInfoProto>,
    pub(super) outputs: Vec<ValueInfoProto>,
    pub(super) initializers: Vec<(String, Initializer)>,
    pub(super) functions: Vec<FunctionProto>,
}

/// Raw data up to this many bytes is read at once: shapes, axes, scales.
const SMALL: u64 = 4096;

/// Reads a file of the folder that it lies in.
pub(super) fn read(path: &Path) -> Result<Model> {
    let failed = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let (file, len) = input::open(path).map_err(failed)?;
    read_from(file, len, path)
}

/// The same of anything that can be read; weights are later read from `path`.
pub(super) fn read_from<R: Read + Seek>(inner: R, len: u64, path: &Path) -> Result<Model> {
    let mut reader = WireReader::new(inner, path, "ONNX network");
    if len == 0 {
        return Err(reader.error("the file is empty"));
    }
    let shared = Arc::new(path.to_owned());
    let mut model = Model::default();
    let mut graphs = 0;
    while let Some((number, wire)) = reader.field(len)? {
        match (number, wire) {
            (2, WireType::Delimited) => model.producer = reader.string(len, SMALL)?,
            (7, WireType::Delimited) => {
                graphs += 1;
                let end = reader.delimited(len)?;
                graph(&mut reader, end, &shared, &mut model)?;
            }
            (8, WireType::Delimited) => {
                let entry: OperatorSetIdProto = message(&mut reader, len)?;
                let domain = entry.domain().trim_start_matches("ai.onnx").to_owned();
                let domain = if entry.domain() == "ai.onnx" {
                    domain
                } else {
                    entry.domain().to_owned()
                };
                model.opsets.insert(domain, entry.version());
            }
            (25, WireType::Delimited) => model.functions.push(message(&mut reader, len)?),
            _ => reader.skip(wire, len)?,
        }
    }
    if graphs == 0 {
        return Err(reader.error("not an ONNX file: it is protobuf, but of something else, and holds no graph"));
    }
    Ok(model)
}

fn graph<R: Read + Seek>(reader: &mut WireReader<R>, end: u64, path: &Arc<PathBuf>, model: &mut Model) -> Result<()> {
    while let Some((number, wire)) = reader.field(end)? {
        match (number, wire) {
            (1, WireType::Delimited) => {
                if model.nodes.len() >= MOST_NODES {
                    return Err(reader.error(format!("the net has more than {MOST_NODES} nodes")));
                }
                model.nodes.push(message(reader, end)?);
            }
            (2, WireType::Delimited) => model.name = reader.string(end, 1 << 16)?,
            (5, WireType::Delimited) => {
                let tensor_end = reader.delimited(end)?;
                let (proto, raw) = tensor(reader, tensor_end)?;
                let name = proto.name().to_owned();
                let read = initializer(&proto, raw, path)
                    .map_err(|message| reader.error(format!("the tensor \"{name}\": {message}")))?;
                model.initializers.push((name, read));
            }
            (11, WireType::Delimited) => model.inputs.push(message(reader, end)?),
            (12, WireType::Delimited) => model.outputs.push(message(reader, end)?),
            _ => reader.skip(wire, end)?,
        }
    }
    Ok(())
}

/// A message small enough to be held.
fn message<M: Message + Default, R: Read + Seek>(reader: &mut WireReader<R>, end: u64) -> Result<M> {
    let bytes = reader.bytes(end)?;
    M::decode(bytes.as_slice()).map_err(|e| reader.error(e.to_string()))
}

/// A tensor without its raw data where that is large, and where that is: offset and length.
fn tensor<R: Read + Seek>(reader: &mut WireReader<R>, end: u64) -> Result<(TensorProto, Option<(u64, u64)>)> {
    let mut rest = Vec::new();
    let mut raw = None;
    while let Some((number, wire)) = reader.field(end)? {
        match wire {
            WireType::Delimited => {
                let value_end = reader.delimited(end)?;
                let len = value_end - reader.position();
                if number == 9 && len > SMALL {
                    raw = Some((reader.position(), len));
                    reader.skip_to(value_end)?;
                } else {
                    let bytes = reader.rest(value_end)?;
                    encode_key(number, prost::encoding::WireType::LengthDelimited, &mut rest);
                    encode_varint(bytes.len() as u64, &mut rest);
                    rest.extend(bytes);
                }
            }
            WireType::Varint => {
                encode_key(number, prost::encoding::WireType::Varint, &mut rest);
                encode_varint(reader.varint(end)?, &mut rest);
            }
            WireType::Fixed64 => {
                encode_key(number, prost::encoding::WireType::SixtyFourBit, &mut rest);
                rest.extend(reader.take::<8>(end)?);
            }
            WireType::Fixed32 => {
                encode_key(number, prost::encoding::WireType::ThirtyTwoBit, &mut rest);
                rest.extend(reader.take::<4>(end)?);
            }
        }
    }
    let proto = TensorProto::decode(rest.as_slice()).map_err(|e| reader.error(e.to_string()))?;
    Ok((proto, raw))
}

fn initializer(proto: &TensorProto, raw: Option<(u64, u64)>, path: &Arc<PathBuf>) -> Step<Initializer> {
    let dims = extents(&proto.dims)?;
    let element = ElementType::of(i64::from(proto.data_type()))?;
    let bytes = (count(&dims)? as u64).saturating_mul(element.size() as u64);
    let (path, offset, len) = if proto.data_location() == 1 {
        let external = External::of(&proto.external_data)?;
        let file = confined(path, &external.location)?;
        let len = external.length.unwrap_or(bytes);
        let there = std::fs::metadata(&file).map_err(|e| e.to_string())?.len();
        if external.offset.checked_add(len).is_none_or(|end| end > there) {
            return Err(format!(
                "{} ends before its numbers do: it has {there} bytes, {len} are wanted from byte {} on",
                external.location, external.offset
            ));
        }
        (Arc::new(file), external.offset, len)
    } else if let Some((offset, len)) = raw {
        (path.clone(), offset, len)
    } else {
        return Tensor::of(proto).map(Initializer::Held);
    };
    if len != bytes {
        return Err(format!("shape {dims:?} takes {bytes} bytes, {len} are there"));
    }
    let stored = match element {
        ElementType::Float => Some(Element::F32),
        ElementType::Double => Some(Element::F64),
        ElementType::Float16 => Some(Element::F16),
        ElementType::Bfloat16 => Some(Element::Bf16),
        _ => None,
    };
    match stored {
        Some(element) if bytes > SMALL => {
            let chunks = vec![Chunk { offset, len, element }];
            Ok(Initializer::Stored(StoredTensor::new(
                dims,
                Source::File { path, chunks },
            )))
        }
        _ => {
            let held = crate::weights::read_bytes(&path, offset, len).map_err(|e| e.to_string())?;
            Ok(Initializer::Held(Tensor {
                dims,
                data: decode(&held, element),
            }))
        }
    }
}

/// Where the numbers of a tensor with external data are.
struct External {
    location: String,
    offset: u64,
    length: Option<u64>,
}

impl External {
    fn of(entries: &[StringStringEntryProto]) -> Step<Self> {
        let value = |key: &str| {
            entries
                .iter()
                .find(|entry| entry.key() == key)
                .map(|entry| entry.value())
        };
        let number = |key: &str| {
            value(key)
                .map(|text| {
                    text.parse::<u64>()
                        .map_err(|_| format!("{key} \"{text}\" of its external data is no number"))
                })
                .transpose()
        };
        Ok(Self {
            location: value("location").ok_or("its external data has no location")?.to_owned(),
            offset: number("offset")?.unwrap_or(0),
            length: number("length")?,
        })
    }
}

/// A file of the model's own folder; a path that leads elsewhere, also by a link, is refused.
fn confined(model: &Path, location: &str) -> Step<PathBuf> {
    let relative = Path::new(location);
    let stays = !location.is_empty()
        && relative
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !stays || location.contains('\\') {
        return Err(format!(
            "its numbers are said to be in \"{location}\", which is outside the model's folder: refused"
        ));
    }
    let folder = match model.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let missing = |e: std::io::Error| {
        format!(
            "{location}, which holds its numbers, cannot be read in {} ({e}); copy it there, beside the model",
            folder.display()
        )
    };
    let file = folder.join(relative).canonicalize().map_err(missing)?;
    if !file.starts_with(folder.canonicalize().map_err(missing)?) {
        return Err(format!(
            "its numbers are said to be in \"{location}\", a link out of the model's folder: refused"
        ));
    }
    Ok(file)
}
