//! What a front end tells of a network beside its graph.

use serde::{Deserialize, Serialize};

/// A field that was left out of a layer that is computed, and may change what it computes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The layer.
    pub layer: String,
    /// The fields that lead there, as `pooling_param.odd`.
    pub field: String,
}

/// What is done to the values of a photograph before a net sees them: (value - mean) scale.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct InputTransform {
    /// The layer that says so.
    pub layer: String,
    /// The factor; `None` where it is 1.
    pub scale: Option<f32>,
    /// The mean of each channel, or one for all.
    pub mean_values: Vec<f32>,
    /// The mean image's file.
    pub mean_file: Option<String>,
}
