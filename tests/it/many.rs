//! Many units in one invocation: resumed, killed, shared between machines, logged.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::program::{deepvis, files, info, optimize, refused, said, started, words, worked};

/// The lines of a results folder's log.
fn runs(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn several_units_and_seeds_equal_single_runs() {
    let folder = tempfile::tempdir().unwrap();
    let together = optimize(
        folder.path(),
        &words("--push-layer y --push-channel 0-2,4 --rand-seed 0,3 --output-prefix a/x"),
    );
    worked(&together);
    assert_eq!(files(&folder.path().join("a")).len(), 8 * 5 + 1);
    worked(&optimize(
        folder.path(),
        &words("--push-layer y --push-channel 4 --rand-seed 3 --output-prefix b/x"),
    ));
    let read = |place: &str| std::fs::read(folder.path().join(place)).unwrap();
    for file in ["best_X.jpg", "info_big.pkl"] {
        let (together, alone) = (
            read(&format!("a/x_y_0004_3_{file}")),
            read(&format!("b/x_y_0004_3_{file}")),
        );
        assert!(together == alone, "{file} of a batch differs from that of a single run");
    }
}

/// The same command again does what is missing, incomplete or damaged, and leaves the rest alone.
#[test]
fn several_units_are_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let units = words("--push-layer y --push-channel all --output-prefix r/x");
    worked(&optimize(folder.path(), &units));
    let place = |name: &str| folder.path().join("r").join(name);
    let read = |name: &str| std::fs::read(place(name)).unwrap();
    let kept = [read("x_y_0001_0_info.txt"), b"kept\n".to_vec()].concat();
    std::fs::write(place("x_y_0001_0_info.txt"), &kept).unwrap();
    let whole = read("x_y_0002_0_info_big.pkl");
    std::fs::write(place("x_y_0002_0_info_big.pkl"), &whole[..whole.len() - 1]).unwrap();
    std::fs::remove_file(place("x_y_0003_0_info.txt")).unwrap();
    let output = optimize(folder.path(), &units);
    worked(&output);
    for expected in ["3 of 5 units are done already", "x_y_0002_0_info_big.pkl is damaged"] {
        assert!(said(&output).contains(expected), "{}", said(&output));
    }
    assert!(read("x_y_0001_0_info.txt") == kept, "another unit's file was touched");
    assert!(read("x_y_0002_0_info_big.pkl") == whole, "done again, a unit differs");
    assert!(info(folder.path(), "r/x_y_0003_0").contains("meta_result"));
    refused(
        &optimize(folder.path(), &[&units[..], &["--decay", "0.5"]].concat()),
        &[
            "x_y_0000_0_info.txt is there already with other settings (decay: 0, not decay: 0.5)",
            "--brave",
        ],
    );
    worked(&optimize(folder.path(), &[&units[..], &["--brave"]].concat()));
    assert_ne!(read("x_y_0001_0_info.txt"), kept);
}

/// Ctrl-C finishes the iteration and writes what was found.
#[cfg(unix)]
#[test]
fn an_interrupted_climb_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let forever = words("--push-layer y --push-channel 1 --max-iter 100000000 --verbose");
    let mut child = started(folder.path(), &forever)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It is interrupted when it climbs, however long the machine takes to start it.
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    assert!(lines.any(|line| line.unwrap().starts_with("10 ")));
    let rest = std::thread::spawn(move || lines.count());
    let kill = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    rest.join().unwrap();
    let info = info(folder.path(), "optimize_results/opt_y_0001_0");
    assert!(info.contains("meta_result: Metaresult: majority"), "{info}");
}

/// Several layers by name and by pattern; each line of the log says what the files say.
#[test]
fn layers_can_be_listed_and_matched_and_every_unit_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let output = deepvis(
        folder.path(),
        &words(
            "optimize --backend flex --model demo --push-layer conv[12],fc7 --push-channel 3,5 --push-spatial center --max-iter 4 --skipbig --output-prefix r/x --rand-seed 0-1",
        ),
    );
    worked(&output);
    let lines = runs(&folder.path().join("r/runs.jsonl"));
    let named: Vec<String> = lines
        .iter()
        .map(|run| run["files"].as_str().unwrap().to_owned())
        .collect();
    let expected: Vec<String> = ["conv1", "conv2", "fc7"]
        .iter()
        .flat_map(|layer| [(3, 0), (3, 1), (5, 0), (5, 1)].map(|(c, seed)| format!("x_{layer}_{c:04}_{seed}")))
        .collect();
    assert_eq!(named, expected);
    for run in &lines {
        let info = info(&folder.path().join("r"), run["files"].as_str().unwrap());
        for name in words("push_layer push_channel rand_seed max_iter best_ii lr_policy blur_every") {
            let value = run[name].as_str().map_or_else(|| run[name].to_string(), str::to_owned);
            assert!(
                info.lines().any(|line| line.trim() == format!("{name}: {value}")),
                "{name}: {value} is not in {info}"
            );
        }
        assert_eq!(run["curve_ii"], serde_json::json!([0, 1, 2, 3]));
        assert_eq!(run["curve_obj"].as_array().unwrap().len(), 4);
        assert_eq!(run["image"], serde_json::json!([3, 64, 64]));
        assert_eq!(run["backend"], "flex (CPU)");
        assert!(run["seconds"].as_f64().unwrap() > 0.0);
        assert!(run["error"].is_null());
    }
    assert_eq!(lines[8]["label"], "triangle");
    refused(
        &deepvis(folder.path(), &words("optimize --model demo --push-layer cnov*")),
        &["--push-layer cnov*: no layer matches"],
    );
}

/// Units whose gradient is 0 are told at the end, do not stop the others, and make the exit code 1.
#[test]
fn a_unit_that_fails_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let output = deepvis(
        folder.path(),
        &words(
            "optimize --backend flex --model demo --push-layer pool3 --push-channel all --start-at mean --max-iter 2 --skipbig --output-prefix r/x",
        ),
    );
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let lines = runs(&folder.path().join("r/runs.jsonl"));
    assert_eq!(lines.len(), 64);
    let flat = lines
        .iter()
        .filter(|run| run["meta_result"] == "Metaresult: grad 0 failure")
        .count();
    assert!(flat > 0 && flat < 64, "{flat} of 64 have no gradient");
    assert!(
        said(&output).contains(&format!("{flat} of 64 units failed")),
        "{}",
        said(&output)
    );
    assert!(said(&output).contains("of \"pool3\", seed 0: the gradient is 0"));
}

/// Shards share the work without gaps, and results of the same shard run twice at once stay whole.
#[test]
fn shards_share_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let units = words("--push-layer y --push-channel all --rand-seed 0-3 --output-prefix r/x");
    let shard = |shard: &'static str| [&units[..], &["--max-iter", "3", "--shard", shard]].concat();
    let mut children: Vec<_> = ["1/3", "2/3", "2/3", "3/3"]
        .iter()
        .map(|part| {
            started(folder.path(), &shard(part))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    assert!(children.iter_mut().all(|child| child.wait().unwrap().success()));
    let mut named: Vec<String> = (1..=3)
        .flat_map(|part| runs(&folder.path().join(format!("r/runs-{part}-of-3.jsonl"))))
        .map(|run| run["files"].as_str().unwrap().to_owned())
        .collect();
    named.sort();
    named.dedup();
    assert_eq!(named.len(), 20);
    let output = optimize(folder.path(), &units);
    worked(&output);
    assert!(
        said(&output).contains("20 of 20 units are done already"),
        "{}",
        said(&output)
    );
    for wrong in ["0/3", "4/3", "1/0", "one"] {
        refused(
            &optimize(folder.path(), &["--shard", wrong]),
            &["--shard", wrong, "from 1/16 to 16/16"],
        );
    }
}

/// Killed at any moment, nothing that stands under its final name is half-written, and the same command goes on.
#[cfg(unix)]
#[test]
fn killed_at_any_moment_nothing_is_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let units = words(
        "--push-layer y --push-channel all --rand-seed 0-9 --output-prefix r/x --batch-size 2 --max-iter 3 --quiet",
    );
    let place = folder.path().join("r");
    let mut done = Vec::new();
    for round in 0u64..40 {
        let mut child = started(folder.path(), &units).spawn().unwrap();
        // Moments spread over start-up, climbing and writing.
        std::thread::sleep(Duration::from_millis(40 + round * 37 % 400));
        child.kill().unwrap();
        child.wait().unwrap();
        if !place.exists() {
            continue;
        }
        let now = files(&place);
        for name in now.iter().filter(|name| !name.starts_with(".deepvis-")) {
            let bytes = std::fs::read(place.join(name)).unwrap();
            let whole = match name.rsplit('.').next().unwrap() {
                "jpg" => image::load_from_memory(&bytes).is_ok(),
                "pkl" => bytes.last() == Some(&b'.'),
                "txt" => String::from_utf8_lossy(&bytes).contains("  x0: (4, 13, 14) array ["),
                "jsonl" => bytes.ends_with(b"}\n"),
                _ => panic!("{name} is none of our files"),
            };
            assert!(whole, "{name} is half-written after {} bytes", bytes.len());
        }
        let complete = now.iter().filter(|name| name.ends_with("_info.txt")).count();
        assert!(
            done.last().is_none_or(|before| complete >= *before),
            "{done:?}, then {complete}"
        );
        done.push(complete);
        if complete == 50 {
            break;
        }
    }
    worked(&started(folder.path(), &units).output().unwrap());
    assert_eq!(
        files(&place).iter().filter(|name| name.ends_with("_info.txt")).count(),
        50
    );
    let mut named: Vec<Value> = runs(&place.join("runs.jsonl"))
        .iter()
        .map(|run| run["files"].clone())
        .collect();
    named.sort_by_key(Value::to_string);
    named.dedup();
    assert_eq!(named.len(), 50);
}

/// What a killed program left half-written is taken away later, but not what another program may be writing now.
#[test]
fn abandoned_files_are_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("r");
    std::fs::create_dir(&place).unwrap();
    for (name, hours) in [("old", 2), ("new", 0)] {
        let file = std::fs::File::create(place.join(format!(".deepvis-{name}.tmp"))).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_secs(hours * 3600))
            .unwrap();
    }
    worked(&optimize(
        folder.path(),
        &words("--push-layer y --push-channel 0 --output-prefix r/x"),
    ));
    let names = files(&place);
    assert!(
        names.contains(&".deepvis-new.tmp".to_owned()) && !names.contains(&".deepvis-old.tmp".to_owned()),
        "{names:?}"
    );
}

/// A climb that was killed goes on from its checkpoint and ends exactly as one that was not.
#[cfg(unix)]
#[test]
fn a_killed_climb_goes_on_from_its_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let unit = "--push-layer y --push-channel 3 --max-iter 1500 --checkpoint-every 50 --output-prefix";
    let line = |prefix: &str| format!("{unit} {prefix} --decay 0.01 --blur-radius 0.5 --blur-every 4");
    let (whole, cut) = (line("whole/x"), line("cut/x"));
    worked(&started(folder.path(), &words(&whole)).output().unwrap());
    let mut child = started(folder.path(), &words(&cut)).spawn().unwrap();
    let checkpoint = folder.path().join("cut/x_y_0003_0_checkpoint.cbor");
    while !checkpoint.exists() {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before its first checkpoint could be seen"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!folder.path().join("cut/x_y_0003_0_info.txt").exists());
    refused(
        &started(folder.path(), &words(&format!("{unit} cut/x")))
            .output()
            .unwrap(),
        &["x_y_0003_0_checkpoint.cbor: it is of other settings", "--brave"],
    );
    let output = started(folder.path(), &words(&cut)).output().unwrap();
    worked(&output);
    assert!(said(&output).contains("goes on at iteration"), "{}", said(&output));
    let big = |prefix| std::fs::read(folder.path().join(prefix).join("x_y_0003_0_info_big.pkl")).unwrap();
    assert_eq!(big("cut"), big("whole"));
    assert!(!checkpoint.exists());
}
