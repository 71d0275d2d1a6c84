//! The gallery in a real browser, on a desk and on a phone.

use std::path::PathBuf;

use crate::chromium::{Page, address};
use crate::program::{deepvis, words, worked};

/// A gallery of two units with three seeds each.
fn gallery() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    worked(&deepvis(
        folder.path(),
        &words(
            "optimize --backend flex --push-channel face,fish --rand-seed 0-2 --max-iter 3 --output-prefix r/x --skipbig",
        ),
    ));
    worked(&deepvis(folder.path(), &["gallery", "r"]));
    let page = folder.path().join("r/index.html");
    (folder, page)
}

/// The class unit "face" of the bundled network.
const FACE: &str = "fc7/24/0";

#[test]
fn the_gallery_can_be_read_aloud_and_touched() {
    let (_folder, file) = gallery();
    for width in [1200, 390] {
        let Some(mut page) = Page::open(&address(&file), width) else {
            return;
        };
        assert_eq!(page.value("document.querySelectorAll('a.unit').length"), 6);
        assert_eq!(
            page.value("document.querySelector('[role=status]').textContent"),
            "6 pictures"
        );
        assert!(page.value("document.querySelectorAll('polyline').length").as_u64() >= Some(6));
        let heard = page.read_aloud();
        let links: Vec<&str> = heard
            .iter()
            .filter(|(role, name)| role == "link" && name.contains("objective"))
            .map(|(_, name)| name.as_str())
            .collect();
        assert_eq!(links.len(), 6, "{heard:?}");
        for part in ["face", "fc7", "channel 24", "seed 0", "objective ", "its layer"] {
            assert!(links[0].contains(part), "{part}: {links:?}");
        }
        // Nothing is cut off or wider than the window, and what a card says can be seen.
        assert_eq!(page.value("document.documentElement.scrollWidth <= innerWidth"), true);
        let cut = "[...document.querySelectorAll('a.unit span')].filter(e => e.scrollWidth > e.clientWidth + 1).length";
        assert_eq!(page.value(cut), 0);
        page.value(&format!("location.hash = '#{FACE}'; 0"));
        page.until("document.querySelector('dialog').open");
        let heard = page.read_aloud();
        for name in ["previous unit", "next unit", "close"] {
            assert!(heard.contains(&("button".into(), name.into())), "{name}: {heard:?}");
        }
        assert!(heard.contains(&("dialog".into(), "face".into())), "{heard:?}");
        let small = "[...document.querySelectorAll('button, a, select, input[type=search], label')].filter(e => \
                     e.offsetParent).map(e => [e.outerHTML.slice(0, 80), e.offsetWidth, e.offsetHeight]).filter(([, w, \
                     h]) => w < 44 || h < 44)";
        assert_eq!(page.value(small), serde_json::json!([]));
        let where_ = page.value("document.getElementById('unit-where').textContent");
        assert!(where_.as_str().unwrap().contains("fc7, channel 24, seed 0"), "{where_}");
    }
}

#[test]
fn focus_stays_and_back_closes() {
    let (_folder, file) = gallery();
    let Some(mut page) = Page::open(&address(&file), 1200) else {
        return;
    };
    page.value("document.querySelectorAll('a.unit')[0].focus(); 0");
    page.press("Enter");
    page.until("document.querySelector('dialog').open");
    assert_eq!(page.value("decodeURIComponent(location.hash)"), format!("#{FACE}"));
    page.value("document.getElementById('next').focus(); 0");
    for step in 1..=4 {
        page.press("ArrowRight");
        page.until(&format!("current === units[{step}]"));
        assert_eq!(page.value("document.activeElement.id"), "next");
    }
    page.press("ArrowLeft");
    page.until("current === units[3]");
    // However many steps were taken, Back closes, and focus returns to the card.
    page.value("history.back(); 0");
    page.until("!document.querySelector('dialog').open && location.hash === ''");
    page.until("document.activeElement === document.querySelectorAll('a.unit')[3]");
    page.value("history.forward(); 0");
    page.until("document.querySelector('dialog').open");
    page.press("Escape");
    page.until("!document.querySelector('dialog').open && location.hash === ''");
    // An address that was sent opens its unit.
    let Some(mut page) = Page::open(&format!("{}#{FACE}", address(&file)), 390) else {
        return;
    };
    page.until("document.querySelector('dialog').open && document.getElementById('unit-name').textContent === 'face'");
    page.value("document.getElementById('close').click(); 0");
    page.until("!document.querySelector('dialog').open && location.hash === ''");
}

#[test]
fn the_filter_means_whole_numbers_and_leads_back() {
    let (_folder, file) = gallery();
    let Some(mut page) = Page::open(&address(&file), 1200) else {
        return;
    };
    let count = "document.getElementById('count').textContent";
    for (typed, expected) in [
        ("seed 2", "2 of 6 pictures"),
        ("face", "3 of 6 pictures"),
        ("face seed 1", "1 of 6 pictures"),
        ("24", "3 of 6 pictures"),
        ("2", "nothing matches"),
        ("channel 24", "3 of 6 pictures"),
        ("fc7", "6 pictures"),
        ("fc", "6 pictures"),
        ("zebra", "nothing matches"),
    ] {
        page.value(&format!("byId('filter').value = '{typed}'; draw()"));
        assert_eq!(page.value(count), expected, "{typed}");
    }
    page.value("document.querySelector('.empty button').click(); 0");
    assert_eq!(page.value(count), "6 pictures");
    page.value("byId('group').click(); 0");
    assert_eq!(page.value(count), "2 units");
}
