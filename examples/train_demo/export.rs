//! The trained network as Caffe's files.

use std::path::Path;

use anyhow::Context;
use deepvis_importer::caffe::proto::{BlobProto, BlobShape, LayerParameter, NetParameter};
use image::{Rgb, RgbImage};
use prost::Message;

use crate::network::{Demo, LayerWeights};
use crate::pictures::{SIZE, classes, picture};
use crate::training::SCALE;

/// Examples of each class on a sheet.
const EXAMPLES: u32 = 12;

/// Writes `weights.caffemodel` and `labels.txt` into a folder.
pub fn model(network: &Demo, folder: &Path) -> anyhow::Result<()> {
    let mut layers = network.layers();
    as_caffe_takes_images(&mut layers[0]);
    let layer = layers
        .into_iter()
        .map(|layer| LayerParameter {
            name: Some(layer.name.into()),
            blobs: layer.blobs.into_iter().map(blob).collect(),
            ..LayerParameter::default()
        })
        .collect();
    let net = NetParameter {
        name: Some("demo".into()),
        layer,
        ..NetParameter::default()
    };
    let labels: String = classes().iter().map(|class| format!("{}\n", class.label)).collect();
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, bytes) in [
        ("weights.caffemodel", net.encode_to_vec()),
        ("labels.txt", labels.into_bytes()),
    ] {
        let path = folder.join(name);
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn blob((shape, data): (Vec<usize>, Vec<f32>)) -> BlobProto {
    BlobProto {
        shape: Some(BlobShape {
            dim: shape.iter().map(|extent| *extent as i64).collect(),
        }),
        data,
        ..BlobProto::default()
    }
}

/// Caffe's images are blue, green, red in grey levels; training's were red, green, blue in units of [`SCALE`].
fn as_caffe_takes_images(first: &mut LayerWeights) {
    let (shape, data) = &mut first.blobs[0];
    let plane = shape[2] * shape[3];
    for filter in data.chunks_mut(shape[1] * plane) {
        let (red, others) = filter.split_at_mut(plane);
        red.swap_with_slice(&mut others[plane..]);
    }
    for weight in data {
        *weight /= SCALE;
    }
}

/// Draws examples of every class, a row a class.
pub fn sheet(path: &Path, seed: u64) -> anyhow::Result<()> {
    let classes = classes();
    let side = SIZE as u32;
    let mut sheet = RgbImage::new(side * EXAMPLES, side * classes.len() as u32);
    for (row, class) in classes.iter().enumerate() {
        for column in 0..EXAMPLES {
            let pixels = picture(class, seed, u64::from(column));
            for y in 0..side {
                for x in 0..side {
                    let value = |channel: usize| pixels[(channel * SIZE + y as usize) * SIZE + x as usize] as u8;
                    let pixel = Rgb([value(0), value(1), value(2)]);
                    sheet.put_pixel(column * side + x, row as u32 * side + y, pixel);
                }
            }
        }
    }
    sheet
        .save(path)
        .with_context(|| format!("cannot write {}", path.display()))
}
