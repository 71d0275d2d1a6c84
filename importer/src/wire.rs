//! The protobuf wire format, read from a file with bounded memory: structure is walked, payloads are skipped.

use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The largest number that a field can have (2^29 - 1).
const LARGEST_FIELD: u32 = (1 << 29) - 1;

/// How a field is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WireType {
    Varint,
    Fixed64,
    Delimited,
    Fixed32,
}

/// A reader that knows where it is and never reads past the end of the message it is in.
pub(crate) struct WireReader<R> {
    inner: BufReader<R>,
    position: u64,
    path: PathBuf,
    expected: &'static str,
}

impl<R: Read + Seek> WireReader<R> {
    pub(crate) fn new(inner: R, path: &Path, expected: &'static str) -> Self {
        Self {
            inner: BufReader::with_capacity(1 << 16, inner),
            position: 0,
            path: path.to_owned(),
            expected,
        }
    }

    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    pub(crate) fn error(&self, message: impl Into<String>) -> Error {
        Error::Binary {
            path: self.path.clone(),
            offset: self.position,
            message: message.into(),
            expected: self.expected,
        }
    }

    /// The next field's number and type, or `None` at `end`. Larger numbers than the format has are refused: a tensor's
    /// fields are copied, and there they would become those of others.
    pub(crate) fn field(&mut self, end: u64) -> Result<Option<(u32, WireType)>> {
        if self.position >= end {
            return Ok(None);
        }
        let key = self.varint(end)?;
        let wire = match key & 7 {
            0 => WireType::Varint,
            1 => WireType::Fixed64,
            2 => WireType::Delimited,
            5 => WireType::Fixed32,
            other => return Err(self.error(format!("unknown wire type {other}"))),
        };
        match u32::try_from(key >> 3) {
            Ok(number) if (1..=LARGEST_FIELD).contains(&number) => Ok(Some((number, wire))),
            _ => Err(self.error("impossible field number")),
        }
    }

    pub(crate) fn varint(&mut self, end: u64) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let [byte] = self.take::<1>(end)?;
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.error("a number runs over ten bytes"))
    }

    pub(crate) fn take<const N: usize>(&mut self, end: u64) -> Result<[u8; N]> {
        if self.position + N as u64 > end {
            return Err(self.error("it ends in the middle of a value"));
        }
        let mut bytes = [0; N];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Where the length-delimited value that starts here ends, checked against `end`.
    pub(crate) fn delimited(&mut self, end: u64) -> Result<u64> {
        let len = self.varint(end)?;
        match self.position.checked_add(len) {
            Some(value_end) if value_end <= end => Ok(value_end),
            _ => Err(self.error(format!(
                "a value of {len} bytes is declared, {} are left",
                end - self.position
            ))),
        }
    }

    /// A string of at most `limit` bytes.
    pub(crate) fn string(&mut self, end: u64, limit: u64) -> Result<String> {
        let value_end = self.delimited(end)?;
        let len = value_end - self.position;
        if len > limit {
            return Err(self.error(format!("a name of {len} bytes")));
        }
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
        self.read_exact(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// A value of any length that is there, its bytes.
    pub(crate) fn bytes(&mut self, end: u64) -> Result<Vec<u8>> {
        let value_end = self.delimited(end)?;
        self.rest(value_end)
    }

    /// The bytes up to `end`, which must be known to be there.
    pub(crate) fn rest(&mut self, end: u64) -> Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(end - self.position).unwrap_or(0)];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    pub(crate) fn skip_to(&mut self, position: u64) -> Result<()> {
        let distance =
            i64::try_from(position - self.position).map_err(|_| self.error("a value of impossible length"))?;
        let path = self.path.clone();
        self.inner
            .seek_relative(distance)
            .map_err(|source| Error::Read { path, source })?;
        self.position = position;
        Ok(())
    }

    pub(crate) fn skip(&mut self, wire: WireType, end: u64) -> Result<()> {
        match wire {
            WireType::Varint => self.varint(end).map(drop),
            WireType::Fixed64 => self.take::<8>(end).map(drop),
            WireType::Fixed32 => self.take::<4>(end).map(drop),
            WireType::Delimited => {
                let value_end = self.delimited(end)?;
                self.skip_to(value_end)
            }
        }
    }

    fn read_exact(&mut self, bytes: &mut [u8]) -> Result<()> {
        let path = self.path.clone();
        self.inner
            .read_exact(bytes)
            .map_err(|source| Error::Read { path, source })?;
        self.position += bytes.len() as u64;
        Ok(())
    }
}
