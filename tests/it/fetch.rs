//! `deepvis fetch`, from a server that breaks connections and lies.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use crate::program::{deepvis, files, refused, said, worked};
use crate::support::{repository, shared};

#[path = "../support/random_weights.rs"]
pub mod random_weights;

/// How a server misbehaves.
#[derive(Debug, Clone, Copy, Default)]
struct Manners {
    /// Bytes of a body after which the connection is broken.
    breaks_after: Option<usize>,
    /// Connections that are broken before all goes well.
    broken: usize,
    /// Whether it sends parts of files, and calls its files' versions by names.
    knows_ranges: bool,
    /// Whether it names a file's length.
    hides_length: bool,
    /// The status of every answer, if it is always the same.
    status: Option<u16>,
    /// What it sends in place of everything.
    instead: Option<&'static [u8]>,
    /// A whole head of its own, before `instead`.
    head: Option<&'static str>,
    /// The version that it calls its files.
    version: u32,
}

/// A web server on this machine with files such as SqueezeNet's; its address, and the requests it heard.
fn serve(manners: Manners) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = heard.clone();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            // The client may have gone away.
            let _ = answer(&mut stream.unwrap(), manners, number, &told);
        }
    });
    (address, heard)
}

fn answer(stream: &mut TcpStream, manners: Manners, number: usize, heard: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let lines: Vec<String> = BufReader::new(stream.try_clone()?)
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    let header = |name: &str| {
        lines.iter().find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    };
    let range =
        header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    heard
        .lock()
        .unwrap()
        .push(format!("{} from {}", lines[0], range.unwrap_or(0)));
    let body = match (manners.instead, lines[0].contains("labels")) {
        (Some(instead), _) => instead.to_vec(),
        (None, true) => labels(),
        (None, false) => weights().to_vec(),
    };
    if let Some(head) = manners.head {
        write!(stream, "{head}\r\n\r\n")?;
        return stream.write_all(&body);
    }
    if let Some(status) = manners.status {
        return write!(
            stream,
            "HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    }
    let version = format!("\"{}\"", manners.version);
    let begin = range.filter(|_| manners.knows_ranges && header("if-range").as_ref() == Some(&version));
    let rest = &body[begin.unwrap_or(0).min(body.len())..];
    let mut head = match begin {
        Some(begin) => format!(
            "206 Partial Content\r\nContent-Range: bytes {begin}-{}/{}",
            body.len() - 1,
            body.len()
        ),
        None => "200 OK".into(),
    };
    if manners.knows_ranges {
        head += &format!("\r\nETag: {version}");
    }
    if !manners.hides_length {
        head += &format!("\r\nContent-Length: {}", rest.len());
    }
    write!(stream, "HTTP/1.1 {head}\r\nConnection: close\r\n\r\n")?;
    let cut = manners
        .breaks_after
        .filter(|_| number < manners.broken)
        .unwrap_or(rest.len());
    stream.write_all(&rest[..cut.min(rest.len())])
}

/// Weights for SqueezeNet, all of the right shapes.
fn weights() -> &'static [u8] {
    static WEIGHTS: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("random.caffemodel");
        random_weights::write(&repository("models/deploy/squeezenet_v1.0.prototxt"), &path).unwrap();
        std::fs::read(path).unwrap()
    });
    &WEIGHTS
}

fn labels() -> Vec<u8> {
    (0..1000)
        .flat_map(|class| format!("class {class}\n").into_bytes())
        .collect()
}

fn place(folder: &Path, model: &str) -> std::path::PathBuf {
    folder.join(".local/share/deepvis/models").join(model)
}

fn fetch(folder: &Path, model: &str, from: &str) -> std::process::Output {
    deepvis(folder, &["fetch", model, "--from", from])
}

#[test]
fn a_broken_download_goes_on_where_it_broke() {
    let folder = tempfile::tempdir().unwrap();
    let (address, heard) = serve(Manners {
        breaks_after: Some(100_000),
        broken: 2,
        knows_ranges: true,
        ..Manners::default()
    });
    worked(&fetch(folder.path(), "squeezenet", &address));
    let folder = place(folder.path(), "squeezenet");
    assert!(std::fs::read(folder.join("squeezenet_v1.0.caffemodel")).unwrap() == weights());
    let expected = [
        "deepvis.toml",
        "deploy.prototxt",
        "ilsvrc_2012_labels.txt",
        "squeezenet_v1.0.caffemodel",
    ];
    assert_eq!(files(&folder), expected);
    let heard = heard.lock().unwrap();
    assert_eq!(
        heard[..3],
        [0, 100_000, 200_000].map(|from| format!("GET /squeezenet_v1.0.caffemodel HTTP/1.1 from {from}"))
    );
}

#[test]
fn a_server_without_ranges_is_asked_for_all_of_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _) = serve(Manners {
        breaks_after: Some(100_000),
        broken: 1,
        ..Manners::default()
    });
    worked(&fetch(folder.path(), "squeezenet", &address));
    let found = place(folder.path(), "squeezenet").join("squeezenet_v1.0.caffemodel");
    assert!(std::fs::read(found).unwrap() == weights());
}

/// A server from which a download breaks off for good.
fn broken() -> Manners {
    Manners {
        breaks_after: Some(1000),
        broken: usize::MAX,
        knows_ranges: true,
        ..Manners::default()
    }
}

/// What came stays under another name, and the next call goes on with it; but not where it has been changed, or the file is
/// of another version by now.
#[test]
fn a_download_that_is_given_up_is_kept_for_the_next_call() {
    for (changed, version, begins_at) in [(false, 0, 5000), (true, 0, 0), (false, 1, 0)] {
        let folder = tempfile::tempdir().unwrap();
        // The same address for both: the first ten connections break.
        let (address, heard) = serve(Manners { broken: 5, ..broken() });
        let output = fetch(folder.path(), "squeezenet", &address);
        refused(
            &output,
            &["squeezenet_v1.0.caffemodel: ", "--from", "the same command goes on"],
        );
        let inside = place(folder.path(), "squeezenet");
        let part = inside.join("squeezenet_v1.0.caffemodel.part");
        let record = inside.join("squeezenet_v1.0.caffemodel.part.json");
        assert_eq!(
            files(&inside),
            [
                "squeezenet_v1.0.caffemodel.part",
                "squeezenet_v1.0.caffemodel.part.json"
            ]
        );
        assert_eq!(std::fs::read(&part).unwrap(), weights()[..5000]);
        if changed {
            let mut bytes = weights()[..5000].to_vec();
            bytes[4000] ^= 1;
            std::fs::write(&part, bytes).unwrap();
        }
        if version != 0 {
            // As if the server had told another version of it.
            let text = std::fs::read_to_string(&record).unwrap();
            std::fs::write(&record, text.replace("\\\"0\\\"", "\\\"1\\\"")).unwrap();
        }
        heard.lock().unwrap().clear();
        worked(&fetch(folder.path(), "squeezenet", &address));
        let asked = if version == 0 { begins_at } else { 5000 };
        assert!(
            heard.lock().unwrap()[0].ends_with(&format!("from {asked}")),
            "{:?}",
            heard.lock().unwrap()
        );
        assert!(std::fs::read(inside.join("squeezenet_v1.0.caffemodel")).unwrap() == weights());
        assert!(!part.exists() && !record.exists());
        let again = fetch(folder.path(), "squeezenet", &address);
        worked(&again);
        assert!(said(&again).contains("is there already; --brave downloads it again"));
    }
}

/// "200 OK" says little: what comes is looked at before it gets its name.
#[test]
fn what_is_not_the_file_is_not_installed() {
    let page = b"<!DOCTYPE html>\n<html><body>Please log in to use this network</body></html>\n";
    let whole = Manners {
        hides_length: true,
        ..Manners::default()
    };
    let cut = |len| Manners {
        breaks_after: Some(len),
        broken: usize::MAX,
        ..whole
    };
    let cases = [
        (
            Manners {
                instead: Some(page),
                ..Manners::default()
            },
            "it is not the weights of squeezenet",
        ),
        (
            Manners {
                instead: Some(b""),
                ..Manners::default()
            },
            "it is empty",
        ),
        (cut(weights().len() / 2), "it is not the weights of squeezenet"),
        (cut(weights().len() - 1), "it is not the weights of squeezenet"),
        (
            Manners {
                head: Some("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-99/100\r\nConnection: close"),
                ..Manners::default()
            },
            "a part that nobody asked for",
        ),
        (
            Manners {
                head: Some("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\nConnection: close"),
                ..Manners::default()
            },
            "such a file can have",
        ),
        (
            Manners {
                head: Some("HTTP/1.1 200 OK\r\nContent-Length: 600000000\r\nConnection: close"),
                ..Manners::default()
            },
            "such a file can have",
        ),
    ];
    for (manners, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let (address, _) = serve(manners);
        refused(&fetch(folder.path(), "squeezenet", &address), &[expected, "--from"]);
        let found = files(&place(folder.path(), "squeezenet"));
        assert!(found.iter().all(|name| name.contains(".part")), "{found:?}");
    }
}

/// The second file is looked at too, and what an older program took for it.
#[test]
fn labels_are_as_many_as_classes() {
    let folder = tempfile::tempdir().unwrap();
    let mirror = folder.path().join("mirror");
    std::fs::create_dir(&mirror).unwrap();
    std::fs::write(mirror.join("squeezenet_v1.0.caffemodel"), weights()).unwrap();
    for (wrong, expected) in [
        (labels()[..9000].to_vec(), "labels of 1000 classes"),
        ("<br>\n".repeat(1000).into_bytes(), "\"<br>\" is none"),
        (vec![0xff; 2000], "UTF-8"),
        (vec![b'\n'; 2 << 20], "such a file can have"),
    ] {
        std::fs::write(mirror.join("ilsvrc_2012_labels.txt"), wrong).unwrap();
        refused(
            &fetch(folder.path(), "squeezenet", "mirror"),
            &["ilsvrc_2012_labels.txt", expected],
        );
        assert_eq!(
            files(&place(folder.path(), "squeezenet"))
                .iter()
                .filter(|name| !name.contains(".part"))
                .collect::<Vec<_>>(),
            ["squeezenet_v1.0.caffemodel"]
        );
    }
    std::fs::write(mirror.join("ilsvrc_2012_labels.txt"), labels()).unwrap();
    let damaged = place(folder.path(), "squeezenet").join("squeezenet_v1.0.caffemodel");
    std::fs::write(&damaged, "<html>").unwrap();
    let output = fetch(folder.path(), "squeezenet", "mirror");
    worked(&output);
    assert!(said(&output).contains("it is downloaded again"), "{}", said(&output));
    assert!(std::fs::read(damaged).unwrap() == weights());
}

/// A server that answers a question for the rest with another part is not believed.
#[test]
fn a_part_from_elsewhere_is_not_appended() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _) = serve(broken());
    refused(
        &fetch(folder.path(), "squeezenet", &address),
        &["the same command goes on"],
    );
    let inside = place(folder.path(), "squeezenet");
    let record = inside.join("squeezenet_v1.0.caffemodel.part.json");
    let (liar, _) = serve(Manners {
        head: Some("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 1-99/100\r\nConnection: close"),
        ..Manners::default()
    });
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, text.replace(&address, &liar)).unwrap();
    refused(&fetch(folder.path(), "squeezenet", &liar), &["nobody asked for"]);
    let part = std::fs::read(inside.join("squeezenet_v1.0.caffemodel.part")).unwrap();
    assert!(part.is_empty(), "{} bytes of nowhere", part.len());
}

/// What never ends, or hardly moves, is given up, after few connections and with pauses between them.
#[test]
fn a_server_that_stalls_or_drips_is_given_up() {
    for (manners, most_connections) in [
        (
            Manners {
                breaks_after: Some(1),
                ..broken()
            },
            5,
        ),
        (
            Manners {
                breaks_after: Some(0),
                ..broken()
            },
            5,
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (address, heard) = serve(manners);
        let begun = std::time::Instant::now();
        refused(
            &fetch(folder.path(), "squeezenet", &address),
            &["the same command goes on"],
        );
        let connections = heard.lock().unwrap().len();
        assert!(connections <= most_connections, "{connections} connections");
        assert!(
            begun.elapsed() >= std::time::Duration::from_secs(3),
            "there were no pauses"
        );
    }
}

#[test]
fn a_wrong_checksum_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _) = serve(Manners::default());
    let output = fetch(folder.path(), "bvlc-googlenet", &address);
    refused(
        &output,
        &[
            "bvlc_googlenet.caffemodel: its SHA-1 is ",
            "its publisher states 405fc5acd08a3bb12de8ee5e23a96bec22f08204",
            "thrown away",
        ],
    );
    assert_eq!(files(&place(folder.path(), "bvlc-googlenet")), [""; 0]);
}

#[test]
fn a_file_that_is_not_there_is_one_clear_message() {
    let folder = tempfile::tempdir().unwrap();
    let (address, heard) = serve(Manners {
        status: Some(404),
        ..Manners::default()
    });
    refused(
        &fetch(folder.path(), "bvlc-alexnet", &format!("{address}/mirror/")),
        &[
            "/mirror/bvlc_alexnet.caffemodel: the server has no such file (status 404)",
            "--from",
        ],
    );
    assert_eq!(heard.lock().unwrap().len(), 1, "it was asked more than once");
    refused(
        &fetch(folder.path(), "squeezenet", "nowhere"),
        &["--from: there is no nowhere"],
    );
    refused(&fetch(folder.path(), "squeezenett", "."), &["did you mean squeezenet"]);
    let list = deepvis(folder.path(), &["fetch"]);
    worked(&list);
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    for name in ["caffenet-yos", "bvlc-googlenet", "squeezenet"] {
        assert!(list.contains(name), "{list}");
    }
}

/// From a folder, without a network: the real SqueezeNet, which then names what is on a picture.
#[test]
fn a_fetched_network_works_by_its_name() {
    let Some(models) = shared("models") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mirror = folder.path().join("mirror");
    std::fs::create_dir(&mirror).unwrap();
    for file in ["squeezenet_v1.1/squeezenet_v1.1.caffemodel", "ilsvrc_2012_labels.txt"] {
        let path = models.join(file);
        std::fs::copy(&path, mirror.join(path.file_name().unwrap())).unwrap();
    }
    worked(&fetch(folder.path(), "squeezenet-v1.1", "mirror"));
    let run = [
        "optimize",
        "--backend",
        "flex",
        "--model",
        "squeezenet-v1.1",
        "--max-iter",
        "2",
    ];
    let output = deepvis(folder.path(), &run);
    worked(&output);
    assert!(!said(&output).contains("bundled"), "{}", said(&output));
    let results = files(&folder.path().join("optimize_results"));
    assert!(
        results.contains(&"opt_pool10_0130_0_best_X.jpg".to_owned()),
        "{results:?}"
    );
}
