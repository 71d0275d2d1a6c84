//! What others must not do, and what mistakes must not.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use super::{Explore, face};
use crate::program::{deepvis, refused};

/// Sends a request as it is written; gives the answer's first line.
fn raw(explore: &Explore, request: &str) -> String {
    let place = explore.url.strip_prefix("http://").unwrap();
    let place = place.split('/').next().unwrap();
    let mut stream = TcpStream::connect(place).unwrap();
    stream.write_all(request.replace("HOST", place).as_bytes()).unwrap();
    status(&mut stream)
}

/// The status of an answer.
pub fn status(stream: &mut TcpStream) -> String {
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[9..]).into_owned()
}

/// `--open` has the system's own program open the address that is printed.
#[test]
#[cfg(target_os = "linux")]
fn a_browser_is_opened_where_it_is_asked_for() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let programs = folder.path().join("programs");
    std::fs::create_dir(&programs).unwrap();
    let opened = folder.path().join("opened");
    let program = programs.join("xdg-open");
    std::fs::write(
        &program,
        format!("#!/bin/sh\necho \"$1\" > {0}.tmp\nmv {0}.tmp {0}\n", opened.display()),
    )
    .unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", programs.display());
    let explore = Explore::begin_among(folder.path(), &["--open"], &[("PATH", path.as_ref())]);
    let begun = std::time::Instant::now();
    while !opened.exists() {
        assert!(begun.elapsed() < super::PATIENCE, "nothing was opened");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(std::fs::read_to_string(&opened).unwrap().trim(), explore.url);
    // Nobody else's browser is touched.
    std::fs::remove_file(&opened).unwrap();
    let _silent = Explore::begin_among(folder.path(), &[], &[("PATH", path.as_ref())]);
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(!opened.exists());
}

#[test]
fn other_sites_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let explore = Explore::begin(folder.path(), &[]);
    let post = "POST /api/pause HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 2\r\n";
    for (request, status) in [
        ("GET /api/model HTTP/1.1\r\nhost: HOST\r\n\r\n", "200"),
        ("GET /api/model HTTP/1.1\r\nhost: evil.example\r\n\r\n", "403"),
        ("GET / HTTP/1.1\r\nhost: evil.example\r\n\r\n", "403"),
        (&format!("{post}host: HOST\r\n\r\n{{}}"), "200"),
        (&format!("{post}host: HOST\r\norigin: http://HOST\r\n\r\n{{}}"), "200"),
        (
            &format!("{post}host: HOST\r\norigin: http://evil.example\r\n\r\n{{}}"),
            "403",
        ),
        (
            &format!("{post}host: HOST\r\nsec-fetch-site: cross-site\r\n\r\n{{}}"),
            "403",
        ),
        // As a form of another site would send it.
        (
            "POST /api/pause HTTP/1.1\r\nhost: HOST\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\n{}",
            "415",
        ),
        ("GET /api/pause HTTP/1.1\r\nhost: HOST\r\n\r\n", "405"),
        ("GET /../../etc/passwd HTTP/1.1\r\nhost: HOST\r\n\r\n", "404"),
    ] {
        assert_eq!(raw(&explore, request), status, "{request}");
    }
}

#[test]
fn with_a_host_a_token_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let explore = Explore::begin(folder.path(), &["--host", "127.0.0.1"]);
    assert!(explore.url.contains("/?token="), "{}", explore.url);
    for path in ["/", "/api/model", "/api/events", "/api/results"] {
        assert_eq!(
            raw(&explore, &format!("GET {path} HTTP/1.1\r\nhost: HOST\r\n\r\n")),
            "403",
            "{path}"
        );
    }
    assert_eq!(explore.json("/api/model")["name"], "demo");
    let (status, page) = explore.get("/");
    assert_eq!(status, 200);
    assert!(page.starts_with(b"<!doctype html>"));
    // On all addresses, the printed one is this machine's, with a token of its own.
    let everywhere = Explore::begin(folder.path(), &["--host", "0.0.0.0"]);
    assert!(everywhere.url.contains("/?token="), "{}", everywhere.url);
    assert_ne!(
        everywhere.url.split("token=").nth(1),
        explore.url.split("token=").nth(1)
    );
    assert_eq!(everywhere.json("/api/model")["name"], "demo");
    for (host, status) in [("127.0.0.1", "200"), ("192.168.7.7", "200"), ("evil.example", "403")] {
        let (place, query) = everywhere
            .url
            .strip_prefix("http://")
            .unwrap()
            .split_once("/?")
            .unwrap();
        let port = place.rsplit(':').next().unwrap();
        let request = format!("GET /api/model?{query} HTTP/1.1\r\nhost: {host}:{port}\r\n\r\n");
        assert_eq!(raw(&everywhere, &request), status, "{host}");
    }
    // Without being asked, it listens on this machine alone.
    let alone = Explore::begin(folder.path(), &[]);
    assert!(!alone.url.contains("token"));
    let port = alone.url.trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
    assert!(TcpStream::connect(format!("127.0.0.2:{port}")).is_err());
}

#[test]
fn mistakes_are_told_and_cost_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let explore = Explore::begin(folder.path(), &[]);
    let with = |changes: serde_json::Value| {
        let mut wish = face(5);
        for (key, value) in changes.as_object().unwrap() {
            if key == "settings" {
                wish["settings"]
                    .as_object_mut()
                    .unwrap()
                    .extend(value.as_object().unwrap().clone());
            } else {
                wish[key] = value.clone();
            }
        }
        wish
    };
    for (wish, expected) in [
        (with(json!({"channels": "32"})), "layer \"fc7\" has 32 channels"),
        (with(json!({"channels": "zebra"})), "no label matches \"zebra\""),
        (with(json!({"channels": "--brave"})), "--brave"),
        (with(json!({"layer": "nowhere"})), "no layer \"nowhere\""),
        (with(json!({"seeds": "x"})), "\"x\" is no seed"),
        (with(json!({"settings": {"decay": "2"}})), "a number from 0 to 1"),
        (with(json!({"settings": {"max-iter": "0"}})), "from 1 to"),
        (with(json!({"settings": {"max-iter": "many"}})), "invalid value 'many'"),
        (with(json!({"settings": {"preset": "best"}})), "invalid value 'best'"),
        (
            with(json!({"settings": {"output-prefix": "/tmp/x"}})),
            "there is no setting output-prefix",
        ),
        (with(json!({"settings": {"transforms": "none"}})), "--transforms"),
    ] {
        for (path, body) in [("/api/plan", wish.clone()), ("/api/start", json!({"wish": wish}))] {
            let (status, answer) = explore.post(path, &body);
            let error = answer["error"].as_str().unwrap_or_default();
            assert!(
                status == 400 && error.contains(expected),
                "{path} {wish}: {status} {answer}"
            );
        }
    }
    for factor in [json!(0), json!(-1), json!(1e300), json!("x"), json!(null)] {
        let (status, _) = explore.post("/api/rate", &json!({"factor": factor}));
        assert!(matches!(status, 400 | 422), "{factor}: {status}");
    }
    let long = format!(
        "POST /api/plan HTTP/1.1\r\nhost: HOST\r\ncontent-type: application/json\r\ncontent-length: 70000\r\n\r\n{}",
        " ".repeat(70_000)
    );
    assert_eq!(raw(&explore, &long), "413");
    for bytes in [&b"no picture"[..], b"", b"\xff\xd8\xff\xe0", b"GIF89a"] {
        let sent = ureq::post(explore.address("/api/photo?layer=fc7"));
        let sent = sent.config().http_status_as_error(false).build();
        assert_eq!(
            sent.header("content-type", "image/png").send(bytes).unwrap().status(),
            400
        );
    }
    for files in ["..%2Fsecret", "%2Fetc%2Fpasswd", "opt_fc7_0024_0", ""] {
        let (status, _) = explore.get(&format!("/api/results/file?files={files}&ending=info.txt"));
        assert_eq!(status, 404, "{files}");
    }
    // Nothing of this was the end of it, and nothing was written.
    assert_eq!(explore.json("/api/results"), json!([]));
    explore.start(&face(5));
    explore.events().until_status(1, "done");
    // A port that is taken is said.
    let port = explore.url.trim_end_matches('/').rsplit(':').next().unwrap();
    refused(
        &deepvis(folder.path(), &["explore", "--backend", "flex", "--port", port]),
        &["--port", "cannot listen"],
    );
}

/// A page that takes nothing in holds nobody up.
#[test]
fn a_page_that_does_not_listen_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let explore = Explore::begin(folder.path(), &["--skipbig"]);
    let place = explore
        .url
        .strip_prefix("http://")
        .unwrap()
        .trim_end_matches('/')
        .to_owned();
    let deaf: Vec<TcpStream> = (0..8)
        .map(|_| {
            let mut stream = TcpStream::connect(&place).unwrap();
            let request = format!("GET /api/events HTTP/1.1\r\nhost: {place}\r\n\r\n");
            stream.write_all(request.as_bytes()).unwrap();
            stream
        })
        .collect();
    explore.start(
        &json!({"layer": "conv5", "channels": "all", "seeds": "0", "settings": {"preset": "demo", "max-iter": "20"}}),
    );
    explore.events().until_status(1, "done");
    drop(deaf);
}
