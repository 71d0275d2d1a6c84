//! What a layer is built from: its specification, the shapes of its bottoms, the stored tensors and a device.

use std::cell::RefCell;

use burn::module::{Param, ParamId};
use burn::tensor::{DType, Device, Tensor, TensorData};
use deepvis_importer::weights::trimmed;
use deepvis_importer::{Layer, StoredTensor, Weights};

use crate::network::error::{Error, Result};
use crate::network::host::inner_product::InnerProduct;
use crate::network::layers::LayerModule;

/// A built layer and the shapes of its tops.
pub(in crate::network) type BuildResult = Result<(LayerModule, Vec<Vec<usize>>)>;

/// What a layer is built from.
pub(in crate::network) struct LayerBuild<'a> {
    pub(in crate::network) layer: &'a Layer,
    pub(in crate::network) bottoms: Vec<&'a [usize]>,
    /// The stored tensors; `None` when only shapes are wanted.
    pub(in crate::network) weights: Option<&'a Weights>,
    pub(in crate::network) device: &'a Device,
    /// The largest blob that may be made, in entries.
    pub(in crate::network) most_entries: usize,
    /// Names and shapes of the stored tensors that the layer asked for.
    pub(in crate::network) asked_for: RefCell<Vec<(String, Vec<usize>)>>,
}

impl LayerBuild<'_> {
    pub(in crate::network) fn error(&self, message: impl Into<String>) -> Error {
        Error::of(self.layer, message)
    }

    /// The shape of the first bottom.
    pub(in crate::network) fn bottom(&self) -> &[usize] {
        self.bottoms[0]
    }

    /// The first bottom as batch, channels, rows, columns.
    pub(in crate::network) fn image(&self) -> Result<[usize; 4]> {
        self.bottom().try_into().map_err(|_| {
            self.error(format!(
                "it takes a blob of 4 axes, not one of shape {:?}",
                self.bottom()
            ))
        })
    }

    /// Caffe's `CanonicalAxisIndex`: negative axes count from the end.
    pub(in crate::network) fn axis(&self, axis: i32) -> Result<usize> {
        self.axis_of(axis, self.bottom().len())
    }

    pub(in crate::network) fn axis_of(&self, axis: i32, rank: usize) -> Result<usize> {
        let from_end = axis < 0;
        let index = axis.unsigned_abs() as usize;
        let index = if from_end { rank.checked_sub(index) } else { Some(index) };
        match index {
            Some(index) if index < rank => Ok(index),
            _ => Err(self.error(format!("axis {axis} of a blob with {rank} axes"))),
        }
    }

    /// A layer with one top.
    pub(in crate::network) fn one(&self, module: impl Into<LayerModule>, top: Vec<usize>) -> BuildResult {
        self.many(module, vec![top])
    }

    /// A layer with several tops.
    pub(in crate::network) fn many(&self, module: impl Into<LayerModule>, tops: Vec<Vec<usize>>) -> BuildResult {
        for top in &tops {
            self.check_size(top)?;
        }
        Ok((module.into(), tops))
    }

    /// Refuses tops that are empty or too large.
    pub(in crate::network) fn check_size(&self, top: &[usize]) -> Result<()> {
        match entries(top) {
            Some(0) => Err(self.error(format!("its output of shape {top:?} is empty; is the input too small?"))),
            Some(entries) if entries <= self.most_entries => Ok(()),
            _ => Err(Error::too_large(self.layer, &format!("output of shape {top:?}"))),
        }
    }

    /// A stored tensor as a constant of the network; its shape must be `shape`, leading ones aside.
    pub(in crate::network) fn parameter<const D: usize>(
        &self,
        name: &str,
        what: &str,
        shape: [usize; D],
    ) -> Result<Param<Tensor<D>>> {
        self.ask_for(name, what, &shape)?;
        let Some(weights) = self.weights else {
            let zeros = move |device: &Device, _| Tensor::zeros(shape, device);
            return Ok(Param::uninitialized(
                ParamId::new(),
                zeros,
                self.device.clone(),
                false,
                shape.into(),
            ));
        };
        let bytes = self.stored(weights, name, what, &shape)?.bytes()?;
        let data = TensorData::from_bytes(bytes.shared(), shape.to_vec(), DType::F32);
        let tensor = Tensor::from_data(data, self.device);
        Ok(Param::initialized(ParamId::new(), tensor).set_require_grad(false))
    }

    /// A weight in the order in which the host's function takes it. For shapes alone no numbers are moved.
    pub(in crate::network) fn arranged(&self, weight: Param<Tensor<2>>, product: &InnerProduct) -> Param<Tensor<2>> {
        match self.weights {
            Some(_) => weight.map(|weight| product.arranged(weight)),
            None => weight,
        }
    }

    /// A constant of the network that is computed from stored tensors.
    pub(in crate::network) fn constant<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Param<Tensor<D>> {
        let tensor = Tensor::from_data(TensorData::new(values, shape), self.device);
        Param::initialized(ParamId::new(), tensor).set_require_grad(false)
    }

    /// The entries of a stored tensor of that shape.
    pub(in crate::network) fn values(&self, name: &str, what: &str, shape: &[usize]) -> Result<Vec<f32>> {
        self.ask_for(name, what, shape)?;
        match self.weights {
            Some(weights) => Ok(self.stored(weights, name, what, shape)?.values()?),
            None => Ok(vec![0.0; shape.iter().product()]),
        }
    }

    /// Notes a stored tensor's shape, and refuses one that is out of all proportion.
    fn ask_for(&self, name: &str, what: &str, shape: &[usize]) -> Result<()> {
        if entries(shape).is_none_or(|entries| entries > self.most_entries) {
            return Err(Error::too_large(self.layer, &format!("{what} of shape {shape:?}")));
        }
        self.asked_for.borrow_mut().push((name.to_owned(), shape.to_vec()));
        Ok(())
    }

    fn stored<'b>(&self, weights: &'b Weights, name: &str, what: &str, shape: &[usize]) -> Result<&'b StoredTensor> {
        let stored = weights.get(name).ok_or_else(|| {
            self.error(format!(
                "the weights file has no {what} for it; is it of this network, and is the layer's name the same there?"
            ))
        })?;
        if !is_same(stored.shape(), shape) {
            return Err(self.error(format!(
                "its {what} should have shape {shape:?}, in the weights file it has {:?}; are prototxt and weights of \
                 one network, and --data-size right?",
                stored.shape()
            )));
        }
        Ok(stored)
    }
}

/// Whether a stored shape is the one that is wanted: leading ones aside, and of one number a channel all ones.
pub(in crate::network) fn is_same(stored: &[usize], wanted: &[usize]) -> bool {
    let others = |shape: &[usize]| shape.iter().copied().filter(|extent| *extent != 1).collect::<Vec<_>>();
    trimmed(stored) == trimmed(wanted) || (wanted.len() == 1 && others(stored) == others(wanted))
}

/// The number of entries of a shape, if it can be counted.
pub(in crate::network) fn entries(shape: &[usize]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1usize, |product, extent| product.checked_mul(*extent))
}
