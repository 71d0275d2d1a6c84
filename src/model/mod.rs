//! A model: the network, and what belongs to it (preprocessing, labels), found by a name or files, then loaded.

pub mod bundled;
pub mod catalogue;
pub mod data_folder;
pub mod error;
pub mod files;
mod fitted;
pub mod folder;
pub mod labels;
pub mod mean;
pub mod named;
pub mod npy;
pub mod photo;
pub mod preprocessing;
pub mod settings;
mod source;
pub mod toolbox;

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use deepvis_importer::Import;

use crate::backend::Compute;
use crate::network::{LayerFacts, Network, survey, taking};

pub use error::{Error, Result};
pub use fitted::fit_input;
pub use labels::Labels;
pub use mean::Mean;
pub use preprocessing::{Preprocessing, Scheme};
pub use settings::Settings;
pub use source::Source;

/// A loaded model.
#[derive(Debug)]
pub struct Model {
    /// Graph and weights.
    pub import: Import,
    /// Labels, where there are some.
    pub labels: Labels,
    /// What it was loaded from.
    pub source: Source,
}

impl Model {
    /// The network's name, else the file of its weights.
    pub fn name(&self) -> String {
        if self.import.graph.name.is_empty() {
            self.import.weights.source().display().to_string()
        } else {
            self.import.graph.name.clone()
        }
    }

    /// The shape of a layer's blob for one image as its units are counted: batch, channels, rows and columns.
    ///
    /// # Errors
    /// As [`Network::build`].
    pub fn shape(&self, layer: &str, most_entries: usize) -> crate::network::Result<Vec<usize>> {
        Ok(self.up_to(layer, most_entries)?.unit_shape(0))
    }

    /// The shape of a layer's blob for one image as it is, with the batch axis.
    ///
    /// # Errors
    /// As [`Network::build`].
    pub fn blob_shape(&self, layer: &str, most_entries: usize) -> crate::network::Result<Vec<usize>> {
        Ok(self.up_to(layer, most_entries)?.shape(0).to_vec())
    }

    fn up_to(&self, layer: &str, most_entries: usize) -> crate::network::Result<Network> {
        let Import { graph, weights, .. } = &self.import;
        let (size, device) = (self.source.size, Device::flex());
        Network::build(graph, weights, &[layer], size, &device, most_entries)
    }

    /// Channels, rows and columns of the image that a layer depends on.
    ///
    /// # Errors
    /// As [`Network::build`].
    pub fn image(&self, layer: &str, most_entries: usize) -> crate::network::Result<[usize; 3]> {
        let Import { graph, .. } = &self.import;
        crate::network::image(graph, layer, self.source.size, most_entries)
    }

    /// The network up to a layer.
    ///
    /// # Errors
    /// As [`Network::build`].
    pub fn network(&self, layer: &str, compute: &Compute) -> crate::network::Result<Network> {
        self.network_of(&[layer], compute)
    }

    /// Facts about all layers, in order.
    pub fn layers(&self, most_entries: usize) -> Vec<LayerFacts> {
        let Import { graph, weights, .. } = &self.import;
        survey(graph, Some(weights), self.source.size, most_entries)
    }

    /// The last layer whose values can be computed: the class probabilities, in a net that ends with them.
    pub fn last_layer(&self, most_entries: usize) -> Option<String> {
        let facts = self.layers(most_entries);
        let last = facts.iter().rev().find(|fact| fact.can_be_pushed());
        last.and_then(|fact| fact.tops.first().cloned())
    }

    /// The network up to several layers, which become its targets in this order.
    ///
    /// # Errors
    /// As [`Network::build`].
    pub fn network_of(&self, layers: &[&str], compute: &Compute) -> crate::network::Result<Network> {
        let Import { graph, weights, .. } = &self.import;
        let network = Network::build(
            graph,
            weights,
            layers,
            self.source.size,
            &compute.device,
            compute.most_entries,
        )?;
        let needed = network.sizes().on_host(1, false);
        if !compute.is_gpu() && needed > compute.memory {
            let [_, rows, columns] = network.image();
            return Err(crate::network::Error::TooLarge {
                what: format!(
                    "the network up to \"{}\" with an image of {rows} x {columns} pixels ({})",
                    layers.join("\", \""),
                    taking(needed, compute.memory)
                ),
            });
        }
        let factors = self.source.preprocessing.factors(network.image()[0]);
        Ok(network.with_factors(factors.map_err(crate::network::Error::Input)?))
    }

    /// The mean for an image of that size, an entry for each of the image's.
    ///
    /// # Errors
    /// When the mean does not parse, cannot be read, or is of another size.
    pub fn mean(&self, image: [usize; 3]) -> Result<Arc<[f64]>> {
        let mean = self
            .source
            .preprocessing
            .mean
            .as_deref()
            .map_or(Ok(Mean::None), Mean::parse)?;
        mean.for_image(image)
    }
}

/// Whether a file is a network as a whole, by its ending.
pub fn is_whole(path: &Path) -> bool {
    files::Kind::of(path).is_some_and(files::Kind::is_whole)
}
