//! How many channels an image has where its data layer leaves that to the database: as many as the weights take.

use crate::graph::{Graph, LARGEST, LayerKind, ValueId};

/// Channels where neither the file nor its weights tell: colours.
const COLOURS: usize = 3;

/// Gives inputs whose channels are open those that the first convolution takes, by the shape of its stored weight, else colours
/// where the rest of the shape is known. Returns what a user should know of it.
pub(super) fn settle(graph: &mut Graph, shape_of: impl Fn(&str) -> Option<Vec<usize>>) -> Vec<String> {
    let mut notes = Vec::new();
    for index in 0..graph.layers.len() {
        let layer = &graph.layers[index];
        let LayerKind::Input { shape } = &layer.kind else {
            continue;
        };
        let (rows, columns) = match shape.as_deref() {
            None => (None, None),
            Some([_, None, rows, columns]) => (*rows, *columns),
            Some(_) => continue,
        };
        let taken = layer.outputs.first().and_then(|value| taken(graph, *value, &shape_of));
        let is_sized = rows.is_some() && columns.is_some();
        let channels = match &taken {
            Some((channels, by)) => {
                if is_sized && *channels != COLOURS {
                    notes.push(format!(
                        "layer \"{}\" ({}) does not say how many channels its images have; they are taken to have {channels}, as \
                         the weights of \"{by}\" are for",
                        layer.name, layer.type_name
                    ));
                }
                *channels
            }
            None if is_sized => COLOURS,
            None => continue,
        };
        graph.layers[index].kind = LayerKind::Input {
            shape: Some(vec![Some(1), Some(channels), rows, columns]),
        };
    }
    notes
}

/// Channels that the first convolution of a value takes, and its name.
fn taken(graph: &Graph, value: ValueId, shape_of: impl Fn(&str) -> Option<Vec<usize>>) -> Option<(usize, String)> {
    let mut values = vec![value];
    // A layer comes after those whose values it reads.
    for layer in graph.layers.iter().filter(|layer| !layer.inputs.is_empty()) {
        if !layer.inputs.iter().all(|input| values.contains(input)) {
            continue;
        }
        if let LayerKind::Convolution(settings) = &layer.kind {
            let shape = shape_of(&settings.weight)?;
            let [_, channels, _, _] = *shape.as_slice() else {
                return None;
            };
            let channels = channels.checked_mul(settings.group)?;
            return (1..=LARGEST)
                .contains(&channels)
                .then(|| (channels, layer.name.clone()));
        }
        if keeps_channels(&layer.kind) {
            values.extend(&layer.outputs);
        }
    }
    None
}

/// Whether a layer that prepares images leaves as many channels as there were.
fn keeps_channels(kind: &LayerKind) -> bool {
    matches!(
        kind,
        LayerKind::Split
            | LayerKind::Dropout
            | LayerKind::Power { .. }
            | LayerKind::Scale { .. }
            | LayerKind::Bias { .. }
            | LayerKind::BatchNorm { .. }
            | LayerKind::BatchStatistics { .. }
            | LayerKind::Mvn { .. }
            | LayerKind::Lrn(_)
            | LayerKind::Pooling(_)
            | LayerKind::Interp { .. }
    )
}
