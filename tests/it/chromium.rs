//! A Chromium that is told what to do over a pair of pipes (the DevTools protocol).

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::program::words;
use crate::support::skip;

/// Programs that are Chromium.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// What the browser answers to an expression whose page went away for the next one.
const NAVIGATED: [&str; 3] = [
    "Inspected target navigated or closed",
    "Execution context was destroyed.",
    "Cannot find default execution context",
];

/// A page in a browser of its own.
pub struct Page {
    browser: Child,
    commands: File,
    answers: BufReader<File>,
    session: Option<String>,
    number: u64,
    /// Errors of the page that the browser told.
    complaints: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Page {
    /// Opens an address in a window of that many pixels across; `None`, said aloud, without a Chromium.
    pub fn open(address: &str, width: u32) -> Option<Self> {
        let works = |name: &&str| Command::new(name).arg("--version").output().is_ok();
        let Some(name) = BROWSERS.iter().copied().find(works) else {
            skip("there is no Chromium, so no page is looked at in a browser");
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let pipe = |name: &str| {
            let path = profile.path().join(name);
            assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
            path
        };
        let (commands, answers) = (pipe("commands"), pipe("answers"));
        // Chromium reads commands from descriptor 3 and answers on 4.
        let browser = Command::new("sh")
            .args(["-c", r#"in=$1; out=$2; shift 2; exec "$@" 3<"$in" 4>"$out""#, "sh"])
            .args([&commands, &answers])
            .arg(name)
            .args(words(
                "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync",
            ))
            .args(words(
                "--disable-component-update --disable-quic --remote-debugging-pipe",
            ))
            .arg(format!("--user-data-dir={}", profile.path().join("profile").display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Opening waits for the other end, in the order of the shell's redirections.
        let commands = File::options().write(true).open(commands).unwrap();
        let answers = BufReader::new(File::open(answers).unwrap());
        let mut page = Self {
            browser,
            commands,
            answers,
            session: None,
            number: 0,
            complaints: Vec::new(),
            _profile: profile,
        };
        let target = page.call("Target.createTarget", &json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = page.call("Target.attachToTarget", &attach);
        page.session = session["sessionId"].as_str().map(str::to_owned);
        let screen = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500});
        page.call("Emulation.setDeviceMetricsOverride", &screen);
        page.call("Runtime.enable", &json!({}));
        page.call("Log.enable", &json!({}));
        page.call("Page.navigate", &json!({"url": address}));
        page.until("document.readyState === 'complete' && location.protocol !== 'about:'");
        Some(page)
    }

    /// Calls a method and waits for its answer.
    #[track_caller]
    pub fn call(&mut self, method: &str, parameters: &Value) -> Value {
        let answer = self.answer(method, parameters);
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Calls a method and waits for its answer, which may be an error.
    fn answer(&mut self, method: &str, parameters: &Value) -> Result<Value, Value> {
        self.number += 1;
        let mut message = json!({"id": self.number, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.commands.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let mut bytes = Vec::new();
            self.answers.read_until(0, &mut bytes).unwrap();
            bytes.pop();
            let mut answer: Value = serde_json::from_slice(&bytes).unwrap();
            if answer["id"] == self.number {
                return match answer.get_mut("error") {
                    Some(error) => Err(error.take()),
                    None => Ok(answer["result"].take()),
                };
            }
            self.listen(&answer);
        }
    }

    /// Notes errors among the browser's news.
    fn listen(&mut self, news: &Value) {
        let parameters = &news["params"];
        let is_error = match news["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => parameters["type"] == "error",
            Some("Log.entryAdded") => parameters["entry"]["level"] == "error",
            _ => false,
        };
        if is_error {
            self.complaints.push(parameters.to_string());
        }
    }

    /// Errors of the page so far.
    pub fn complaints(&mut self) -> &[String] {
        // What was told before this is read by then.
        self.value("0");
        &self.complaints
    }

    /// Writes a picture of the whole page, where `DEEPVIS_SCREENSHOTS` names a folder for such.
    pub fn screenshot(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("DEEPVIS_SCREENSHOTS") else {
            return;
        };
        let shot = self.call("Page.captureScreenshot", &json!({"captureBeyondViewport": true}));
        let bytes = base64::Engine::decode(
            &base64::prelude::BASE64_STANDARD,
            shot["data"].as_str().unwrap_or_default(),
        );
        std::fs::write(Path::new(&folder).join(name), bytes.unwrap()).unwrap();
    }

    /// The value of a JavaScript expression.
    #[track_caller]
    pub fn value(&mut self, expression: &str) -> Value {
        self.evaluate(expression)
            .unwrap_or_else(|| panic!("the page changed during {expression}"))
    }

    /// The value of a JavaScript expression; `None` if the page was exchanged for another meanwhile.
    #[track_caller]
    fn evaluate(&mut self, expression: &str) -> Option<Value> {
        let question = json!({"expression": expression, "returnByValue": true});
        let mut answer = match self.answer("Runtime.evaluate", &question) {
            Ok(answer) => answer,
            Err(error) => {
                let message = error["message"].as_str().unwrap_or_default();
                assert!(NAVIGATED.contains(&message), "{expression}: {error}");
                return None;
            }
        };
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        Some(answer["result"]["value"].take())
    }

    /// Waits until an expression holds, on this page or the next.
    #[track_caller]
    pub fn until(&mut self, expression: &str) {
        for _ in 0..200 {
            if self.evaluate(expression).is_some_and(|value| value == true) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("it never came true: {expression}");
    }

    /// Presses a key, as in "ArrowRight".
    pub fn press(&mut self, key: &str) {
        let code = match key {
            "ArrowRight" => 39,
            "ArrowLeft" => 37,
            "Escape" => 27,
            "Enter" => 13,
            "ArrowUp" => 38,
            "ArrowDown" => 40,
            " " => 32,
            other => panic!("the key {other}"),
        };
        let text = match key {
            "Enter" => "\r",
            " " => " ",
            _ => "",
        };
        for kind in ["keyDown", "keyUp"] {
            let event = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
            self.call("Input.dispatchKeyEvent", &event);
        }
    }

    /// Role and name of everything that a screen reader meets.
    pub fn read_aloud(&mut self) -> Vec<(String, String)> {
        let tree = self.call("Accessibility.getFullAXTree", &json!({}));
        let text = |node: &Value, part: &str| node[part]["value"].as_str().unwrap_or_default().to_owned();
        let nodes = tree["nodes"].as_array().unwrap();
        let met = nodes.iter().filter(|node| node["ignored"] != true);
        met.map(|node| (text(node, "role"), text(node, "name"))).collect()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.browser.kill();
        let _ = self.browser.wait();
    }
}

/// The address of a file.
pub fn address(path: &Path) -> String {
    format!("file://{}", path.canonicalize().unwrap().display())
}
