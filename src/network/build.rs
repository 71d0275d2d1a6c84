//! What a layer is built from: its specification, the shapes of its bottoms, its learned blobs and a device.

use std::cell::RefCell;
use std::collections::BTreeMap;

use burn::module::{Param, ParamId};
use burn::tensor::{DType, Device, Tensor, TensorData};
use deepvis_importer::weights::trimmed;
use deepvis_importer::{Blob as Learned, Layer};

use super::error::{Error, Result};
use super::layer::LayerModule;

/// A built layer and the shapes of its tops.
pub(super) type BuildResult = Result<(LayerModule, Vec<Vec<usize>>)>;

/// The shape of the learned blob, as Caffe's `LayerSetUp` would give it, and what is in the file.
pub(super) struct LayerBuild<'a> {
    pub(super) layer: &'a Layer,
    pub(super) bottoms: Vec<&'a [usize]>,
    /// The learned blobs; `None` when only shapes are wanted.
    pub(super) learned: Option<&'a [Learned]>,
    pub(super) device: &'a Device,
    /// The largest blob that may be made, in entries.
    pub(super) most_entries: usize,
    /// Shapes of the learned blobs that the layer asked for, by index.
    pub(super) asked_for: RefCell<BTreeMap<usize, Vec<usize>>>,
}

impl LayerBuild<'_> {
    pub(super) fn error(&self, message: impl Into<String>) -> Error {
        Error::Layer {
            layer: self.layer.name.clone(),
            kind: self.layer.type_name.clone(),
            message: message.into(),
        }
    }

    /// The shape of the first bottom.
    pub(super) fn bottom(&self) -> &[usize] {
        self.bottoms[0]
    }

    /// The first bottom as batch, channels, rows, columns.
    pub(super) fn image(&self) -> Result<[usize; 4]> {
        self.bottom().try_into().map_err(|_| {
            self.error(format!(
                "it takes a blob of 4 axes, not one of shape {:?}",
                self.bottom()
            ))
        })
    }

    /// Caffe's `CanonicalAxisIndex`: negative axes count from the end.
    pub(super) fn axis(&self, axis: i32) -> Result<usize> {
        self.axis_of(axis, self.bottom().len())
    }

    pub(super) fn axis_of(&self, axis: i32, rank: usize) -> Result<usize> {
        let from_end = axis < 0;
        let index = axis.unsigned_abs() as usize;
        let index = if from_end { rank.checked_sub(index) } else { Some(index) };
        match index {
            Some(index) if index < rank => Ok(index),
            _ => Err(self.error(format!("axis {axis} of a blob with {rank} axes"))),
        }
    }

    /// A layer with one top.
    pub(super) fn one(&self, module: impl Into<LayerModule>, top: Vec<usize>) -> BuildResult {
        self.many(module, vec![top])
    }

    /// A layer with several tops.
    pub(super) fn many(&self, module: impl Into<LayerModule>, tops: Vec<Vec<usize>>) -> BuildResult {
        for top in &tops {
            self.check_size(top)?;
        }
        Ok((module.into(), tops))
    }

    /// Refuses tops that are empty or too large.
    pub(super) fn check_size(&self, top: &[usize]) -> Result<()> {
        match entries(top) {
            Some(0) => Err(self.error(format!("its output of shape {top:?} is empty; is the input too small?"))),
            Some(entries) if entries <= self.most_entries => Ok(()),
            _ => Err(self.error(format!(
                "its output of shape {top:?} does not fit the memory that may be used; see --max-memory"
            ))),
        }
    }

    /// The learned blob of that index as a constant of the network; its shape must be `shape`, leading ones aside.
    pub(super) fn parameter<const D: usize>(
        &self,
        index: usize,
        what: &str,
        shape: [usize; D],
    ) -> Result<Param<Tensor<D>>> {
        self.ask_for(index, what, &shape)?;
        let Some(blobs) = self.learned else {
            let zeros = move |device: &Device, _| Tensor::zeros(shape, device);
            return Ok(Param::uninitialized(
                ParamId::new(),
                zeros,
                self.device.clone(),
                false,
                shape.into(),
            ));
        };
        let learned = self.learned(blobs, index, what, &shape)?;
        let bytes = learned.bytes()?;
        let data = TensorData::from_bytes(bytes.shared(), shape.to_vec(), DType::F32);
        let tensor = Tensor::from_data(data, self.device);
        Ok(Param::initialized(ParamId::new(), tensor).set_require_grad(false))
    }

    /// A constant of the network that is computed from learned blobs.
    pub(super) fn constant<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Param<Tensor<D>> {
        let tensor = Tensor::from_data(TensorData::new(values, shape), self.device);
        Param::initialized(ParamId::new(), tensor).set_require_grad(false)
    }

    /// The entries of the learned blob of that index.
    pub(super) fn values(&self, index: usize, what: &str, shape: &[usize]) -> Result<Vec<f32>> {
        self.ask_for(index, what, shape)?;
        match self.learned {
            Some(blobs) => Ok(self.learned(blobs, index, what, shape)?.values()?),
            None => Ok(vec![0.0; shape.iter().product()]),
        }
    }

    /// Notes a learned blob's shape, and refuses one that is out of all proportion.
    fn ask_for(&self, index: usize, what: &str, shape: &[usize]) -> Result<()> {
        if entries(shape).is_none_or(|entries| entries > self.most_entries) {
            return Err(self.error(format!(
                "its {what} of shape {shape:?} does not fit the memory that may be used; see --max-memory"
            )));
        }
        self.asked_for.borrow_mut().insert(index, shape.to_vec());
        Ok(())
    }

    fn learned<'b>(&self, blobs: &'b [Learned], index: usize, what: &str, shape: &[usize]) -> Result<&'b Learned> {
        let learned = blobs.get(index).ok_or_else(|| {
            self.error(format!(
                "the weights file has no {what} for it; is it of this network, and is the layer's name the same there?"
            ))
        })?;
        if trimmed(learned.shape()) != trimmed(shape) {
            return Err(self.error(format!(
                "its {what} should have shape {shape:?}, in the weights file it has {:?}; are prototxt and weights of \
                 one network, and --data-size right?",
                learned.shape()
            )));
        }
        Ok(learned)
    }
}

/// The number of entries of a shape, if it can be counted.
pub(super) fn entries(shape: &[usize]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1usize, |product, extent| product.checked_mul(*extent))
}
