//! The network and what belongs to it: found by flags, settings and usual places, then loaded.

mod bundled;
mod folder;
pub(super) mod named;
mod options;

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use deepvis_importer::{Import, record};

use super::device::Compute;
use super::error::{Error, Result};
use super::labels::Labels;
use super::mean::Mean;
use crate::network::Network;

pub use options::ModelOptions;

/// A loaded network.
#[derive(Debug)]
pub struct Model {
    /// Graph and weights.
    pub import: Import,
    /// Labels, where there are some.
    pub labels: Labels,
    /// What it was loaded from.
    pub options: ModelOptions,
}

impl ModelOptions {
    /// Loads the network.
    ///
    /// # Errors
    /// When a file is missing, damaged, or of another network.
    pub fn load(self) -> anyhow::Result<Model> {
        let weights = self.weights.clone();
        let mut import = match (&self.deploy, weights) {
            (_, Some(weights)) if is_burnpack(&weights) => record::open(&weights)?,
            (Some(deploy), Some(weights)) => deepvis_importer::import(deploy, &weights)?,
            (None, Some(weights)) => {
                return Err(Error::Usage(format!(
                    "--net-weights {} needs its prototxt: give --deploy-proto too",
                    weights.display()
                ))
                .into());
            }
            (Some(deploy), None) => {
                return Err(Error::Usage(format!(
                    "--deploy-proto {} needs its weights: give --net-weights too",
                    deploy.display()
                ))
                .into());
            }
            (None, None) => return Err(Error::NoNetwork.into()),
        };
        if let Some(shape) = &self.input_shape {
            import.graph.set_input_shape(shape);
        }
        let labels = match &self.labels {
            Some(path) => Labels::read(path, self.label_layers.clone())?,
            None => Labels::default(),
        };
        Ok(Model {
            import,
            labels,
            options: self,
        })
    }
}

impl Model {
    /// Tells what the importer found odd.
    pub fn warn(&self) {
        for warning in &self.import.warnings {
            eprintln!("warning: {warning}");
        }
    }

    /// The shape of a layer's blob for one image, with the batch axis.
    ///
    /// # Errors
    /// As [`Network::build`].
    pub fn shape(&self, layer: &str, most_entries: usize) -> crate::network::Result<Vec<usize>> {
        let Import { graph, weights, .. } = &self.import;
        let network = Network::build(
            graph,
            weights,
            &[layer],
            self.options.size,
            &Device::flex(),
            most_entries,
        )?;
        Ok(network.shape(0).to_vec())
    }

    /// The network up to a layer.
    ///
    /// # Errors
    /// As [`Network::build`].
    pub fn network(&self, layer: &str, compute: &Compute) -> crate::network::Result<Network> {
        let Import { graph, weights, .. } = &self.import;
        Network::build(
            graph,
            weights,
            &[layer],
            self.options.size,
            &compute.device,
            compute.most_entries,
        )
    }

    /// The mean for an image of that size, an entry for each of the image's.
    ///
    /// # Errors
    /// When the mean does not parse, cannot be read, or is of another size.
    pub fn mean(&self, image: [usize; 3]) -> Result<Arc<[f64]>> {
        let mean = self.options.mean.as_deref().map_or(Ok(Mean::None), Mean::parse)?;
        mean.for_image(image)
    }
}

/// Whether a file of weights is a burnpack, by its ending.
pub fn is_burnpack(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("bpk"))
}
