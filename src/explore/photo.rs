//! What a photograph does in the network: the classes it is taken for, and the channels of a layer that answer most.

use burn::tensor::{Tensor, TensorData};
use serde::Serialize;

use super::Explorer;
use super::description::LayerRow;
use crate::ascent::floats;
use crate::model::photo;
use crate::network::Network;
use crate::objective;

/// Channels and classes that are named.
const MOST: usize = 12;

/// The answer.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    /// The layer whose units are the classes.
    class_layer: String,
    /// The likeliest.
    classes: Vec<Channel>,
    /// The layer that was asked for.
    layer: String,
    /// Its channels with the largest values, largest first.
    channels: Vec<Channel>,
}

/// A channel of a layer.
#[derive(Debug, Serialize)]
struct Channel {
    channel: usize,
    label: Option<String>,
    /// Its largest value.
    value: f32,
    /// Where that is, as parts of height and width.
    at: [f64; 2],
}

/// Sends a picture through the network.
///
/// # Errors
/// What is wrong with it, or with the layer.
pub(super) fn look(explorer: &Explorer, layers: &[LayerRow], layer: &str, bytes: &[u8]) -> Result<Answer, String> {
    let last = layers.iter().rev().find_map(|row| row.push.as_deref());
    let class_layer = last.ok_or("no layer of this network can be computed")?;
    let (model, compute) = (&explorer.model, &explorer.compute);
    let network = Network::build(
        &model.import.graph,
        &model.import.weights,
        &[layer, class_layer],
        model.source.size,
        &compute.device,
        compute.most_entries,
    )
    .map_err(|error| error.to_string())?;
    let [channels, rows, columns] = network.image();
    let mean = model.mean(network.image()).map_err(|error| error.to_string())?;
    let image = photo::from_bytes(bytes, network.image(), model.source.preprocessing.swap, &mean)?;
    let image = Tensor::<4>::from_data(TensorData::new(image, [1, channels, rows, columns]), &compute.device);
    let found = network.units(image);
    let ranked = |index: usize, layer: &str| {
        let values = floats(found[index].value.tensor()).map_err(|error| error.to_string())?;
        let extents = objective::extents(found[index].value.shape(), layer).map_err(|error| error.to_string())?;
        Ok::<_, String>(rank(&values, extents, |channel| {
            model.labels.name(layer, extents[0], channel).map(str::to_owned)
        }))
    };
    Ok(Answer {
        classes: ranked(1, class_layer)?,
        channels: ranked(0, layer)?,
        class_layer: class_layer.to_owned(),
        layer: layer.to_owned(),
    })
}

/// Channels by their largest values.
#[expect(clippy::cast_precision_loss, reason = "rows and columns are few")]
fn rank(values: &[f32], [_, rows, columns]: [usize; 3], label: impl Fn(usize) -> Option<String>) -> Vec<Channel> {
    let area = (rows * columns).max(1);
    let mut ranked: Vec<Channel> = values
        .chunks(area)
        .enumerate()
        .filter_map(|(channel, values)| {
            let (place, value) = values.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
            let middle = |index: usize, extent: usize| (index as f64 + 0.5) / extent as f64;
            Some(Channel {
                channel,
                label: None,
                value: *value,
                at: [middle(place / columns, rows), middle(place % columns, columns)],
            })
        })
        .collect();
    ranked.sort_by(|a, b| b.value.total_cmp(&a.value));
    ranked.truncate(MOST);
    for channel in &mut ranked {
        channel.label = label(channel.channel);
    }
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_ranked_by_their_largest_value() {
        let values = [0.0, 3.0, 1.0, 0.0, -1.0, -2.0, -3.0, -0.5, 9.0, 0.0, 0.0, 0.0];
        let ranked = rank(&values, [3, 2, 2], |channel| Some(channel.to_string()));
        let order: Vec<(usize, f32, [f64; 2])> = ranked
            .iter()
            .map(|found| (found.channel, found.value, found.at))
            .collect();
        assert_eq!(
            order,
            [(2, 9.0, [0.25, 0.25]), (0, 3.0, [0.25, 0.75]), (1, -0.5, [0.75, 0.75])]
        );
        assert_eq!(ranked[1].label.as_deref(), Some("0"));
    }
}
