//! What a data layer says of its images: their shape, and what is done to them.

use super::windows::Setting;
use crate::about::InputTransform;
use crate::caffe::proto::{BlobShape, LayerParameter};
use crate::graph::LARGEST;

/// The types of Caffe's data layers, and of known forks'.
const DATA_LAYERS: &[&str] = &[
    "AnnotatedData",
    "Data",
    "DenseImageData",
    "DummyData",
    "HDF5Data",
    "ImageData",
    "ImageLabelmapData",
    "ImageSegData",
    "MemoryData",
    "VideoData",
    "WindowData",
];

/// Types without bottoms that feed no images.
const OTHER_SOURCES: &[&str] = &["Parameter", "Silence"];

/// Whether a layer is a source of data: by its type, or because it reads nothing and is of a type that is not known.
pub(super) fn is_data(proto: &LayerParameter) -> bool {
    DATA_LAYERS.contains(&proto.r#type())
        || (proto.bottom.is_empty() && !proto.top.is_empty() && !OTHER_SOURCES.contains(&proto.r#type()))
}

/// The shape that a blob's extents make.
fn shape(shape: &BlobShape) -> Setting<Vec<Option<usize>>> {
    let extents = shape.dim.iter().map(|dim| match usize::try_from(*dim) {
        Ok(dim) => Ok(Some(dim)),
        Err(_) => Err(format!("an input of shape {:?}", shape.dim)),
    });
    extents.collect()
}

/// The shapes of an `Input` layer's tops: one for each, or one for all.
pub(super) fn declared(proto: &LayerParameter) -> Setting<Vec<Option<Vec<Option<usize>>>>> {
    let shapes = proto.input_param.clone().unwrap_or_default().shape;
    let tops = proto.top.len();
    if shapes.len() > 1 && shapes.len() != tops {
        return Err(format!("{} shapes for {tops} tops", shapes.len()));
    }
    (0..tops)
        .map(|top| match shapes.get(if shapes.len() == 1 { 0 } else { top }) {
            Some(declared) => shape(declared).map(Some),
            None => Ok(None),
        })
        .collect()
}

/// The shape of a data layer's images, as far as it says: `DummyData` and `MemoryData` in full, the others the size to which
/// they crop or scale, and whether images are grey; of a database, channels stay open.
pub(super) fn image_shape(proto: &LayerParameter) -> Setting<Option<Vec<Option<usize>>>> {
    let known = |extent: u32| {
        let extent = extent as usize;
        (1..=LARGEST).contains(&extent).then_some(extent)
    };
    if let Some(p) = &proto.dummy_data_param {
        if let Some(first) = p.shape.first() {
            return shape(first).map(Some);
        }
        let extents = [&p.num, &p.channels, &p.height, &p.width].map(|extents| extents.first().copied());
        if extents.iter().all(Option::is_some) {
            return Ok(Some(extents.map(|extent| extent.and_then(known)).to_vec()));
        }
    }
    if let Some(p) = &proto.memory_data_param {
        return Ok(Some(vec![
            Some(1),
            known(p.channels()),
            known(p.height()),
            known(p.width()),
        ]));
    }
    let transform = proto.transform_param.clone().unwrap_or_default();
    let resize = transform.resize_param.unwrap_or_default();
    let images = proto.image_data_param.clone().unwrap_or_default();
    let data_crop = proto.data_param.as_ref().map_or(0, |p| p.crop_size());
    let window_crop = proto.window_data_param.as_ref().map_or(0, |p| p.crop_size());
    let square = |side: u32| (side, side);
    // In the order in which Caffe and SSD's fork come to the last size of an image, the last first.
    let sizes = [
        square(transform.crop_size()),
        (transform.crop_h(), transform.crop_w()),
        square(images.crop_size()),
        square(data_crop),
        square(window_crop),
        (resize.height(), resize.width()),
        (transform.new_height(), transform.new_width()),
        (images.new_height(), images.new_width()),
    ];
    let size = sizes
        .into_iter()
        .find_map(|(rows, columns)| Some((known(rows)?, known(columns)?)));
    let is_gray = transform.force_gray() || !images.is_color();
    let channels = match (is_gray, size) {
        (true, _) => Some(1),
        // The database knows.
        (false, _) if proto.r#type() == "Data" && !transform.force_color() => None,
        (false, Some(_)) => Some(3),
        (false, None) if transform.force_color() => Some(3),
        (false, None) => None,
    };
    Ok((channels.is_some() || size.is_some()).then(|| {
        let (rows, columns) = size.unzip();
        vec![Some(1), channels, rows, columns]
    }))
}

/// What a data layer does to its images; `None` where it changes nothing.
pub(super) fn transform(proto: &LayerParameter) -> Option<InputTransform> {
    let p = proto.transform_param.clone().unwrap_or_default();
    // Where Caffe had these before it had a transform_param.
    let data = proto.data_param.clone().unwrap_or_default();
    let images = proto.image_data_param.clone().unwrap_or_default();
    let windows = proto.window_data_param.clone().unwrap_or_default();
    let scale = [p.scale, data.scale, images.scale, windows.scale]
        .into_iter()
        .flatten()
        .next()
        .filter(|scale| *scale != 1.0);
    let mean_file = [p.mean_file, data.mean_file, images.mean_file, windows.mean_file]
        .into_iter()
        .flatten()
        .next();
    let found = InputTransform {
        layer: proto.name().to_owned(),
        scale,
        mean_values: p.mean_value,
        mean_file,
    };
    let changes = found.scale.is_some() || !found.mean_values.is_empty() || found.mean_file.is_some();
    changes.then_some(found)
}
