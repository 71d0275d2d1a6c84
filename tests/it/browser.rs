//! The gallery in a real browser.

use std::path::Path;
use std::process::Command;

use crate::program::{deepvis, words, worked};

/// Programs that are Chromium.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// The page as it stands after its script has run, at a width; `None` without a browser.
fn rendered(page: &Path, width: u32) -> Option<String> {
    let profile = tempfile::tempdir().unwrap();
    let browser = BROWSERS
        .iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok());
    let Some(browser) = browser else {
        eprintln!("SKIPPED: there is no Chromium, so the gallery is not looked at in a browser");
        return None;
    };
    let output = Command::new(browser)
        .args(words(
            "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync",
        ))
        .args(words(
            "--disable-component-update --disable-quic --virtual-time-budget=5000 --dump-dom",
        ))
        .arg(format!("--window-size={width},900"))
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn the_gallery_works_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    worked(&deepvis(
        folder.path(),
        &words(
            "optimize --backend flex --push-channel face,fish --rand-seed 0-2 --max-iter 3 --output-prefix r/x --skipbig",
        ),
    ));
    worked(&deepvis(folder.path(), &["gallery", "r"]));
    let page = folder.path().join("r/index.html").canonicalize().unwrap();
    for width in [1200, 390] {
        let Some(dom) = rendered(&page, width) else { return };
        assert_eq!(dom.matches("class=\"unit\"").count(), 6, "{dom}");
        assert!(dom.contains("6 pictures"));
        assert!(dom.contains("<polyline points=\"0.00,"), "there are no curves");
    }
}
