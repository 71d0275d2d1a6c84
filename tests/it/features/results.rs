//! What parameterized images leave behind, and what people complained about in other programs: none of it may happen here without
//! a word.

use std::path::Path;

use deepvis::ascent::blended;
use image::{ColorType, RgbImage};
use serde_json::Value;

use super::{case, devices, with_gradient};
use crate::program::{deepvis, refused, said, words, worked};

fn climb(folder: &Path, rest: &str) -> std::process::Output {
    deepvis(
        folder,
        &words(&format!("optimize --model demo --backend flex --skipbig {rest}")),
    )
}

#[test]
fn alpha_is_blended_as_captum_blends_it() {
    let Some(case) = case("transforms/captum_blend_alpha") else {
        return;
    };
    for device in devices() {
        let ground = case.array("background").four(&device);
        let (found, gradient) = with_gradient(case.array("x").four(&device), &case.array("W"), |image| {
            blended(&image, ground.clone().autodiff())
        });
        case.same("image", found, &case.array("y"));
        case.same("gradient", gradient, &case.array("grad"));
    }
}

#[test]
fn a_transparent_image_is_a_transparent_picture() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let formula = "--objective channel(conv5,30)*(1-opacity()) --alpha --max-iter 40";
    worked(&climb(
        folder,
        &format!("{formula} --output-template x --output-prefix a/"),
    ));
    let picture = image::open(folder.join("a/x_image.png")).unwrap();
    assert_eq!(picture.color(), ColorType::Rgba8);
    let alpha: Vec<u8> = picture.to_rgba8().pixels().map(|pixel| pixel.0[3]).collect();
    let (least, most) = (alpha.iter().min().unwrap(), alpha.iter().max().unwrap());
    assert!(most - least > 100, "opacity from {least} to {most}");
    // Again, and in a batch: the same to the bit.
    worked(&climb(
        folder,
        &format!("{formula} --rand-seed 0-1 --output-template x%(p.rand_seed)d --output-prefix b/"),
    ));
    let again = image::open(folder.join("b/x0_image.png")).unwrap();
    assert!(picture == again, "a batch changes a transparent image");
    for (rest, expected) in [
        ("--preset maco --alpha", vec!["--alpha", "fourier"]),
        ("--alpha", vec!["--alpha", "preset"]),
        ("--preset fourier --alpha --parameterization maco", vec!["--alpha"]),
    ] {
        refused(
            &climb(folder, &format!("--push-layer fc7 --push-channel 24 {rest}")),
            &expected,
        );
    }
    refused(
        &climb(folder, "--objective channel(conv5,30)-opacity()"),
        &["opacity()", "no alpha channel"],
    );
}

#[test]
fn pictures_of_16_bits_and_numbers_without_pickles() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let unit = "--preset fourier --push-layer fc7 --push-channel 24 --max-iter 3 --output-template x";
    worked(&climb(
        folder,
        &format!("{unit} --output-prefix a/ --png-depth 16 --npz"),
    ));
    worked(&climb(folder, &format!("{unit} --output-prefix b/")));
    let deep = image::open(folder.join("a/x_image.png")).unwrap();
    assert_eq!(deep.color(), ColorType::Rgb16);
    let shallow = image::open(folder.join("b/x_image.png")).unwrap();
    assert_eq!(shallow.color(), ColorType::Rgb8);
    let (deep, shallow) = (deep.to_rgb16(), shallow.to_rgb8());
    let mut numbers = ndarray_npy::NpzReader::new(std::fs::File::open(folder.join("a/x_image.npz")).unwrap()).unwrap();
    let image: ndarray::Array3<f32> = numbers.by_name("image").unwrap();
    let z: ndarray::Array1<f64> = numbers.by_name("z").unwrap();
    assert_eq!(image.shape(), [3, 64, 64]);
    assert_eq!(z.len(), 3 * 64 * 33 * 2);
    for (x, y, pixel) in deep.enumerate_pixels() {
        for (channel, value) in pixel.0.into_iter().enumerate() {
            let number = f64::from(image[[channel, y as usize, x as usize]]);
            assert!((f64::from(value) - 65535.0 * number).abs() < 0.51);
            let byte = f64::from(shallow.get_pixel(x, y).0[channel]);
            assert!((byte - 255.0 * number).abs() < 0.51);
        }
    }
    assert!(
        deep.pixels().any(|pixel| pixel.0[0] % 257 != 0),
        "16 bits say no more than 8"
    );
    // NumPy's zip of arrays: no pickle in it.
    let bytes = std::fs::read(folder.join("a/x_image.npz")).unwrap();
    assert!(bytes.starts_with(b"PK"));
    refused(
        &climb(folder, "--push-layer fc7 --push-channel 24 --png-depth 16"),
        &["--png-depth 16", "2015"],
    );
    // The recipes of 2015 have numbers, too: x itself.
    worked(&climb(
        folder,
        "--push-layer fc7 --push-channel 24 --max-iter 2 --npz --output-template x --output-prefix c/",
    ));
    assert!(folder.join("c/x_image.npz").exists());
}

#[test]
fn images_that_are_compared_are_shown_together() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let output = climb(
        folder,
        "--objective channel(conv5,30)-diversity(conv5) --max-iter 2 --output-template x%(p.rand_seed)d --output-prefix a/",
    );
    worked(&output);
    assert!(
        said(&output).contains("4 of them climb together, of seeds 0, 1, 2, 3"),
        "{}",
        said(&output)
    );
    let one = |name: &str| -> RgbImage { image::open(folder.join(name)).unwrap().to_rgb8() };
    let square = one("a/x0_together.png");
    // Two by two pictures of 64, 4 apart.
    assert_eq!(square.dimensions(), (132, 132));
    for (seed, [left, top]) in [[0, 0], [68, 0], [0, 68], [68, 68]].into_iter().enumerate() {
        let part = image::imageops::crop_imm(&square, left, top, 64, 64).to_image();
        assert!(part == one(&format!("a/x{seed}_image.png")), "seed {seed}");
    }
    worked(&climb(
        folder,
        "--objective interpolate(conv5,7,conv5,30) --rand-seed 0-2 --max-iter 2 --output-template x%(p.rand_seed)d --output-prefix b/",
    ));
    assert_eq!(one("b/x0_together.png").dimensions(), (200, 64));
}

/// The complaints of users of other programs (grey or NaN pictures, names, channels, sizes, wrong ranges, runs that differ).
#[test]
fn what_people_complain_about_elsewhere_does_not_happen_silently() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Names that are not there are answered by those that are.
    refused(&climb(folder, "--objective channel(conf5,3)"), &["conf5", "conv5"]);
    refused(&climb(folder, "--objective channel(conv5,hat)"), &["hat", "conv5"]);
    refused(&climb(folder, "--objective chanel(conv5,3)"), &["chanel", "channel"]);
    refused(
        &climb(folder, "--objective channel(conv5,96)"),
        &["conv5", "0 to 95", "96"],
    );
    // Runs are repeated to the bit, and another seed is another image.
    let unit = "--preset fourier --push-layer conv5 --push-channel 30 --max-iter 5";
    for (seed, place) in [(3, "a"), (3, "b"), (4, "c")] {
        worked(&climb(
            folder,
            &format!("{unit} --rand-seed {seed} --output-template x --output-prefix {place}/"),
        ));
    }
    let read = |place: &str| std::fs::read(folder.join(place).join("x_image.png")).unwrap();
    assert!(read("a") == read("b"), "a run is not repeated");
    assert!(read("a") != read("c"), "seeds have no effect");
    // Any size goes, odd and elongated too, and what cannot is refused.
    for size in ["17", "(33,90)", "(90,33)"] {
        let place = size.replace(['(', ')', ','], "_");
        worked(&climb(
            folder,
            &format!("{unit} --size {size} --output-template x --output-prefix s{place}/"),
        ));
    }
    assert_eq!(
        image::image_dimensions(folder.join("s_33_90_/x_image.png")).unwrap(),
        (90, 33)
    );
    refused(&climb(folder, &format!("{unit} --size 0")), &["--size", "1"]);
    refused(&climb(folder, &format!("{unit} --size 5000")), &["4096"]);
    refused(
        &climb(folder, &format!("{unit} --size 8 --transforms jitter(8)")),
        &["jitter"],
    );
    // A unit that nothing of an image reaches: no grey picture without a word.
    let dead = "--objective 0*channel(conv5,30) --max-iter 3 --output-template x --output-prefix dead/";
    let output = climb(folder, dead);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("gradient is 0"), "{}", said(&output));
    // A division by nothing is an error that says where.
    refused(
        &climb(
            folder,
            "--objective channel(conv5,30)/(mean(conv5)-mean(conv5)) --max-iter 3",
        ),
        &["channel(conv5, 30)/(mean(conv5) - mean(conv5))", "not a finite number"],
    );
    // A range nobody gave: the run says what it assumes.
    let line: Value = serde_json::from_slice(&std::fs::read(folder.join("a/x_info.json")).unwrap()).unwrap();
    assert_eq!(line["preprocessing"]["mean"], "(128,128,128)");
}
