//! What a person does, asked of the interface.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Explore, LONG, face};
use crate::program::{deepvis, files, words, worked};

/// Numbers of a message's first unit.
fn unit(news: &Value, what: &str) -> f64 {
    news["run"]["units"][0][what].as_f64().unwrap_or(f64::NAN)
}

#[test]
fn what_it_writes_is_what_the_command_it_shows_writes() {
    let folder = tempfile::tempdir().unwrap();
    let explore = Explore::begin(folder.path(), &[]);
    let model = explore.json("/api/model");
    assert_eq!(model["name"], "demo");
    let pushed: Vec<&str> = model["layers"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["push"].as_str())
        .collect();
    assert_eq!(
        pushed,
        [
            "conv1", "conv2", "pool2", "conv3", "pool3", "conv4", "conv5", "pool5", "fc6", "fc7", "prob"
        ]
    );
    let wishes = [
        face(25),
        json!({"layer": "conv3", "channels": "2,5-6", "seeds": "3", "settings": {"preset": "fourier", "max-iter": "5"}}),
    ];
    for (wish, id) in wishes.into_iter().zip(1..) {
        let mut events = explore.events();
        let planned = explore.ask("/api/plan", &wish);
        let command = explore.start(&wish)["command"].as_str().unwrap().to_owned();
        assert_eq!(planned["command"], *command);
        events.until_status(id, "done");
        let other = tempfile::tempdir().unwrap();
        let line: Vec<&str> = words(&command).split_off(1);
        worked(&deepvis(other.path(), &line));
        let names = files(&other.path().join("optimize_results"));
        assert!(names.len() > 6);
        for name in names.iter().filter(|name| !name.ends_with(".jsonl")) {
            let [ours, theirs] = [folder.path(), other.path()]
                .map(|place| std::fs::read(place.join("optimize_results").join(name)).unwrap());
            assert!(ours == theirs, "{name}");
        }
    }
    let listed = explore.json("/api/results");
    let found: BTreeSet<u64> = listed
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|run| run["push_channel"].as_u64())
        .collect();
    assert_eq!(found, [2, 5, 6, 24].into());
    let (status, picture) = explore.get("/api/results/file?files=opt_fc7_0024_0&ending=best_Xpm.jpg");
    assert_eq!(status, 200);
    let picture = image::load_from_memory(&picture).unwrap();
    assert_eq!((picture.width(), picture.height()), (64, 64));
}

#[test]
fn a_climb_is_watched_halted_steered_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let explore = Explore::begin(folder.path(), &["--skipbig"]);
    let (mut events, mut other_page) = (explore.events(), explore.events());
    explore.start(&face(LONG));
    // Pictures come, and differ.
    let mut frames = BTreeSet::new();
    while frames.len() < 3 {
        let news = events.until("a picture", |news| news["run"]["units"][0]["frame"].is_string());
        let frame = news["run"]["units"][0]["frame"].as_str().unwrap().to_owned();
        assert!(frame.starts_with("data:image/jpeg;base64,"));
        frames.insert(frame);
    }
    // Two at once do not.
    let (status, answer) = explore.post("/api/start", &json!({"wish": face(5)}));
    assert_eq!(
        (status, answer["error"].as_str()),
        (409, Some("a climb is at work; stop it first"))
    );
    explore.ask("/api/pause", &json!({}));
    let at = unit(&events.until_status(1, "paused"), "iteration");
    std::thread::sleep(std::time::Duration::from_millis(300));
    explore.ask("/api/rate", &json!({"factor": 0.25}));
    let news = events.until("the factor", |news| news["run"]["factor"] == 0.25);
    // The iteration at work when it was paused is all that came to it.
    let later = news["run"]["units"]
        .as_array()
        .unwrap()
        .first()
        .map_or(at, |unit| unit["iteration"].as_f64().unwrap());
    assert!(later - at <= 1.0 || at.is_nan(), "{at} {later}");
    explore.ask("/api/resume", &json!({}));
    let mut told = Value::Null;
    events.until("it goes on", |news| {
        if let Some(unit) = news["run"]["units"].get(0) {
            told = unit["rate_changes"].clone();
        }
        news["run"]["status"] == "climbing" && unit(news, "iteration") > 5.0
    });
    other_page.until("another page sees it, too", |news| news["run"]["factor"] == 0.25);
    explore.ask("/api/stop", &json!({"keep": true}));
    let news = events.until_status(1, "stopped");
    assert_eq!(news["run"]["is_over"], true);
    let info = std::fs::read(folder.path().join("optimize_results/opt_fc7_0024_0_info.json")).unwrap();
    let info: Value = serde_json::from_slice(&info).unwrap();
    assert_eq!(info["is_complete"], false);
    let changes = info["recipe"]["rate_changes"].as_array().unwrap();
    assert_eq!((changes.len(), &changes[0]["factor"]), (1, &json!(0.25)), "{info}");
    // Pages are told what is written.
    assert_eq!(told, info["recipe"]["rate_changes"]);
    let listed = explore.json("/api/results");
    assert_eq!(listed.as_array().unwrap().len(), 1);
    // What is not kept leaves nothing, and does not touch what is there.
    let before = files(&folder.path().join("optimize_results"));
    explore.start(&face(LONG));
    events.until_status(2, "climbing");
    explore.ask("/api/stop", &json!({"keep": false}));
    events.until_status(2, "stopped");
    assert_eq!(files(&folder.path().join("optimize_results")), before);
}

#[test]
fn another_recipe_does_not_cost_the_picture_before() {
    let folder = tempfile::tempdir().unwrap();
    let explore = Explore::begin(folder.path(), &["--skipbig"]);
    let mut events = explore.events();
    let place = folder.path().join("optimize_results");
    explore.start(&face(5));
    events.until_status(1, "done");
    let first = std::fs::read(place.join("opt_fc7_0024_0_best_X.jpg")).unwrap();
    let command = explore.start(&face(6))["command"].as_str().unwrap().to_owned();
    assert!(
        command.ends_with("--output-prefix optimize_results/opt-2 --skipbig"),
        "{command}"
    );
    events.until_status(2, "done");
    // The first again is found under its own name, and made anew.
    let command = explore.start(&face(5))["command"].as_str().unwrap().to_owned();
    assert!(command.ends_with("--skipbig --brave"), "{command}");
    events.until_status(3, "done");
    assert_eq!(std::fs::read(place.join("opt_fc7_0024_0_best_X.jpg")).unwrap(), first);
    let pictures = files(&place).into_iter().filter(|name| name.ends_with("_best_X.jpg"));
    assert_eq!(pictures.count(), 2);
    // A new start takes the place of one at work, which is kept as it is.
    explore.start(&json!({"layer": "conv5", "channels": "1-3", "seeds": "0", "settings": {"preset": "demo", "max-iter": "400000"}}));
    events.until("three climb", |news| {
        news["run"]["units"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|unit| unit["status"] == "climbing")
            .count()
            == 3
    });
    explore.ask("/api/start", &json!({"wish": face(7), "replace": true}));
    events.until_status(5, "done");
    let pictures = files(&place)
        .into_iter()
        .filter(|name| name.contains("conv5") && name.ends_with("_best_X.jpg"));
    assert_eq!(pictures.count(), 3);
}

#[test]
fn an_interrupted_climb_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut explore = Explore::begin(folder.path(), &["--skipbig"]);
    let mut events = explore.events();
    explore.start(&face(LONG));
    events.until("it climbs", |news| unit(news, "iteration") > 10.0);
    assert_eq!(explore.interrupt(), Some(0));
    let last = std::iter::from_fn(|| events.next()).last().unwrap();
    assert_eq!(
        (&last["ended"], &last["run"]["status"]),
        (&json!(true), &json!("interrupted"))
    );
    assert!(files(&folder.path().join("optimize_results")).contains(&"opt_fc7_0024_0_checkpoint.cbor".into()));
    let explore = Explore::begin(folder.path(), &["--skipbig"]);
    let mut events = explore.events();
    explore.start(&face(LONG));
    let news = events.until("it climbs", |news| unit(news, "iteration") > 10.0);
    let note = news["run"]["notes"][0].as_str().unwrap();
    assert!(note.contains("goes on at iteration "), "{note}");
}

#[test]
fn a_photograph_is_answered_by_classes_and_channels() {
    let folder = tempfile::tempdir().unwrap();
    let explore = Explore::begin(folder.path(), &["--skipbig"]);
    explore.start(&face(30));
    explore.events().until_status(1, "done");
    // The picture that the face unit looks for is a face to the network.
    let bytes = std::fs::read(folder.path().join("optimize_results/opt_fc7_0024_0_best_Xpm.jpg")).unwrap();
    let mut answer = ureq::post(explore.address("/api/photo?layer=fc7"))
        .header("content-type", "image/jpeg")
        .send(&bytes[..])
        .unwrap();
    let answer: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    assert_eq!(
        (&answer["layer"], &answer["class_layer"]),
        (&json!("fc7"), &json!("prob"))
    );
    let best = &answer["channels"][0];
    assert_eq!(
        (&best["channel"], &best["label"]),
        (&json!(24), &json!("face")),
        "{answer}"
    );
    assert_eq!(answer["classes"][0]["channel"], 24);
    let told = deepvis(
        folder.path(),
        &words("classify demo optimize_results/opt_fc7_0024_0_best_Xpm.jpg --backend flex --top 1"),
    );
    let value = format!("{:10.6}", answer["classes"][0]["value"].as_f64().unwrap());
    assert!(
        String::from_utf8_lossy(&told.stdout).contains(&value),
        "{value} {told:?}"
    );
}
