//! `deepvis fetch`, from a server that breaks connections and lies.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::program::{deepvis, files, refused, said, worked};
use crate::support::shared;

/// How a server misbehaves.
#[derive(Debug, Clone, Copy, Default)]
struct Manners {
    /// Bytes of a body after which the connection is broken.
    breaks_after: Option<usize>,
    /// Connections that are broken before all goes well.
    broken: usize,
    /// Whether it sends parts of files.
    knows_ranges: bool,
    /// The status of every answer, if it is always the same.
    status: Option<u16>,
}

/// A web server on this machine that gives out `body` under any name; its address, and the requests it heard.
fn serve(body: Vec<u8>, manners: Manners) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = heard.clone();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            // The client may have gone away.
            let _ = answer(&mut stream.unwrap(), &body, manners, number, &told);
        }
    });
    (address, heard)
}

fn answer(
    stream: &mut TcpStream,
    body: &[u8],
    manners: Manners,
    number: usize,
    heard: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let lines: Vec<String> = BufReader::new(stream.try_clone()?)
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    let range = lines.iter().find_map(|line| {
        let line = line.to_lowercase();
        line.strip_prefix("range: bytes=")?
            .strip_suffix('-')?
            .parse::<usize>()
            .ok()
    });
    heard
        .lock()
        .unwrap()
        .push(format!("{} from {}", lines[0], range.unwrap_or(0)));
    if let Some(status) = manners.status {
        return write!(
            stream,
            "HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    }
    let begin = range.filter(|_| manners.knows_ranges);
    let rest = &body[begin.unwrap_or(0).min(body.len())..];
    let status = if begin.is_some() {
        "206 Partial Content"
    } else {
        "200 OK"
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        rest.len()
    )?;
    let cut = manners
        .breaks_after
        .filter(|_| number < manners.broken)
        .unwrap_or(rest.len());
    stream.write_all(&rest[..cut.min(rest.len())])
}

/// Numbers that do not repeat soon, so that a part put in the wrong place shows.
fn body() -> Vec<u8> {
    (0u32..70_000).flat_map(u32::to_le_bytes).collect()
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
    let manners = Manners {
        breaks_after: Some(100_000),
        broken: 2,
        knows_ranges: true,
        status: None,
    };
    let (address, heard) = serve(body(), manners);
    worked(&fetch(folder.path(), "squeezenet", &address));
    let folder = place(folder.path(), "squeezenet");
    assert!(std::fs::read(folder.join("squeezenet_v1.0.caffemodel")).unwrap() == body());
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
    let manners = Manners {
        breaks_after: Some(100_000),
        broken: 1,
        ..Manners::default()
    };
    let (address, _) = serve(body(), manners);
    worked(&fetch(folder.path(), "squeezenet", &address));
    let weights = place(folder.path(), "squeezenet").join("squeezenet_v1.0.caffemodel");
    assert!(std::fs::read(weights).unwrap() == body());
}

/// What came stays under another name, and the next call goes on with it.
#[test]
fn a_download_that_is_given_up_is_kept_for_the_next_call() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _) = serve(
        body(),
        Manners {
            breaks_after: Some(5),
            broken: usize::MAX,
            ..Manners::default()
        },
    );
    let output = fetch(folder.path(), "squeezenet", &address);
    refused(
        &output,
        &["squeezenet_v1.0.caffemodel: ", "--from", "the same command goes on"],
    );
    let inside = place(folder.path(), "squeezenet");
    assert_eq!(files(&inside), ["squeezenet_v1.0.caffemodel.part"]);
    std::fs::write(inside.join("squeezenet_v1.0.caffemodel.part"), &body()[..1234]).unwrap();
    let (address, heard) = serve(
        body(),
        Manners {
            knows_ranges: true,
            ..Manners::default()
        },
    );
    worked(&fetch(folder.path(), "squeezenet", &address));
    assert!(heard.lock().unwrap()[0].ends_with("from 1234"));
    assert!(std::fs::read(inside.join("squeezenet_v1.0.caffemodel")).unwrap() == body());
    let again = fetch(folder.path(), "squeezenet", &address);
    worked(&again);
    assert!(said(&again).contains("is there already; --brave downloads it again"));
}

#[test]
fn a_wrong_checksum_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _) = serve(body(), Manners::default());
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
    let (address, heard) = serve(
        Vec::new(),
        Manners {
            status: Some(404),
            ..Manners::default()
        },
    );
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
