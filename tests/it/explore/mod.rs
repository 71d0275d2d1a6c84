//! `deepvis explore`: its HTTP interface by a real client, and its page in a real browser.

mod http;
mod page;
mod photo;
mod safety;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A `deepvis explore` of the bundled network that is at work in a folder.
pub struct Explore {
    program: Child,
    /// The page's address, as it was printed.
    pub url: String,
    agent: ureq::Agent,
}

impl Explore {
    pub fn begin(folder: &Path, arguments: &[&str]) -> Self {
        Self::begin_among(folder, arguments, &[])
    }

    /// The same with variables of the environment.
    pub fn begin_among(folder: &Path, arguments: &[&str], variables: &[(&str, &Path)]) -> Self {
        let mut program = Command::new(assert_cmd::cargo::cargo_bin("deepvis"))
            .current_dir(folder)
            .env("XDG_CONFIG_HOME", folder)
            .env("HOME", folder)
            .envs(variables.iter().copied())
            .args(["explore", "--backend", "flex", "--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(program.stdout.take().unwrap())
            .read_line(&mut url)
            .unwrap();
        assert!(url.starts_with("http://127.0.0.1:"), "{url:?}");
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self {
            program,
            url: url.trim().to_owned(),
            agent,
        }
    }

    /// The address of a path, with the token where there is one.
    pub fn address(&self, path: &str) -> String {
        let (base, query) = self
            .url
            .split_once("/?")
            .unwrap_or((self.url.trim_end_matches('/'), ""));
        match (query, path.contains('?')) {
            ("", _) => format!("{base}{path}"),
            (query, true) => format!("{base}{path}&{query}"),
            (query, false) => format!("{base}{path}?{query}"),
        }
    }

    pub fn get(&self, path: &str) -> (u16, Vec<u8>) {
        let mut answer = self.agent.get(self.address(path)).call().unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_vec().unwrap())
    }

    #[track_caller]
    pub fn json(&self, path: &str) -> Value {
        let (status, bytes) = self.get(path);
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&bytes));
        serde_json::from_slice(&bytes).unwrap()
    }

    /// Sends JSON; gives status and answer.
    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let sent = self
            .agent
            .post(self.address(path))
            .header("content-type", "application/json");
        let mut answer = sent.send(body.to_string()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (
            answer.status().as_u16(),
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    /// Sends the bytes of a photograph; gives status and answer.
    pub fn send(&self, path: &str, bytes: &[u8]) -> (u16, Value) {
        let sent = self.agent.post(self.address(path)).header("content-type", "image/png");
        let mut answer = sent.send(bytes).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Sends JSON that is to be taken.
    #[track_caller]
    pub fn ask(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.post(path, body);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    #[track_caller]
    pub fn start(&self, wish: &Value) -> Value {
        self.ask("/api/start", &json!({"wish": wish}))
    }

    pub fn events(&self) -> Events {
        let answer = self.agent.get(self.address("/api/events")).call().unwrap();
        assert_eq!(answer.status(), 200);
        Events {
            lines: Box::new(BufReader::new(answer.into_body().into_reader())),
            run: Value::Null,
        }
    }

    /// Sends Ctrl-C and waits for the end; gives the exit code.
    pub fn interrupt(&mut self) -> Option<i32> {
        // SAFETY: sends a signal to a process of ours that is not waited for yet.
        unsafe { libc::kill(self.program.id().cast_signed(), libc::SIGINT) };
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.program.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it did not end");
    }
}

impl Drop for Explore {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// What a page is told.
pub struct Events {
    lines: Box<dyn BufRead + Send>,
    /// The climb as it is known so far.
    pub run: Value,
}

impl Events {
    /// The next message; `None` at the end.
    pub fn next(&mut self) -> Option<Value> {
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap_or(0) == 0 {
                return None;
            }
            if let Some(data) = line.strip_prefix("data: ") {
                let news: Value = serde_json::from_str(data).unwrap();
                self.run = news["run"].clone();
                return Some(news);
            }
        }
    }

    /// Waits for a message that a condition holds for.
    #[track_caller]
    pub fn until(&mut self, what: &str, mut holds: impl FnMut(&Value) -> bool) -> Value {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let news = self.next().unwrap_or_else(|| panic!("it ended before: {what}"));
            if holds(&news) {
                return news;
            }
        }
        panic!("it never came true: {what}");
    }

    /// Waits for a state of the program's `id`-th climb: the first message may still tell of the one before.
    #[track_caller]
    pub fn until_status(&mut self, id: u64, status: &str) -> Value {
        self.until(status, |news| {
            news["run"]["id"] == id && news["run"]["status"] == status
        })
    }
}

/// A climb of the face.
pub fn face(steps: usize) -> Value {
    json!({"layer": "fc7", "channels": "24", "seeds": "0", "settings": {"preset": "demo", "max-iter": steps.to_string()}})
}

/// A climb that takes minutes.
pub const LONG: usize = 500_000;
