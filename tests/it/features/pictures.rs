//! Ascents that begin with a picture: what they begin with is the picture, what they become follows from its contents.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use deepvis::ascent::{Adaptive, Modern};
use deepvis::parameterization::magnitude::Magnitude;
use deepvis::transform::octaves::{Octaves, tiles};
use deepvis::transform::resample::{Places, resize};
use image::RgbImage;
use serde_json::Value;

use super::{case, devices};
use crate::program::{deepvis, refused, said, words, worked};

/// Smooth colours, from dark to bright, of so many columns and rows.
fn photo(path: &Path, width: u32, height: u32, blue: u8) -> RgbImage {
    #[expect(clippy::cast_possible_truncation, reason = "colours")]
    let photo = RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([(30 + 190 * x / width) as u8, (40 + 180 * y / height) as u8, blue])
    });
    photo.save(path).unwrap();
    photo
}

fn climb(folder: &Path, rest: &str) -> std::process::Output {
    deepvis(
        folder,
        &words(&format!("optimize --model demo --backend flex --skipbig {rest}")),
    )
}

fn info(folder: &Path, file: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join(format!("{file}_info.json"))).unwrap()).unwrap()
}

/// The mean distance of two pictures' pixels, in grey levels.
fn distance(a: &RgbImage, b: &RgbImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let sum: f64 = a.iter().zip(b.iter()).map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
    sum / f64::from(a.width() * a.height() * 3)
}

/// The objective of each iteration of the one run that a folder's log tells of.
fn curve(folder: &Path) -> Vec<f64> {
    let line = std::fs::read_to_string(folder.join("runs.jsonl")).unwrap();
    let run: Value = serde_json::from_str(line.trim()).unwrap();
    let curve = run["curve_obj"].as_array().unwrap().iter();
    curve.map(|objective| objective.as_f64().unwrap()).collect()
}

#[test]
fn the_first_image_is_the_picture_however_it_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let photo = photo(&folder.join("p.png"), 64, 64, 90);
    for (place, of_preset) in [
        ("a", "--preset fourier"),
        ("b", "--preset fourier --parameterization pixels --colour none"),
        ("c", "--preset olah-2017 --parameterization laplacian"),
        ("d", "--preset accentuate --size 64"),
        ("e", "--preset deepdream --size 64 --push-channel 24"),
    ] {
        let rest = format!("--start-from p.png {of_preset} --push-layer fc7 --max-iter 1 --output-prefix {place}/x");
        worked(&climb(folder, &format!("{rest} --npy")));
        let files = std::fs::read_dir(folder.join(place)).unwrap();
        let names: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        let array = names
            .iter()
            .find(|name| name.to_string_lossy().ends_with("best_X.npy"))
            .unwrap();
        let array: ndarray::ArrayD<f64> = ndarray_npy::read_npy(array).unwrap();
        assert_eq!(array.shape(), [3, 64, 64], "{of_preset}");
        // The demo's mean is 128, its order blue, green, red. A sigmoid keeps a thousandth from the ends, float32 the rest.
        for (x, y, pixel) in photo.enumerate_pixels() {
            for (channel, colour) in pixel.0.iter().rev().enumerate() {
                let found = array[[channel, y as usize, x as usize]] + 128.0;
                assert!(
                    (found - f64::from(*colour)).abs() < 0.02,
                    "{of_preset} {x} {y}: {found} {colour}"
                );
            }
        }
    }
    // The recipes of 2015 begin with it to the digit, and its array is as good.
    let plain = "--start-from p.png --decay 0.5 --push-layer fc7 --push-channel 24 --npy --max-iter";
    worked(&climb(folder, &format!("{plain} 1 --output-prefix f/x")));
    let array: ndarray::ArrayD<f64> = ndarray_npy::read_npy(folder.join("f/x_fc7_0024_0_best_X.npy")).unwrap();
    assert_eq!(array[[0, 5, 7]], f64::from(photo.get_pixel(7, 5).0[2]) - 128.0);
    let again = "--start-from f/x_fc7_0024_0_best_X.npy --push-layer fc7 --push-channel 24 --npy --max-iter 1";
    worked(&climb(folder, &format!("{again} --output-prefix g/x")));
    let same: ndarray::ArrayD<f64> = ndarray_npy::read_npy(folder.join("g/x_fc7_0024_0_best_X.npy")).unwrap();
    assert_eq!(array, same);
    let text = std::fs::read_to_string(folder.join("g/x_fc7_0024_0_info.txt")).unwrap();
    assert!(text.contains("start_at: f/x_fc7_0024_0_best_X.npy"), "{text}");
}

#[test]
fn results_are_told_apart_by_what_is_in_their_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    photo(&folder.join("p.png"), 80, 60, 90);
    // A picture that does not fit is fitted, and that is said.
    let fitted = climb(
        folder,
        "--start-from p.png --push-layer fc7 --max-iter 3 --output-prefix f/x",
    );
    worked(&fitted);
    let line = "p.png has 60 x 80 pixels (height x width); it is cut in the middle and scaled to 64 x 64";
    assert!(said(&fitted).contains(line), "{}", said(&fitted));
    assert!(!said(&fitted).contains("noise"), "{}", said(&fitted));
    // Steps that do not show are said as well.
    assert!(!said(&fitted).contains("still"), "{}", said(&fitted));
    let unmoved = climb(
        folder,
        "--start-from p.png --push-layer fc7 --lr-policy constant --lr-params {'lr':1e-6} --decay 0 --blur-every 0 --max-iter 3 --output-prefix m/x",
    );
    worked(&unmoved);
    let why = "still the picture that it began with: the steps are too small or too few; try a larger lr";
    assert!(said(&unmoved).contains(why), "{}", said(&unmoved));
    assert!(
        said(&unmoved).contains("1 still the picture at the start"),
        "{}",
        said(&unmoved)
    );
    let too_far = climb(
        folder,
        "--start-from p.png --push-layer fc7 --push-channel 0 --lr-policy constant --lr-params {'lr':1e-6} --decay 0.9999 --max-iter 3 --output-prefix n/x",
    );
    worked(&too_far);
    assert!(
        said(&too_far).contains("no step was better; the steps are too large"),
        "{}",
        said(&too_far)
    );
    // The picture that climbs is not always of the network's size.
    let large = climb(
        folder,
        "--preset fourier --size 96 --push-layer conv4 --max-iter 2 --output-prefix l/x",
    );
    worked(&large);
    assert!(
        said(&large).contains("demo on 3 x 64 x 64, pictures of 96 x 96, computed by"),
        "{}",
        said(&large)
    );
    std::fs::copy(folder.join("p.png"), folder.join("copy.png")).unwrap();
    let key = |prefix: &str| info(folder, prefix)["run_key"].clone();
    let start = "--preset fourier --push-layer fc7 --push-channel 24 --max-iter 2";
    worked(&climb(
        folder,
        &format!("{start} --start-from p.png --output-prefix a/x"),
    ));
    worked(&climb(
        folder,
        &format!("{start} --start-from copy.png --output-prefix b/x"),
    ));
    worked(&climb(folder, &format!("{start} --output-prefix c/x")));
    let name = "x_fc7_0024_0";
    let (a, b, c) = (
        key(&format!("a/{name}")),
        key(&format!("b/{name}")),
        key(&format!("c/{name}")),
    );
    assert_eq!(a, b, "what a picture is called has an effect");
    assert_ne!(a, c);
    let formula = "--objective inversion(conv4,p.png) --max-iter 2 --rand-seed 0-1";
    worked(&climb(folder, &format!("{formula} --output-prefix d/x")));
    let of_formula = "d/x_inversion_conv4__p.png_0";
    let before = key(of_formula);
    let sha = info(folder, of_formula)["recipe"]["files"][0]["sha256"].clone();
    let bytes = std::fs::read(folder.join("p.png")).unwrap();
    let expected: String = <sha2::Sha256 as sha2::Digest>::digest(&bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    assert_eq!(sha, expected);
    let done = climb(folder, &format!("{formula} --output-prefix d/x"));
    worked(&done);
    assert!(said(&done).contains("2 of 2 units are done already"), "{}", said(&done));
    photo(&folder.join("p.png"), 80, 60, 200);
    refused(
        &climb(folder, &format!("{formula} --output-prefix d/x")),
        &["p.png had other contents"],
    );
    worked(&climb(folder, &format!("{formula} --output-prefix d/x --brave")));
    assert_ne!(key(of_formula), before);
    refused(
        &climb(
            folder,
            &format!("{start} --rand-seed 0-1 --start-from p.png --output-prefix a/x"),
        ),
        &["p.png had other contents"],
    );
    // From the settings, relative to their file.
    std::fs::write(folder.join("deepvis.toml"), "start_from = \"copy.png\"\n").unwrap();
    worked(&climb(folder, &format!("{start} --output-prefix e/x")));
    assert_eq!(key(&format!("e/{name}")), b);
}

#[test]
fn what_cannot_be_a_start_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    photo(&folder.join("p.png"), 64, 64, 90);
    std::fs::write(folder.join("notes.txt"), "no picture").unwrap();
    ndarray_npy::write_npy(folder.join("small.npy"), &ndarray::Array3::<f64>::zeros((3, 5, 6))).unwrap();
    std::fs::create_dir(folder.join("none")).unwrap();
    let unit = "--push-layer fc7 --push-channel 24 --max-iter 2";
    for (rest, expected) in [
        (
            "--preset maco --start-from p.png",
            vec!["--start-from p.png", "fixed magnitude", "accentuate"],
        ),
        ("--preset accentuate", vec!["--preset accentuate", "--start-from"]),
        ("--start-from missing.png", vec!["missing.png"]),
        ("--start-from notes.txt", vec!["notes.txt", "no JPEG, PNG or GIF"]),
        ("--start-from small.npy", vec!["small.npy", "[3, 5, 6]", "[3, 64, 64]"]),
        (
            "--start-from p.png --rand-seed 0-2",
            vec!["--start-from p.png", "3 seeds", "same picture"],
        ),
        ("--start-from p.png --start-at mean", vec!["--start-at", "--start-from"]),
        ("--preset fourier --spectrum-from none", vec!["--spectrum-from", "maco"]),
        ("--preset maco --spectrum-from none", vec!["none", "no picture"]),
        ("--spectrum-from none", vec!["--spectrum-from", "preset"]),
    ] {
        refused(&climb(folder, &format!("{unit} {rest}")), &expected);
    }
    let left = std::fs::read_dir(folder.join("optimize_results")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "a refusal left files");
}

/// `range(0, max(h - sz // 2, sz), sz)` of TensorFlow's notebook has these numbers of tiles of 224; sizes are 615 / 1.4^k.
#[test]
fn octaves_and_tiles_are_the_notebooks() {
    let octaves = Octaves::default();
    let sizes = [0, 1, 2, 3].map(|octave| octaves.size(octave, [615, 700]));
    assert_eq!(sizes, [[224, 255], [314, 357], [439, 500], [615, 700]]);
    for (size, tiles) in sizes.into_iter().zip([1, 2, 4, 9]) {
        let corners = octaves.corners(size, [224, 224], 0, 5);
        assert_eq!(corners.len(), tiles, "{size:?}");
        assert!(corners.iter().all(|[row, column]| *row < size[0] && *column < size[1]));
        assert_ne!(corners, octaves.corners(size, [224, 224], 1, 5));
        assert_eq!(corners, octaves.corners(size, [224, 224], 0, 5));
    }
    assert_eq!(
        (0..10).map(|i| octaves.octave([i, 10])).collect::<Vec<_>>(),
        [0, 0, 0, 1, 1, 2, 2, 2, 3, 3]
    );
    assert_eq!(Modern::Deepdream.size([224, 224], None), Some([615, 615]));
    assert_eq!(Modern::Deepdream.size([224, 224], Some([300, 400])), Some([615, 820]));
    for device in devices() {
        let image: Vec<f32> = (0u8..9).map(f32::from).collect();
        let image = Tensor::<4>::from_data(TensorData::new(image, [1, 1, 3, 3]), &device);
        let tile: Vec<f32> = tiles(&image, &[[2, 1]], [2, 4]).into_data().try_into_vec().unwrap();
        assert_eq!(tile, [7.0, 8.0, 6.0, 7.0, 1.0, 2.0, 0.0, 1.0]);
    }
}

/// z + rate g / mean |g|, of each row; nothing where there is no gradient.
#[test]
fn normalized_steps_are_of_one_length() {
    for device in devices() {
        let row = |values: [[f32; 4]; 2]| Tensor::<2>::from_data(values, &device);
        let stepper = Adaptive::Normalized { rate: 0.5 };
        let z = row([[1.0, 2.0, 3.0, 4.0], [1.0; 4]]);
        let mut state = stepper.start(&z);
        let found = stepper.step(z, row([[2.0, -4.0, 0.0, 2.0], [0.0; 4]]), &mut state);
        let found: Vec<f32> = found.into_data().try_into_vec().unwrap();
        assert_eq!(found, [1.5, 1.0, 3.0, 4.5, 1.0, 1.0, 1.0, 1.0]);
    }
}

#[test]
fn a_dream_is_the_photo_with_more_of_the_layer_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    photo(&folder.join("p.png"), 120, 80, 90);
    let dream = |prefix: &str, rest: &str| {
        let rest = format!("--preset deepdream --start-from p.png --push-layer conv4 --output-prefix {prefix} {rest}");
        climb(folder, &rest)
    };
    worked(&dream("a/x", ""));
    let shown = |name: &str| image::open(folder.join(format!("{name}_image.png"))).unwrap().to_rgb8();
    let last = shown("a/x_layer_conv4_0");
    // 64 * 1.4^3 = 175.6 rows, and half as many columns more.
    assert_eq!(last.dimensions(), (263, 176));
    worked(&dream("b/x", "--max-iter 1"));
    let away = distance(&last, &shown("b/x_layer_conv4_0"));
    assert!((2.0..60.0).contains(&away), "{away} grey levels from the photo");
    let curve = curve(&folder.join("a"));
    assert!(curve[9] > 2.0 * curve[0], "the first octave climbs nothing: {curve:?}");
    assert!(curve[39] > 1.5 * curve[30], "nor does the last: {curve:?}");
    // From noise too, as large as the network and the octaves say; a batch is what each image is alone.
    let noise = "--preset deepdream --push-layer conv4 --max-iter 4";
    worked(&climb(folder, &format!("{noise} --rand-seed 0-1 --output-prefix c/x")));
    worked(&climb(folder, &format!("{noise} --rand-seed 1 --output-prefix d/x")));
    assert_eq!(shown("c/x_layer_conv4_1").dimensions(), (176, 176));
    assert_eq!(shown("c/x_layer_conv4_1"), shown("d/x_layer_conv4_1"));
}

#[test]
fn an_accentuation_stays_near_its_photo() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    photo(&folder.join("p.png"), 128, 128, 90);
    let unit = "--preset accentuate --start-from p.png --push-layer fc7 --push-channel 24 --crops 2";
    worked(&climb(folder, &format!("{unit} --max-iter 40 --output-prefix a/x")));
    let curve = curve(&folder.join("a"));
    assert!(
        curve[35..].iter().sum::<f64>() > curve[..5].iter().sum::<f64>() + 5.0,
        "{curve:?}"
    );
    assert_eq!(info(folder, "a/x_fc7_0024_0")["recipe"]["hold"], 25.0);
}

#[test]
fn the_mean_magnitude_of_pictures_is_xpliques() {
    let Some(case) = case("maco/xplique_magnitude_of_dataset") else {
        return;
    };
    let images = case.array("images");
    #[expect(clippy::cast_possible_truncation, reason = "tensors are float32")]
    let pictures = images
        .values
        .chunks(3 * 16 * 16)
        .map(|picture| Ok::<_, ()>(picture.iter().map(|value| *value as f32).collect()));
    let mean = Magnitude::mean(pictures, [3, 16, 16], false).unwrap().unwrap();
    let data = TensorData::new(mean.values().to_vec(), [1, 3, 16, 9]);
    let resized = resize(Tensor::from_data(data, &Device::flex()), [24, 13], Places::HalfPixel);
    case.same("magnitude", resized, &case.array("magnitude"));
}

#[test]
fn a_spectrum_is_that_of_the_pictures_and_part_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("set")).unwrap();
    photo(&folder.join("set/a.png"), 64, 64, 90);
    photo(&folder.join("set/b.JPG"), 64, 64, 10);
    std::fs::write(folder.join("set/notes.txt"), "not looked at").unwrap();
    let unit = "--preset maco --push-layer fc7 --push-channel 24 --crops 2 --max-iter 2 --spectrum-from set";
    worked(&climb(folder, &format!("{unit} --output-prefix a/x")));
    let key = info(folder, "a/x_fc7_0024_0")["run_key"].clone();
    worked(&climb(folder, &format!("{unit} --output-prefix b/x")));
    assert_eq!(info(folder, "b/x_fc7_0024_0")["run_key"], key);
    photo(&folder.join("set/c.png"), 64, 64, 222);
    worked(&climb(folder, &format!("{unit} --output-prefix c/x")));
    assert_ne!(info(folder, "c/x_fc7_0024_0")["run_key"], key);
    std::fs::write(folder.join("set/d.jpg"), "cut off").unwrap();
    refused(&climb(folder, &format!("{unit} --output-prefix d/x")), &["d.jpg"]);
}
