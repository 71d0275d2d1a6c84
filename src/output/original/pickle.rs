//! `info.pkl` and `info_big.pkl`: a tuple of an `optimize.gradient_optimizer.FindParams` and a `FindResults` instance.
//!
//! Plain values are serde-pickle's; what it has no notion of, instances of classes and NumPy's arrays and scalars, is
//! written here, in pickle protocol 3, or in 2, which Python 2 reads (`Lib/pickletools.py` of CPython documents the opcodes).

use std::collections::BTreeMap;

use serde_pickle::{HashableValue, SerOptions, Value as Pickled};

use super::attributes::{self, Attributes};
use super::params::FindParams;
use crate::ascent::Record;
use crate::python::Value;

/// The module of the two classes, in the original and in `python/` here.
const MODULE: &str = "optimize.gradient_optimizer";

mod opcode {
    pub(super) const PROTO: u8 = 0x80;
    pub(super) const STOP: u8 = b'.';
    pub(super) const GLOBAL: u8 = b'c';
    pub(super) const EMPTY_TUPLE: u8 = b')';
    pub(super) const NEWOBJ: u8 = 0x81;
    pub(super) const EMPTY_DICT: u8 = b'}';
    pub(super) const EMPTY_LIST: u8 = b']';
    pub(super) const MARK: u8 = b'(';
    pub(super) const SETITEMS: u8 = b'u';
    pub(super) const APPENDS: u8 = b'e';
    pub(super) const BUILD: u8 = b'b';
    pub(super) const REDUCE: u8 = b'R';
    pub(super) const TUPLE: u8 = b't';
    pub(super) const TUPLE1: u8 = 0x85;
    pub(super) const TUPLE2: u8 = 0x86;
    pub(super) const TUPLE3: u8 = 0x87;
    pub(super) const SHORT_BINSTRING: u8 = b'U';
    pub(super) const BINUNICODE: u8 = b'X';
    pub(super) const BINBYTES: u8 = b'B';
    pub(super) const BININT: u8 = b'J';
    pub(super) const LONG1: u8 = 0x8a;
    pub(super) const NONE: u8 = b'N';
    pub(super) const NEWFALSE: u8 = 0x89;
    pub(super) const BINPUT: u8 = b'q';
    pub(super) const BINGET: u8 = b'h';
}

/// Memo numbers of what is written more than once.
const FLOAT32_TYPE: u8 = 0;
const SCALAR_FUNCTION: u8 = 1;

/// A pickle in the making.
#[derive(Default)]
struct Pickler {
    out: Vec<u8>,
    protocol: Protocol,
    float32_is_known: bool,
}

/// How pickles are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// 2, for Python 2 and the original's own module.
    Two,
    /// 3, for Python 3.
    #[default]
    Three,
}

/// Whether arrays are written, or the texts that stand for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrays {
    /// As arrays: `info_big.pkl`.
    Whole,
    /// As text: `info.pkl`.
    Trimmed,
}

/// The pickle of an optimization.
///
/// # Errors
/// When serde-pickle refuses a value, or an array is too large for the format (4 GiB).
pub fn info(params: FindParams<'_>, record: &Record, arrays: Arrays, protocol: Protocol) -> Result<Vec<u8>, String> {
    let mut pickler = Pickler {
        protocol,
        ..Pickler::default()
    };
    let number = match protocol {
        Protocol::Two => 2,
        Protocol::Three => 3,
    };
    pickler.out.extend([opcode::PROTO, number]);
    pickler.instance("FindParams", attributes::params(params), arrays)?;
    pickler.instance("FindResults", attributes::results(record), arrays)?;
    pickler.out.extend([opcode::TUPLE2, opcode::STOP]);
    Ok(pickler.out)
}

impl Pickler {
    fn instance(&mut self, class: &str, attributes: Attributes, arrays: Arrays) -> Result<(), String> {
        self.global(MODULE, class);
        self.out
            .extend([opcode::EMPTY_TUPLE, opcode::NEWOBJ, opcode::EMPTY_DICT, opcode::MARK]);
        for (name, value) in attributes {
            self.name(name)?;
            let value = if arrays == Arrays::Trimmed {
                value.trimmed()
            } else {
                value
            };
            self.value(&value)?;
        }
        self.out.extend([opcode::SETITEMS, opcode::BUILD]);
        Ok(())
    }

    fn value(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::Float32(value) => self.float32(*value),
            Value::Array(values, shape) => self.array(values, shape),
            Value::List(values) if values.iter().any(|v| matches!(v, Value::Float32(_))) => {
                self.out.extend([opcode::EMPTY_LIST, opcode::MARK]);
                for value in values {
                    self.value(value)?;
                }
                self.out.push(opcode::APPENDS);
                Ok(())
            }
            Value::Str(text) => self.name(text),
            // In order, which serde-pickle's dicts do not keep.
            Value::Dict(entries) => {
                self.out.extend([opcode::EMPTY_DICT, opcode::MARK]);
                for (key, value) in entries {
                    self.value(key)?;
                    self.value(value)?;
                }
                self.out.push(opcode::SETITEMS);
                Ok(())
            }
            plain => self.plain(plain),
        }
    }

    /// A value that serde-pickle knows, without its header and stop.
    fn plain(&mut self, value: &Value) -> Result<(), String> {
        let bytes = serde_pickle::value_to_vec(&pickled(value)?, SerOptions::new()).map_err(|e| e.to_string())?;
        self.out.extend_from_slice(&bytes[2..bytes.len() - 1]);
        Ok(())
    }

    fn global(&mut self, module: &str, name: &str) {
        self.out.push(opcode::GLOBAL);
        self.out.extend_from_slice(format!("{module}\n{name}\n").as_bytes());
    }

    fn sized(&mut self, opcode: u8, bytes: &[u8]) -> Result<(), String> {
        let len = u32::try_from(bytes.len()).map_err(|_| "an image of over 4 GiB does not fit a pickle")?;
        self.out.push(opcode);
        self.out.extend(len.to_le_bytes());
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// Bytes. Protocol 2 has none that both Pythons read as such but the text of the same letters, encoded: so Python 3 writes
    /// them itself (`_codecs.encode(text, 'latin1')`).
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), String> {
        match self.protocol {
            Protocol::Three => self.sized(opcode::BINBYTES, bytes),
            Protocol::Two => {
                self.global("_codecs", "encode");
                let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
                self.unicode(&text)?;
                self.unicode("latin1")?;
                self.out.extend([opcode::TUPLE2, opcode::REDUCE]);
                Ok(())
            }
        }
    }

    /// A `str` of either Python: in ASCII where Python 2 is to take it for its own.
    fn name(&mut self, text: &str) -> Result<(), String> {
        match (self.protocol, u8::try_from(text.len())) {
            (Protocol::Two, Ok(len)) if text.is_ascii() => {
                self.out.extend([opcode::SHORT_BINSTRING, len]);
                self.out.extend_from_slice(text.as_bytes());
                Ok(())
            }
            _ => self.unicode(text),
        }
    }

    fn unicode(&mut self, text: &str) -> Result<(), String> {
        self.sized(opcode::BINUNICODE, text.as_bytes())
    }

    fn int(&mut self, value: usize) {
        match i32::try_from(value) {
            Ok(value) => {
                self.out.push(opcode::BININT);
                self.out.extend(value.to_le_bytes());
            }
            Err(_) => {
                self.out.extend([opcode::LONG1, 9]);
                self.out.extend((value as u64).to_le_bytes());
                self.out.push(0);
            }
        }
    }

    /// `numpy.dtype(name)`, little-endian, as NumPy pickles it.
    fn dtype(&mut self, name: &str) -> Result<(), String> {
        self.global("numpy", "dtype");
        self.name(name)?;
        self.int(0);
        self.int(1);
        self.out.extend([opcode::TUPLE3, opcode::REDUCE, opcode::MARK]);
        self.int(3);
        self.name("<")?;
        self.out.extend([opcode::NONE, opcode::NONE, opcode::NONE]);
        for minus_one in [-1i32, -1] {
            self.out.push(opcode::BININT);
            self.out.extend(minus_one.to_le_bytes());
        }
        self.int(0);
        self.out.extend([opcode::TUPLE, opcode::BUILD]);
        Ok(())
    }

    /// `numpy.core.multiarray.scalar(dtype('f4'), bytes)`; type and function are written once.
    fn float32(&mut self, value: f32) -> Result<(), String> {
        if self.float32_is_known {
            self.out
                .extend([opcode::BINGET, SCALAR_FUNCTION, opcode::BINGET, FLOAT32_TYPE]);
        } else {
            self.global("numpy.core.multiarray", "scalar");
            self.out.extend([opcode::BINPUT, SCALAR_FUNCTION]);
            self.dtype("f4")?;
            self.out.extend([opcode::BINPUT, FLOAT32_TYPE]);
            self.float32_is_known = true;
        }
        self.bytes(&value.to_le_bytes())?;
        self.out.extend([opcode::TUPLE2, opcode::REDUCE]);
        Ok(())
    }

    /// A float64 array, as `ndarray.__reduce__` gives it: of its own memory, so that it can be written to.
    fn array(&mut self, values: &[f64], shape: &[usize]) -> Result<(), String> {
        self.global("numpy.core.multiarray", "_reconstruct");
        self.global("numpy", "ndarray");
        self.int(0);
        self.out.push(opcode::TUPLE1);
        self.bytes(b"b")?;
        self.out.extend([opcode::TUPLE3, opcode::REDUCE, opcode::MARK]);
        self.int(1);
        self.out.push(opcode::MARK);
        for extent in shape {
            self.int(*extent);
        }
        self.out.push(opcode::TUPLE);
        self.dtype("f8")?;
        self.out.push(opcode::NEWFALSE);
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.bytes(&bytes)?;
        self.out.extend([opcode::TUPLE, opcode::BUILD]);
        Ok(())
    }
}

fn pickled(value: &Value) -> Result<Pickled, String> {
    let all = |values: &[Value]| values.iter().map(pickled).collect::<Result<Vec<_>, _>>();
    Ok(match value {
        Value::None => Pickled::None,
        Value::Bool(value) => Pickled::Bool(*value),
        Value::Int(value) => Pickled::I64(*value),
        Value::Float(value) => Pickled::F64(*value),
        Value::Float32(value) => Pickled::F64(f64::from(*value)),
        Value::Str(text) => Pickled::String(text.clone()),
        Value::Tuple(values) => Pickled::Tuple(all(values)?),
        Value::List(values) => Pickled::List(all(values)?),
        Value::Dict(entries) => {
            let entries = entries.iter().map(|(key, value)| Ok((hashable(key)?, pickled(value)?)));
            Pickled::Dict(entries.collect::<Result<BTreeMap<_, _>, String>>()?)
        }
        Value::Array(..) => return Err("an array inside another value".into()),
    })
}

fn hashable(value: &Value) -> Result<HashableValue, String> {
    match value {
        Value::Str(text) => Ok(HashableValue::String(text.clone())),
        Value::Int(value) => Ok(HashableValue::I64(*value)),
        other => Err(format!("{} as a key", other.repr())),
    }
}
