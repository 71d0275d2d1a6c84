//! Ctrl-C at a terminal.
#![cfg(unix)]

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::program::words;

const PATIENCE: Duration = Duration::from_secs(120);

/// Both ends of a terminal: the one that a person holds, and the program's.
fn terminal() -> [OwnedFd; 2] {
    let mut ends = [-1; 2];
    let [held, given] = &mut ends;
    // SAFETY: two descriptors are written, which the caller owns; no name, settings or size are asked for.
    let ends = unsafe {
        let (name, settings, size) = (std::ptr::null_mut(), std::ptr::null_mut(), std::ptr::null_mut());
        assert_eq!(libc::openpty(held, given, name, settings, size), 0);
        ends.map(|end| OwnedFd::from_raw_fd(end))
    };
    for end in &ends {
        // Programs that other tests start meanwhile must not hold it open.
        // SAFETY: sets a flag of a descriptor that is open.
        let is_set = unsafe { libc::fcntl(end.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) };
        assert_eq!(is_set, 0);
    }
    ends
}

/// A program that does not outlive its test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[track_caller]
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// One Ctrl-C, once `is_at_work` finds so, during a climb that would last for hours: what the terminal then shows, and the exit code.
fn interrupted(folder: &Path, more: &str, is_at_work: impl Fn(&str) -> bool) -> (String, Option<i32>) {
    let [held, given] = terminal();
    let line = "optimize --backend flex --push-channel face,fish --max-iter 100000000 --output-prefix a/b/x";
    let child = Command::new(assert_cmd::cargo::cargo_bin!("deepvis"))
        .args(words(&format!("{line} {more}")))
        .current_dir(folder)
        .env("HOME", folder)
        .env("XDG_CONFIG_HOME", folder)
        .stdout(Stdio::null())
        .stderr(given)
        .spawn();
    let mut program = Program(child.unwrap());
    let shown = Arc::new(Mutex::new(String::new()));
    let reader = std::thread::spawn({
        let shown = shown.clone();
        move || {
            let (mut held, mut bytes) = (File::from(held), [0; 4096]);
            // The end of a terminal whose program has gone is an error on Linux.
            while let Ok(len @ 1..) = held.read(&mut bytes) {
                shown.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..len]));
            }
        }
    });
    wait_until("nothing climbs", || is_at_work(&shown.lock().unwrap()));
    // SAFETY: sends a signal to a process that this test began and has not waited for.
    unsafe { libc::kill(program.0.id().cast_signed(), libc::SIGINT) };
    wait_until("it goes on", || program.0.try_wait().unwrap().is_some());
    let code = program.0.wait().unwrap().code();
    reader.join().unwrap();
    let shown = shown.lock().unwrap().clone();
    (shown, code)
}

#[test]
fn whoever_types_ctrl_c_is_told_and_no_empty_folder_is_left() {
    let told = "stopping after this iteration; Ctrl-C again ends at once";
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("a/b");
    std::fs::create_dir(folder.path().join("a")).unwrap();
    let (shown, code) = interrupted(folder.path(), "", |shown| shown.contains(" iterations"));
    assert_eq!(code, Some(130), "{shown}");
    assert!(shown.contains(told), "{shown}");
    assert!(
        shown.contains("interrupted: the same command goes on with the 2 missing units"),
        "{shown}"
    );
    // What was made for results is gone, what was there before is not.
    assert!(folder.path().join("a").is_dir() && !place.exists());

    let has_files = |_: &str| {
        std::fs::read_dir(&place).is_ok_and(|mut files| {
            files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().ends_with("checkpoint.cbor")))
        })
    };
    let (shown, code) = interrupted(folder.path(), "-q --checkpoint-every 1", has_files);
    assert_eq!(code, Some(130), "{shown}");
    assert!(!shown.contains(told), "{shown}");
    assert!(place.is_dir());
}
