use burn::tensor::{Device, Tensor};
use deepvis::parameterization::{Amplified, Built, Colour, ImageSpec, Parameterization, Squash, maco};

use super::{Reference, case, devices, gpu, with_gradient};

fn fourier(decay_power: f64, divisor: f64, colour: Colour) -> ImageSpec {
    ImageSpec {
        parameterization: Parameterization::Fourier {
            decay_power,
            deviation: 0.01,
            divisor,
            amplified: Amplified::Image,
        },
        colour,
        squash: Squash::Sigmoid,
        alpha: false,
    }
}

/// The columns that a width has; lucent stores another, without effect, of odd ones.
fn cut(spectrum: &Reference, width: usize) -> Reference {
    let [batch, channels, rows, columns, _] = spectrum.shape[..] else {
        panic!("{:?}", spectrum.shape);
    };
    let kept = width / 2 + 1;
    let lines = spectrum.values.chunks(2 * columns);
    Reference {
        values: lines.flat_map(|line| line[..2 * kept].to_vec()).collect(),
        shape: vec![batch, channels, rows, kept, 2],
    }
}

fn check_fourier(name: &str, spec: &ImageSpec, device: &Device) {
    let Some(case) = case(name) else { return };
    let (weights, image) = (case.array("W"), case.array("image"));
    let [batch, channels, rows, columns] = image.shape[..] else {
        panic!("{:?}", image.shape);
    };
    let spectrum = cut(&case.array("spectrum"), columns);
    let built = spec.build([channels, rows, columns], device).unwrap();
    let z = spectrum.rows(batch, device);
    assert_eq!(z.dims()[1], built.parameters());
    let (found, gradient) = with_gradient(z, &weights, |z| built.image(z));
    case.same("image", found, &image);
    case.same("gradient", gradient, &cut(&case.array("grad_spectrum"), columns));
}

const FOURIER: [(&str, f64, f64, Colour); 8] = [
    ("fourier/lucent_16x16_c3", 1.0, 4.0, Colour::Decorrelated),
    ("fourier/lucent_17x23_c3", 1.0, 4.0, Colour::Decorrelated),
    ("fourier/lucent_16x16_c1", 1.0, 4.0, Colour::Decorrelated),
    ("fourier/lucent_17x23_c1", 1.0, 4.0, Colour::None),
    ("fourier/lucent_64x64_c3", 1.0, 4.0, Colour::Decorrelated),
    ("fourier/lucid_16x16_c3", 1.0, 4.0, Colour::Decorrelated),
    ("fourier/captum_16x16_c3", 1.0, 1.0, Colour::Decorrelated),
    ("fourier/captum_17x23_c3", 1.0, 1.0, Colour::Decorrelated),
];

#[test]
fn spectra_become_the_libraries_images() {
    for device in devices() {
        for (name, power, divisor, colour) in FOURIER {
            check_fourier(name, &fourier(power, divisor, colour), &device);
        }
    }
}

#[test]
fn spectra_become_images_on_a_gpu() {
    let Some(device) = gpu() else { return };
    for (name, power, divisor, colour) in &FOURIER[..2] {
        check_fourier(name, &fourier(*power, *divisor, *colour), &device);
    }
}

#[test]
fn decay_is_lucents_and_xpliques() {
    for device in devices() {
        for (name, power) in [
            ("fourier/lucent_12x10_decay1.5", 1.5),
            ("fourier/xplique_16x16_c3", 0.85),
        ] {
            let Some(case) = case(name) else { return };
            let (spectrum, spatial) = (case.array("spectrum"), case.array("spatial"));
            let shape = spatial.shape.clone();
            let built = fourier(power, 4.0, Colour::None)
                .build([shape[1], shape[2], shape[3]], &device)
                .unwrap();
            case.same("spatial", built.unsquashed(spectrum.rows(shape[0], &device)), &spatial);
        }
    }
}

#[test]
fn a_picture_is_the_start_it_came_from() {
    let spec = ImageSpec {
        squash: Squash::Clamp,
        ..fourier(1.0, 1.0, Colour::Decorrelated)
    };
    for device in devices() {
        let Some(case) = case("fourier/captum_init_16x16") else {
            return;
        };
        let (picture, spectrum) = (case.array("image_in"), case.array("spectrum"));
        let built = spec.build([3, 16, 16], &device).unwrap();
        let z = built.invert(picture.four(&device)).unwrap();
        case.same("spectrum", z.clone(), &spectrum);
        case.same("image", built.image(z), &case.array("image"));
        for parameterization in [Parameterization::Pixels { deviation: 0.01 }, Parameterization::FOURIER] {
            let spec = ImageSpec {
                parameterization,
                squash: Squash::Clamp,
                ..spec.clone()
            };
            let built = spec.build([3, 16, 16], &device).unwrap();
            let z = built.invert(picture.four(&device)).unwrap();
            case.same("round trip", built.image(z), &picture);
        }
    }
}

#[test]
fn accentuation_scales_gradients_alone() {
    let Some(case) = case("maco/horama_accentuation_16x16") else {
        return;
    };
    let spec = ImageSpec {
        parameterization: Parameterization::Fourier {
            decay_power: 1.5,
            deviation: 0.01,
            divisor: 1.0,
            amplified: Amplified::Gradient,
        },
        colour: Colour::Decorrelated,
        squash: Squash::Sigmoid,
        alpha: false,
    };
    for device in devices() {
        let built = spec.build([3, 16, 16], &device).unwrap();
        let z = case.array("spectrum").rows(1, &device);
        let (image, gradient) = with_gradient(z, &case.array("W"), |z| built.image(z));
        case.same("image", image, &case.array("image"));
        case.same("gradient", gradient, &case.array("grad_spectrum"));
    }
}

#[test]
fn fixed_magnitudes_are_horamas_and_xpliques() {
    let cases = [
        ("maco/horama_16x16_f64", [0.0, 1.0], maco::SAMPLE),
        ("maco/horama_64x64", [-2.5, 2.5], maco::SAMPLE),
        ("maco/xplique_64x64", [-2.5, 2.5], maco::POPULATION),
    ];
    // Both sides are float32 but for the first case, through two standardisations.
    let tolerance = 5e-5;
    for device in devices() {
        for (name, [low, high], deviation) in cases {
            let Some(case) = case(name) else { return };
            let image = case.array("image");
            let [channels, rows, columns] = image.shape[..] else {
                panic!()
            };
            let size = [rows, columns];
            let coefficients = rows * (columns / 2 + 1);
            let transform =
                deepvis::parameterization::fourier::InverseTransform::new(size, &vec![1.0; coefficients], None);
            let magnitude = case.array("magnitude").rows(1, &device);
            let to_image =
                deepvis::parameterization::colour::ToImage::new(Colour::Decorrelated, Squash::Sigmoid, channels);
            let phase = case.array("phase").rows(1, &device);
            let (found, gradient) = with_gradient(phase, &case.array("W"), |phase| {
                let values = maco::image(phase, channels, size, &magnitude, &transform, deviation);
                to_image.image(values).mul_scalar(high - low).add_scalar(low)
            });
            case.within(tolerance, "image", found, &image);
            case.within(tolerance, "gradient", gradient, &case.array("grad_phase"));
        }
    }
}

#[test]
fn levels_add_up_to_captums_and_lucids_pyramids() {
    use deepvis::parameterization::laplacian;
    use deepvis::transform::resample::Places;
    for device in devices() {
        for (name, levels, places, plus) in [
            ("param/captum_laplacian", 6, Places::Nearest, 0.5),
            ("param/lucid_laplacian", 4, Places::FromCorner, 0.0),
        ] {
            let Some(case) = case(name) else { return };
            let y = case.array("y");
            let [_, channels, rows, columns] = y.shape[..] else {
                panic!()
            };
            let join = |prefix: &str| Reference {
                values: (0..levels)
                    .flat_map(|level| case.array(&format!("{prefix}{level}")).values)
                    .collect(),
                shape: Vec::new(),
            };
            let (found, gradient) = with_gradient(join("level").rows(1, &device), &case.array("W"), |z| {
                laplacian::image(z, channels, [rows, columns], levels, places).add_scalar(plus)
            });
            case.same("image", found, &y);
            case.same("gradient", gradient, &join("grad_level"));
        }
    }
}

fn bits<const D: usize>(tensor: Tensor<D>) -> Vec<u32> {
    let values: Vec<f32> = tensor.into_data().try_into_vec().unwrap();
    values.into_iter().map(f32::to_bits).collect()
}

/// Every parameterization: start, image and gradient of each of a batch are those of the same seed alone.
#[test]
fn an_image_is_the_same_alone_and_among_others() {
    let all = [
        Parameterization::Pixels { deviation: 0.5 },
        Parameterization::FOURIER,
        Parameterization::Laplacian {
            levels: 4,
            deviation: 0.3,
        },
        Parameterization::Maco { magnitude: None },
    ];
    for device in devices() {
        for parameterization in all.clone() {
            let alpha = !matches!(parameterization, Parameterization::Maco { .. });
            let spec = ImageSpec {
                parameterization,
                colour: Colour::Decorrelated,
                squash: Squash::Sigmoid,
                alpha,
            };
            let text = serde_json::to_string(&spec).unwrap();
            assert_eq!(serde_json::from_str::<ImageSpec>(&text).unwrap(), spec);
            let built: Built = spec.build([3, 37, 50], &device).unwrap();
            let [channels, rows, columns] = built.image_shape();
            let climb = |seeds: &[u32]| {
                let ones = Reference {
                    values: (0..seeds.len())
                        .flat_map(|_| (0..channels * rows * columns).map(|i| f64::from(u32::try_from(i % 7).unwrap())))
                        .collect(),
                    shape: Vec::new(),
                };
                let z = built.start(seeds);
                let (image, gradient) = with_gradient(z.clone(), &ones, |z| built.image(z));
                [bits(z), bits(image), bits(gradient)]
            };
            let together = climb(&[5, 9, 2]);
            for (index, seed) in [5, 9, 2].into_iter().enumerate() {
                for (alone, together) in climb(&[seed]).iter().zip(&together) {
                    let len = alone.len();
                    assert!(
                        alone == &together[index * len..(index + 1) * len],
                        "{:?} {seed}",
                        spec.parameterization
                    );
                }
            }
        }
    }
}
