//! Many units in one invocation: resumed, killed, shared between machines, logged.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use assert_cmd::Command;
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
    assert_eq!(files(&folder.path().join("a")).len(), 8 * 6 + 1);
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
            "x_y_0000_0_info.json is there already, of something else: decay: 0, not decay: 0.5",
            "--brave",
        ],
    );
    worked(&optimize(folder.path(), &[&units[..], &["--brave"]].concat()));
    assert_ne!(read("x_y_0001_0_info.txt"), kept);
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
        &deepvis(
            folder.path(),
            &words("optimize --backend flex --model demo --push-layer cnov*"),
        ),
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

/// Whole climbs of the bundled network: alone, in 2, in 32, each with 1, 2 and 3 threads: the same files.
#[test]
fn whole_climbs_are_the_same_in_any_company_and_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    // In 32, the two that are compared stand among the others; alone, one by one.
    let units = [
        ("alone", "5 --rand-seed 0-1", 1),
        ("two", "5 --rand-seed 0-1", 2),
        ("all", "4-11 --rand-seed 0-3", 32),
    ];
    let mut compared = 0;
    for layer in ["fc7", "conv4"] {
        let mut expected: Option<Vec<Vec<u8>>> = None;
        for threads in ["1", "2", "3"] {
            for (company, unit, batch) in units {
                let prefix = format!("{layer}-{threads}-{company}/x");
                let line = format!(
                    "optimize --backend flex --model demo --push-layer {layer} --push-channel {unit} --batch-size {batch} \
                     --preset paper-3 --push-spatial {} --max-iter 30 --quiet --output-prefix {prefix}",
                    if layer == "fc7" { "None" } else { "center" }
                );
                let output = Command::cargo_bin("deepvis")
                    .unwrap()
                    .current_dir(folder.path())
                    .env("HOME", folder.path())
                    .env("XDG_CONFIG_HOME", folder.path())
                    .env("RAYON_NUM_THREADS", threads)
                    .args(words(&line))
                    .output()
                    .unwrap();
                worked(&output);
                let mut found = Vec::new();
                for seed in 0..2 {
                    for ending in [
                        "best_X.jpg",
                        "best_Xpm.jpg",
                        "info.pkl",
                        "info_big.pkl",
                        "info.txt",
                        "info.json",
                    ] {
                        let name = format!("{prefix}_{layer}_0005_{seed}_{ending}");
                        found.push(std::fs::read(folder.path().join(name)).unwrap());
                    }
                }
                assert!(
                    *expected.get_or_insert_with(|| found.clone()) == found,
                    "{prefix} is otherwise"
                );
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 18);
}

/// Kills that must hit a program at work.
#[cfg(unix)]
const KILLS: usize = 200;

/// The iterations of [`killed_at_any_moment_nothing_is_lost`]: 50 units that together take longer than any one of its
/// programs lives.
#[cfg(unix)]
const KILLED: &str = "--push-layer y --push-channel all --rand-seed 0-9 --decay 0.01 --blur-radius 0.5 --blur-every 4 \
                      --max-iter 400 --checkpoint-every 20 --batch-size 2 --quiet --output-prefix";

/// Sends a signal; whether the program was there to get it.
#[cfg(unix)]
fn signal(child: &mut std::process::Child, name: &str) -> bool {
    if child.try_wait().unwrap().is_some() {
        return false;
    }
    let kill = std::process::Command::new("kill")
        .args(["-s", name, &child.id().to_string()])
        .stderr(Stdio::null())
        .status();
    kill.unwrap().success()
}

/// Every file that stands under its final name is whole.
#[cfg(unix)]
fn all_are_whole(place: &Path) {
    for name in files(place) {
        let ending = name.rsplit('.').next().unwrap();
        // What is being written, and what a resumed program judges: it refuses a damaged checkpoint.
        if name.starts_with(".deepvis-") || name.contains("_checkpoint.") {
            continue;
        }
        let bytes = std::fs::read(place.join(&name)).unwrap();
        let whole = match ending {
            "jpg" => image::load_from_memory(&bytes).is_ok(),
            "pkl" => bytes.last() == Some(&b'.'),
            "txt" => String::from_utf8_lossy(&bytes).contains("  x0: (4, 13, 14) array ["),
            "json" => serde_json::from_slice::<serde_json::Value>(&bytes).is_ok(),
            "jsonl" => bytes.is_empty() || bytes.ends_with(b"}\n"),
            _ => panic!("{name} is none of our files"),
        };
        assert!(whole, "{name} is half-written after {} bytes", bytes.len());
    }
}

/// The bytes of all results, by name; the log and its times are left out.
#[cfg(unix)]
fn results(place: &Path) -> Vec<(String, Vec<u8>)> {
    files(place)
        .into_iter()
        .filter(|name| !name.ends_with(".jsonl") && !name.starts_with(".deepvis-"))
        .map(|name| (name.clone(), std::fs::read(place.join(name)).unwrap()))
        .collect()
}

/// Ended two hundred times by three signals, at moments spread over start-up, climbing and writing: nothing that stands
/// under its final name is half-written, and what comes out in the end is to the byte what one that ran through writes.
#[cfg(unix)]
#[test]
fn killed_at_any_moment_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let line = |prefix: &str| format!("{KILLED} {prefix}/x");
    let run = |prefix: &str| {
        started(folder.path(), &words(&line(prefix)))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let through = |prefix: &str| worked(&run(prefix).wait_with_output().unwrap());
    through("whole");
    let whole = results(&folder.path().join("whole"));
    assert_eq!(whole.len(), 50 * 6);
    let same = |place: &Path| {
        let found = results(place);
        let names = |all: &[(String, Vec<u8>)]| all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&found), names(&whole));
        for ((name, found), (_, expected)) in found.iter().zip(&whole) {
            assert!(
                found == expected,
                "{name} is not what a run without interruption writes"
            );
        }
        let mut named: Vec<String> = runs(&place.join("runs.jsonl"))
            .iter()
            .map(|run| run["files"].as_str().unwrap().to_owned())
            .collect();
        named.sort();
        named.dedup();
        assert_eq!(named.len(), 50, "units are missing in the log");
    };
    let (mut hits, mut rounds, mut wait) = ([0; 3], 0, 0);
    while hits.iter().sum::<usize>() < KILLS {
        assert!(rounds < 20, "the program ends before it can be killed: {hits:?}");
        let prefix = format!("cut{rounds}");
        let place = folder.path().join(&prefix);
        let mut done = 0;
        loop {
            let mut child = run(&prefix);
            wait += 37;
            std::thread::sleep(Duration::from_millis(20 + wait % 230));
            let which = hits.iter().sum::<usize>() % 3;
            let hit = signal(&mut child, ["KILL", "TERM", "INT"][which]);
            let output = child.wait_with_output().unwrap();
            // Before it listens, a signal ends it as it ends any program.
            let code = output.status.code();
            assert!(matches!(code, None | Some(0 | 130)), "{code:?}: {}", said(&output));
            if place.exists() {
                all_are_whole(&place);
                let complete = files(&place).iter().filter(|name| name.ends_with("_info.txt")).count();
                assert!(complete >= done, "{done} units were done, then {complete}");
                done = complete;
            }
            if code == Some(0) {
                break;
            }
            hits[which] += usize::from(hit);
            if hits.iter().sum::<usize>() == KILLS {
                break;
            }
        }
        through(&prefix);
        same(&place);
        rounds += 1;
    }
    assert!(hits.iter().all(|hits| *hits >= KILLS / 4), "{hits:?}");
}

/// What ends a terminal, a container or a job lets the iteration be finished and the results be written, as Ctrl-C does.
#[cfg(unix)]
#[test]
fn every_polite_signal_is_an_interrupt() {
    for name in ["INT", "TERM", "HUP"] {
        let folder = tempfile::tempdir().unwrap();
        let forever = words("--push-layer y --push-channel 1 --max-iter 100000000 --verbose");
        let mut child = started(folder.path(), &forever)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
        assert!(lines.any(|line| line.unwrap().starts_with("10 ")));
        let rest = std::thread::spawn(move || lines.count());
        assert!(signal(&mut child, name));
        assert_eq!(child.wait().unwrap().code(), Some(130), "{name}");
        rest.join().unwrap();
        let info = info(folder.path(), "optimize_results/opt_y_0001_0");
        assert!(info.contains("meta_result: Metaresult: majority"), "{name}: {info}");
    }
}

/// `nohup` means what it says.
#[cfg(unix)]
#[test]
fn a_hang_up_that_is_ignored_stays_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let forever = started(
        folder.path(),
        &words("--push-layer y --push-channel 1 --max-iter 100000000 --verbose"),
    );
    let mut command = std::process::Command::new("nohup");
    command.arg(forever.get_program()).args(forever.get_args());
    for (name, value) in forever.get_envs() {
        command.env(name, value.unwrap());
    }
    let mut child = command
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    assert!(lines.any(|line| line.unwrap().starts_with("10 ")));
    assert!(signal(&mut child, "HUP"));
    // Twenty thousand lines later it still climbs.
    assert_eq!(lines.by_ref().take(20_000).count(), 20_000);
    assert!(child.try_wait().unwrap().is_none());
    let rest = std::thread::spawn(move || lines.count());
    assert!(signal(&mut child, "INT"));
    assert_eq!(child.wait().unwrap().code(), Some(130));
    rest.join().unwrap();
}

/// Whoever reads the results may go; the work goes on, and its exit code tells of the work.
#[cfg(unix)]
#[test]
fn a_reader_that_goes_does_not_end_the_work() {
    let folder = tempfile::tempdir().unwrap();
    for closed in ["stdout", "stderr"] {
        let line = format!("--push-layer y --push-channel all --max-iter 3 --verbose --output-prefix {closed}/x");
        let mut command = started(folder.path(), &words(&line));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let (reader, writer) = std::io::pipe().unwrap();
        match closed {
            "stdout" => command.stdout(writer),
            _ => command.stderr(writer),
        };
        let mut child = command.spawn().unwrap();
        drop(command);
        drop(reader);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{closed}");
        let names = files(&folder.path().join(closed));
        assert_eq!(
            names.iter().filter(|name| name.ends_with("_info.txt")).count(),
            5,
            "{names:?}"
        );
    }
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
