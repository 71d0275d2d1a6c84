//! Climbs that begin with a photograph, and what a page may send.

use std::io::{Cursor, Write};

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Explore, face};
use crate::program::{deepvis, files, words, worked};

/// A red disc on blue, as a PNG.
fn disc() -> Vec<u8> {
    let picture = RgbImage::from_fn(80, 60, |x, y| {
        let (x, y) = (x.abs_diff(40), y.abs_diff(30));
        if x * x + y * y < 400 {
            Rgb([220, 40, 30])
        } else {
            Rgb([30, 60, 200])
        }
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn a_photograph_is_what_a_climb_begins_with() {
    let folder = tempfile::tempdir().unwrap();
    let explore = Explore::begin(folder.path(), &[]);
    let bytes = disc();
    let (status, kept) = explore.send("/api/photo/keep", &bytes);
    assert_eq!(status, 200, "{kept}");
    let digest: String = Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let name = format!("{}.png", &digest[..16]);
    assert_eq!(kept["name"], *name);
    let path = format!("optimize_results/photos/{name}");
    assert_eq!(std::fs::read(folder.path().join(&path)).unwrap(), bytes);
    let mut events = explore.events();
    for (preset, steps, id) in [("accentuate", "4", 1), ("deepdream", "4", 2), ("fourier", "3", 3)] {
        let wish = json!({"layer": "conv4", "channels": "3", "seeds": "0", "start_from": name,
                          "settings": {"preset": preset, "max-iter": steps}});
        let command = explore.start(&wish)["command"].as_str().unwrap().to_owned();
        assert!(command.contains(&format!("--start-from={path}")), "{command}");
        let mut shown = Value::Null;
        events.until(preset, |news| {
            let frame = &news["run"]["units"][0]["frame"];
            if frame.is_string() {
                shown = frame.clone();
            }
            news["run"]["id"] == id && news["run"]["status"] == "done"
        });
        // The command that was shown does the same, where the photograph is.
        let other = tempfile::tempdir().unwrap();
        let place = other.path().join(&path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, &bytes).unwrap();
        worked(&deepvis(other.path(), &words(&command).split_off(1)));
        let theirs = other.path().join("optimize_results");
        let names = files(&theirs);
        assert!(names.len() > 6, "{names:?}");
        for name in names
            .iter()
            .filter(|name| !name.ends_with(".jsonl") && !name.starts_with("photos"))
        {
            let ours = std::fs::read(folder.path().join("optimize_results").join(name)).unwrap();
            assert!(ours == std::fs::read(theirs.join(name)).unwrap(), "{preset}: {name}");
        }
        let info = names.iter().find(|name| name.ends_with("_info.json")).unwrap();
        let info: Value = serde_json::from_slice(&std::fs::read(theirs.join(info)).unwrap()).unwrap();
        assert_eq!(info["recipe"]["start_from"]["sha256"], *digest, "{info}");
        assert!(shown.is_string(), "no picture of {preset} was shown");
    }
    for (start_from, preset) in [
        ("/etc/passwd", "accentuate"),
        ("../photos/x.png", "fourier"),
        ("0123456789abcdef.png", "deepdream"),
        (name.as_str(), "maco"),
    ] {
        let wish = json!({"layer": "conv4", "channels": "3", "seeds": "0", "start_from": start_from, "settings": {"preset": preset}});
        let (status, answer) = explore.post("/api/plan", &wish);
        assert_eq!(status, 400, "{start_from}: {answer}");
    }
    // Without one, there is nothing to accentuate.
    let wish = json!({"layer": "conv4", "channels": "3", "seeds": "0", "settings": {"preset": "accentuate"}});
    let (status, answer) = explore.post("/api/plan", &wish);
    assert!(
        status == 400 && answer["error"].as_str().unwrap().contains("accentuate"),
        "{answer}"
    );
}

#[test]
fn an_image_has_the_size_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let explore = Explore::begin(folder.path(), &["--skipbig"]);
    let mut events = explore.events();
    let settings = json!({"preset": "fourier", "max-iter": "2", "size": "(40,72)", "alpha": "on", "parameterization": "pixels",
                          "optimizer": "rmsprop", "colour": "none"});
    let wish = json!({"layer": "conv4", "channels": "3", "seeds": "0", "settings": settings});
    let command = explore.start(&wish)["command"].as_str().unwrap().to_owned();
    for part in [
        "--size='(40,72)'",
        "--alpha ",
        "--parameterization=pixels",
        "--optimizer=rmsprop",
        "--colour=none",
    ] {
        assert!(command.contains(part), "{part}: {command}");
    }
    events.until_status(1, "done");
    let results = folder.path().join("optimize_results");
    let names = files(&results);
    let picture = names.iter().find(|name| name.ends_with("_image.png")).unwrap();
    let picture = image::open(results.join(picture)).unwrap();
    assert_eq!(
        (picture.width(), picture.height(), picture.color().has_alpha()),
        (72, 40, true)
    );
    // All that presets say of themselves may be said again, and comes to the same.
    let model = explore.json("/api/model");
    for preset in model["presets"].as_array().unwrap() {
        let mut settings = preset["settings"].as_object().unwrap().clone();
        settings.insert("preset".to_owned(), preset["name"].clone());
        let kept = explore.send("/api/photo/keep", &disc()).1;
        let start_from = if preset["photo"] == "must" {
            kept["name"].clone()
        } else {
            Value::Null
        };
        let wish =
            json!({"layer": "conv4", "channels": "3", "seeds": "0", "settings": settings, "start_from": start_from});
        let (status, answer) = explore.post("/api/plan", &wish);
        assert_eq!(status, 200, "{}: {answer}", preset["name"]);
    }
}

#[test]
fn a_photograph_of_more_than_32_megabytes_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let explore = Explore::begin(folder.path(), &[]);
    let place = explore
        .url
        .strip_prefix("http://")
        .unwrap()
        .trim_end_matches('/')
        .to_owned();
    let largest = 32 << 20;
    for path in ["/api/photo?layer=fc7", "/api/photo/keep"] {
        // As many bytes as are allowed are looked at: they are no picture.
        let (status, answer) = explore.send(path, &vec![0; largest]);
        assert!(
            status == 400 && answer["error"].as_str().unwrap().contains("no JPEG"),
            "{path}: {status} {answer}"
        );
        // One more is refused, whether it is announced or found out on the way.
        let head = format!("POST {path} HTTP/1.1\r\nhost: {place}\r\ncontent-type: image/png\r\n");
        let length = largest + 1;
        for framing in [
            format!("content-length: {length}\r\n\r\n"),
            format!("transfer-encoding: chunked\r\n\r\n{length:x}\r\n"),
        ] {
            let mut stream = std::net::TcpStream::connect(&place).unwrap();
            stream.set_read_timeout(Some(super::PATIENCE)).unwrap();
            stream.write_all(format!("{head}{framing}").as_bytes()).unwrap();
            // It may answer, and close, before all is sent.
            let _ = stream.write_all(&vec![0; length]);
            assert_eq!(super::safety::status(&mut stream), "413", "{path}");
        }
    }
    assert!(!folder.path().join("optimize_results/photos").exists());
    explore.start(&face(2));
    explore.events().until_status(1, "done");
}
