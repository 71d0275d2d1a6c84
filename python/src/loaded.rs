//! A network with what computes it, shared by all that came of it.

use std::sync::OnceLock;

use deepvis::backend::Compute;
use deepvis::model::Model;
use deepvis::session::Fingerprint;
use pyo3::prelude::*;

use crate::error;

/// A network with what computes it.
pub(crate) struct Loaded {
    pub(crate) model: Model,
    pub(crate) compute: Compute,
    /// The preset that the model's own settings name.
    pub(crate) preset: Option<String>,
    /// What must live as long as the network: the folder of a temporary file, from which weights are read when they are
    /// needed.
    _keep: Option<Py<PyAny>>,
    fingerprint: OnceLock<Fingerprint>,
}

impl Loaded {
    /// `preset` is that of the model's own settings, and `keep` lives as long as the network.
    pub(crate) fn new(model: Model, compute: Compute, preset: Option<String>, keep: Option<Py<PyAny>>) -> Self {
        Self {
            model,
            compute,
            preset,
            _keep: keep,
            fingerprint: OnceLock::new(),
        }
    }

    /// See [`Fingerprint::of`]; all weights are read the first time.
    pub(crate) fn fingerprint(&self, layer: &str) -> PyResult<Fingerprint> {
        if let Some(known) = self.fingerprint.get() {
            return Ok(*known);
        }
        let image = self.model.image(layer, self.compute.most_entries);
        let image = image.map_err(|error| error::of_network(&error))?;
        let found = Fingerprint::of(&self.model, image).map_err(|error| error::of_session(&error))?;
        Ok(*self.fingerprint.get_or_init(|| found))
    }
}
