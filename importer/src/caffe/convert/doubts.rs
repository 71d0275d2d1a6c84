//! What was left out of a layer's settings because Caffe does not know it, and whether that matters.

use std::collections::HashSet;

use crate::about::Doubt;
use crate::caffe::proto::{LayerParameter, NetParameter};
use crate::graph::{Graph, LayerKind};

/// Fields, by any part of their path, that say how a net is trained or fed, how fast it is computed or how it is drawn, and
/// that no result of a forward pass depends on.
const WITHOUT_EFFECT: &[&str] = &[
    "accuracy_param",
    "annotated_data_param",
    "bias_filler",
    "blobs_lr",
    "class_weighting",
    "contrastive_loss_param",
    "convolution_algo",
    "cudnn_convolution_algo_seeker",
    "cudnn_math_override",
    "data_param",
    "debug_info",
    "decay_mult",
    "detection_evaluate_param",
    "detection_output_param",
    "device",
    "disable_batch_norm_backward",
    "dummy_data_param",
    "engine",
    "filler",
    "forward_math",
    "forward_type",
    "backward_math",
    "backward_type",
    "frozen",
    "hdf5_data_param",
    "hdf5_output_param",
    "hinge_loss_param",
    "image_data_param",
    "include",
    "exclude",
    "infogain_loss_param",
    "iter_size",
    "loss_param",
    "loss_weight",
    "lr_mult",
    "memory_data_param",
    "memory_optimize",
    "momentum",
    "moving_average_fraction",
    "moving_average",
    "multibox_loss_param",
    "need_backward",
    "param",
    "phase",
    "propagate_down",
    "python_param",
    "recurrent_param",
    "scale_filler",
    "share_mode",
    "slope_filler",
    "transform_param",
    "type",
    "variance_norm",
    "visualize",
    "weight_decay",
    "weight_filler",
    "window_data_param",
];

fn has_effect(path: &str) -> bool {
    let fields = path.split(": ").next().unwrap_or(path);
    !fields
        .split('.')
        .any(|field| WITHOUT_EFFECT.contains(&field) || field.ends_with("_loss_param"))
}

/// A value of a known setting that Caffe does not know: without it the layer would be computed as another.
pub(super) fn unknown_value(proto: &LayerParameter) -> Option<&str> {
    proto
        .deepvis_left_out
        .iter()
        .map(String::as_str)
        .find(|path| path.contains(": ") && has_effect(path))
}

/// What was left out of the layers of a net that are computed.
pub(super) fn of(net: &NetParameter, graph: &Graph) -> Vec<Doubt> {
    let is_computed = |kind: &LayerKind| {
        !matches!(
            kind,
            LayerKind::Input { .. } | LayerKind::Sink | LayerKind::Unsupported { .. }
        )
    };
    let computed: HashSet<&str> = graph
        .layers
        .iter()
        .filter(|layer| is_computed(&layer.kind))
        .map(|layer| layer.name.as_str())
        .collect();
    let layers = net.layer.iter().filter(|layer| computed.contains(layer.name()));
    layers
        .flat_map(|layer| {
            let left_out = layer.deepvis_left_out.iter().filter(|path| has_effect(path));
            left_out.map(|field| Doubt {
                layer: layer.name().to_owned(),
                field: field.clone(),
            })
        })
        .collect()
}
