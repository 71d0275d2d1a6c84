use burn::tensor::{Device, Tensor};
use deepvis::transform::crops::corners;
use deepvis::transform::sample::{Affine, Edge, Surroundings, Take, sample, sample_by_selection};
use deepvis::transform::{Choice, Padding, Transform, Transforms};

use super::{Reference, case, devices, gpu, same, with_gradient};

fn only(transform: Transform) -> Transforms {
    Transforms::new(vec![transform])
}

fn scale(by: f64) -> Transforms {
    only(Transform::Scale { by: Choice::always(by) })
}

fn pad(width: usize, with: Padding) -> Transforms {
    only(Transform::Pad { width, with })
}

/// Those that are the libraries' own.
fn the_same() -> Vec<(&'static str, Transforms)> {
    vec![
        ("transforms/lucid_pad12", pad(12, Padding::Constant(0.5))),
        ("transforms/lucid_pad3_reflect", pad(3, Padding::Reflect)),
        ("transforms/lucent_pad12_constant", pad(12, Padding::Constant(0.5))),
        ("transforms/lucent_pad4_reflect", pad(4, Padding::Reflect)),
        ("transforms/xplique_pad3", pad(3, Padding::Constant(0.0))),
        ("transforms/xplique_scale_0.94", scale(0.94)),
        ("transforms/xplique_scale_1.07", scale(1.07)),
        (
            "transforms/xplique_resize_to_11",
            only(Transform::Resize { size: [11, 11] }),
        ),
        (
            "transforms/lucid_crop_or_pad",
            Transforms::new(vec![
                Transform::Pad {
                    width: 0,
                    with: Padding::Constant(0.0),
                },
                Transform::Crop { size: [9, 20] },
            ]),
        ),
    ]
}

fn check(name: &str, transforms: &Transforms, device: &Device) {
    let Some(case) = case(name) else { return };
    let x = case.array("x").four(device);
    let [_, _, rows, columns] = x.dims();
    transforms.check([rows, columns]).unwrap();
    let (y, gradient) = with_gradient(x, &case.array("W"), |x| transforms.apply(x, 3, &[7]));
    let [_, _, rows_after, columns_after] = y.dims();
    assert_eq!(transforms.output_size([rows, columns], 3), [rows_after, columns_after]);
    case.same("image", y, &case.array("y"));
    case.same("gradient", gradient, &case.array("grad"));
}

#[test]
fn transformations_are_the_libraries() {
    for device in devices() {
        for (name, transforms) in the_same() {
            check(name, &transforms, &device);
        }
    }
}

#[test]
fn transformations_are_the_same_on_a_gpu() {
    let Some(device) = gpu() else { return };
    for (name, transforms) in &the_same()[3..7] {
        check(name, transforms, &device);
    }
}

fn take(places: Affine, edge: Edge) -> Take {
    Take {
        image: 0,
        places,
        surroundings: Surroundings {
            reflected: 0,
            ground: 0.0,
            edge,
        },
    }
}

type Matrix = [[f64; 2]; 2];

/// captum's rotations and scalings, which are affine in coordinates from -1 to 1, and a crop at a known offset.
#[test]
#[expect(clippy::cast_precision_loss, reason = "sizes of images")]
fn samplings_are_the_libraries() {
    let normalised = |[rows, columns]: [usize; 2], [[a, b], [c, d]]: Matrix| {
        let (w, h) = (columns as f64, rows as f64);
        let line = |x: f64, y: f64, n: f64| {
            let (x, y) = (x * n / w, y * n / h);
            [x, y, (n - 1.0) / 2.0 - x * (w - 1.0) / 2.0 - y * (h - 1.0) / 2.0]
        };
        Affine {
            x: line(a, b, w),
            y: line(c, d, h),
        }
    };
    // A matrix in such coordinates, or, without, the crop.
    let mut cases: Vec<(String, Option<Matrix>, Edge)> = Vec::new();
    for (text, degrees) in [("-20", -20.0f64), ("9", 9.0)] {
        let (sine, cosine) = degrees.to_radians().sin_cos();
        let matrix = [[cosine, -sine], [sine, cosine]];
        cases.push((format!("transforms/captum_rotate_{text}"), Some(matrix), Edge::Blend));
    }
    for s in [0.8, 0.95, 1.05, 1.1] {
        let matrix = [[s, 0.0], [0.0, s]];
        cases.push((format!("transforms/captum_scale_affine_{s}"), Some(matrix), Edge::Blend));
    }
    cases.push(("transforms/lucid_jitter8".into(), None, Edge::Area));
    for device in devices() {
        for (name, matrix, edge) in &cases {
            let Some(case) = case(name) else { return };
            let x = case.array("x").four(&device);
            let y = case.array("y");
            let input = [x.dims()[2], x.dims()[3]];
            let places = matrix.map_or(Affine::shift(5.0, 3.0), |matrix| normalised(input, matrix));
            let takes = [take(places, *edge)];
            let size = [y.shape[2], y.shape[3]];
            for by_selection in [false, true] {
                let (found, gradient) = with_gradient(x.clone(), &case.array("W"), |x| {
                    if by_selection {
                        sample_by_selection(x, &takes, size)
                    } else {
                        sample(x, &takes, size)
                    }
                });
                case.same("image", found, &y);
                case.same("gradient", gradient, &case.array("grad"));
            }
        }
    }
}

#[test]
fn crops_are_xpliques() {
    let Some(case) = case("transforms/xplique_maco_crops") else {
        return;
    };
    let boxes = case.array("boxes");
    for device in devices() {
        let takes: Vec<Take> = boxes
            .values
            .chunks(4)
            .map(|sides| take(corners(sides.try_into().unwrap(), [40, 40], [12, 12]), Edge::Centre))
            .collect();
        let x = case.array("x").four(&device);
        let (found, gradient) = with_gradient(x, &case.array("W"), |x| sample(x, &takes, [12, 12]));
        case.same("image", found, &case.array("y"));
        case.same("gradient", gradient, &case.array("grad"));
    }
}

/// A quarter turn on a square is exact: counter-clockwise as seen, rows going down.
#[test]
fn positive_degrees_turn_counter_clockwise() {
    let x = Reference {
        values: vec![1.0, 2.0, 3.0, 4.0],
        shape: vec![1, 1, 2, 2],
    };
    let turned = Reference {
        values: vec![2.0, 4.0, 1.0, 3.0],
        shape: vec![1, 1, 2, 2],
    };
    let quarter = only(Transform::Rotate {
        degrees: Choice::always(90.0),
    });
    same("turned", quarter.apply(x.four(&Device::flex()), 0, &[0]), &turned);
}

/// All sets: what becomes of an image in a batch is what becomes of it alone, to the bit.
#[test]
fn an_image_is_transformed_the_same_alone_and_among_others() {
    let text = "pad 4 reflect, jitter 3, scale 0.8..1.2, rotate -10..10, crop 33x40, noise 0.1, blur 0..1, flip, pad 2 uniform";
    let bits = |tensor: Tensor<4>| -> Vec<u32> {
        let values: Vec<f32> = tensor.into_data().try_into_vec().unwrap();
        values.into_iter().map(f32::to_bits).collect()
    };
    for device in devices() {
        let values: Vec<f64> = (0..3 * 3 * 32 * 48).map(|i| f64::from(i * 37 % 101) / 101.0).collect();
        let images = Reference {
            values,
            shape: vec![3, 3, 32, 48],
        }
        .four(&device);
        for text in ["lucid", "olah-2017", "xplique", text] {
            let transforms = Transforms::parse(text, [32, 48]).unwrap();
            transforms.check([32, 48]).unwrap();
            for step in 0..3 {
                let together = bits(transforms.apply(images.clone(), step, &[1, 2, 3]));
                for (index, seed) in [1, 2, 3].into_iter().enumerate() {
                    let alone = bits(transforms.apply(images.clone().narrow(0, index, 1), step, &[seed]));
                    assert!(
                        alone == together[index * alone.len()..(index + 1) * alone.len()],
                        "{text} {step} {seed}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_leaves_nothing_of_an_image_is_refused() {
    let error = Transforms::parse("pad 4, scale 0.5, jitter 20", [32, 32])
        .unwrap()
        .check([32, 32])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "`jitter 20` is too much for an image that is 20x20 there; choose less, or a larger image"
    );
}

/// lucid's jitter by d cuts a window of d pixels less, at each of the d + 1 offsets down and across.
#[test]
fn jitter_reaches_every_offset() {
    let values: Vec<f64> = (0..64).map(f64::from).collect();
    let image = Reference {
        values,
        shape: vec![1, 1, 8, 8],
    };
    let transforms = Transforms::parse("jitter 2", [8, 8]).unwrap();
    for device in devices() {
        let mut corners = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let cut = transforms.apply(image.four(&device), 0, &[seed]);
            assert_eq!(cut.dims(), [1, 1, 6, 6]);
            let values: Vec<f32> = cut.into_data().try_into_vec().unwrap();
            corners.insert(values[0] as usize);
        }
        assert_eq!(corners.into_iter().collect::<Vec<_>>(), [0, 1, 2, 8, 9, 10, 16, 17, 18]);
    }
}
