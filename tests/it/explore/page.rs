//! The page in a real browser, on a desk and on a phone.

use serde_json::json;

use super::{Explore, LONG};
use crate::chromium::Page;

const PICTURE: &str = "(document.querySelector('#pictures img') || {}).src";

/// Types into a field as a person does.
fn type_into(page: &mut Page, id: &str, text: &str) {
    page.value(&format!(
        "byId('{id}').value = '{text}'; byId('{id}').dispatchEvent(new Event('input', {{bubbles: true}})); 0"
    ));
}

fn click(page: &mut Page, id: &str) {
    page.until(&format!("!byId('{id}').disabled"));
    page.value(&format!("byId('{id}').click(); 0"));
}

#[test]
fn a_unit_is_picked_watched_halted_stopped_and_saved() {
    for width in [1200, 390] {
        let folder = tempfile::tempdir().unwrap();
        let explore = Explore::begin(folder.path(), &["--skipbig"]);
        let Some(mut page) = Page::open(&explore.url, width) else {
            return;
        };
        page.until(
            "document.querySelectorAll('#layers [role=option]').length === 18 && byId('command').textContent !== ''",
        );
        assert_eq!(page.value("byId('unit-name').textContent"), "fc7, face (24)");
        // Another layer and channel, and back by hand.
        type_into(&mut page, "filter", "conv5");
        assert_eq!(
            page.value("document.querySelectorAll('#layers [role=option]').length"),
            1
        );
        page.value("document.querySelector('#layers [role=option]').click(); 0");
        click(&mut page, "channel-more");
        page.until("byId('command').textContent.includes('--push-layer=conv5 --push-channel=25')");
        type_into(&mut page, "filter", "");
        page.value("[...document.querySelectorAll('#layers [role=option]')].find(e => e.textContent.startsWith('fc7')).click(); 0");
        type_into(&mut page, "channels", "face");
        type_into(&mut page, "set-max-iter", &LONG.to_string());
        page.until(&format!(
            "byId('command').textContent.includes('--push-channel=face --max-iter={LONG}')"
        ));
        click(&mut page, "start");
        page.until(&format!("String({PICTURE}).startsWith('data:image/jpeg')"));
        let first = page.value(PICTURE);
        page.until(&format!("{PICTURE} !== {first}"));
        page.until("document.querySelectorAll('#curve polyline').length === 1");
        click(&mut page, "pause");
        page.until("byId('status').textContent === 'paused'");
        page.value("byId('rate').value = -1; byId('rate').dispatchEvent(new Event('input')); byId('rate').dispatchEvent(new Event('change')); 0");
        page.until("run.factor === 0.1");
        assert_eq!(page.value("byId('command-note').textContent"), "");
        let halted = page.value(PICTURE);
        std::thread::sleep(std::time::Duration::from_millis(400));
        assert_eq!(page.value(PICTURE), halted);
        page.screenshot(&format!("paused-{width}.png"));
        click(&mut page, "pause");
        page.until(&format!("{PICTURE} !== {halted}"));
        click(&mut page, "keep");
        page.until("byId('status').textContent === 'stopped'");
        // What is pasted would not do this.
        page.until("/its rate was changed while it ran \\(× 0.1 from iteration \\d+ on\\)/.test(byId('command-note').textContent)");
        page.until("document.querySelectorAll('#results button').length === 1");
        // Pictures that nobody sees are not loaded.
        page.value("byId('results').scrollIntoView(); 0");
        page.until("document.querySelector('#results img').naturalWidth === 64");
        page.value("document.querySelector('#results button').click(); 0");
        page.until("byId('result').open && document.querySelectorAll('#result img').length === 2");
        page.until("[...document.querySelectorAll('#result img')].every(image => image.naturalWidth === 64)");
        page.press("Escape");
        page.until("!byId('result').open");
        // Nothing is wider than the window, and everything can be touched.
        assert_eq!(
            page.value("document.documentElement.scrollWidth <= innerWidth"),
            true,
            "{width}"
        );
        let small = "[...document.querySelectorAll('button, select, input:not([type=range]):not([type=file]), [role=option]')].filter(e => \
                     e.offsetParent && !e.closest('.bars')).map(e => [e.outerHTML.slice(0, 80), e.offsetWidth, e.offsetHeight]).filter(([, w, h]) => w < 44 || h < 44)";
        assert_eq!(page.value(small), json!([]));
        assert_eq!(page.complaints(), [] as [String; 0]);
        let saved = crate::program::files(&folder.path().join("optimize_results"));
        assert!(saved.contains(&"opt_fc7_0024_0_best_Xpm.jpg".into()), "{saved:?}");
    }
}

#[test]
fn many_units_climb_together_and_a_photograph_finds_more() {
    for width in [1200, 390] {
        let folder = tempfile::tempdir().unwrap();
        let explore = Explore::begin(folder.path(), &["--skipbig"]);
        let Some(mut page) = Page::open(&explore.url, width) else {
            return;
        };
        page.until("document.querySelectorAll('#layers [role=option]').length === 18");
        type_into(&mut page, "channels", "0-11");
        page.until("byId('start').textContent === 'Start 12'");
        click(&mut page, "start");
        explore.events().until_status(1, "done");
        page.until("byId('status').textContent.startsWith('12 of 12 units · done')");
        page.until("document.querySelectorAll('#pictures img').length === 12");
        page.until("document.querySelectorAll('#results button').length === 12");
        // What one of them looks for is dropped as a photograph.
        page.value(
            "fetch(document.querySelector('#results img').src).then(a => a.blob()).then(blob => take(new File([blob], 'bird.jpg', {type: 'image/jpeg'}))); 0",
        );
        page.until("document.querySelectorAll('#photo-answer meter').length > 12");
        page.screenshot(&format!("many-{width}.png"));
        page.value("document.querySelector('#photo-answer button.main').click(); 0");
        page.until("run.id === 2 && run.units.length > 0");
        assert_eq!(
            page.value("document.documentElement.scrollWidth <= innerWidth"),
            true,
            "{width}"
        );
        assert_eq!(page.complaints(), [] as [String; 0]);
    }
}

#[test]
fn a_dropped_photograph_is_accentuated() {
    for width in [1200, 390] {
        let folder = tempfile::tempdir().unwrap();
        let explore = Explore::begin(folder.path(), &["--skipbig"]);
        let Some(mut page) = Page::open(&explore.url, width) else {
            return;
        };
        page.until("document.querySelectorAll('#layers [role=option]').length === 18");
        // Without a photograph there is nothing to accentuate, and the page says what to do.
        page.value("byId('preset').value = 'accentuate'; byId('preset').dispatchEvent(new Event('change')); 0");
        page.until("byId('start').disabled && byId('command').textContent.includes('drop one below')");
        assert_eq!(page.value("byId('trouble').hidden"), true);
        page.value("byId('preset').value = 'paper-3'; byId('preset').dispatchEvent(new Event('change')); 0");
        page.until("!byId('start').disabled");
        // One is drawn, and dropped as a person drops it.
        page.value(
            "(() => { const c = document.createElement('canvas'); c.width = 200; c.height = 150; const g = c.getContext('2d'); \
             g.fillStyle = '#3060c0'; g.fillRect(0, 0, 200, 150); g.fillStyle = '#e0b090'; g.beginPath(); g.ellipse(100, 75, 50, 65, 0, 0, 7); g.fill(); \
             c.toBlob(blob => { const data = new DataTransfer(); data.items.add(new File([blob], 'drawn.png', {type: 'image/png'})); \
             document.dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true})); }); return 0; })()",
        );
        page.until("byId('photo-start') !== null");
        click(&mut page, "photo-start");
        page.until("byId('preset').value === 'accentuate' && /--start-from=optimize_results\\/photos\\/[0-9a-f]{16}.png/.test(byId('command').textContent)");
        assert_eq!(page.value("byId('from-text').textContent"), "drawn.png");
        page.until("byId('from-picture').naturalWidth === 200");
        type_into(&mut page, "set-max-iter", "12");
        type_into(&mut page, "set-size", "96");
        page.until("byId('command').textContent.includes('--max-iter=12') && byId('command').textContent.includes('--size=96')");
        click(&mut page, "start");
        explore.events().until_status(1, "done");
        page.until("byId('status').textContent === 'done and saved' && document.querySelector('#pictures img').naturalWidth === 96");
        page.screenshot(&format!("accentuated-{width}.png"));
        let heard = page.read_aloud();
        for (role, name) in [
            ("group", "begins with"),
            ("button", "Begin with noise"),
            ("button", "Start from it"),
            ("textbox", "image size · changed"),
        ] {
            assert!(
                heard.iter().any(|(r, n)| r == role && n == name),
                "{role} {name}: {heard:?}"
            );
        }
        // Other controls of the recipe, with hands.
        page.value("byId('more').open = true; 0");
        page.screenshot(&format!("settings-{width}.png"));
        type_into(&mut page, "set-crops", "3");
        page.until("byId('command').textContent.includes('--crops=3')");
        click(&mut page, "from-forget");
        page.until("byId('preset').value === 'fourier' && !byId('command').textContent.includes('--start-from') && byId('command').textContent !== ''");
        page.value("byId('set-alpha').click(); 0");
        page.until("byId('command').textContent.includes(' --alpha')");
        let small = "[...document.querySelectorAll('button, select, input:not([type=range]):not([type=file])')].filter(e => \
                     e.offsetParent && !e.closest('.bars')).map(e => [e.outerHTML.slice(0, 80), e.offsetWidth, e.offsetHeight]).filter(([, w, h]) => w < 44 || h < 44)";
        assert_eq!(page.value(small), json!([]));
        assert_eq!(
            page.value("document.documentElement.scrollWidth <= innerWidth"),
            true,
            "{width}"
        );
        assert_eq!(page.complaints(), [] as [String; 0]);
    }
}

#[test]
fn keys_and_a_screen_reader_suffice() {
    let folder = tempfile::tempdir().unwrap();
    let explore = Explore::begin(folder.path(), &["--skipbig"]);
    let Some(mut page) = Page::open(&explore.url, 1200) else {
        return;
    };
    page.until("document.querySelectorAll('#layers [role=option]').length === 18");
    let heard = page.read_aloud();
    let speaks = |role: &str, name: &str| heard.iter().any(|(r, n)| r == role && n == name);
    for (role, name) in [
        ("listbox", "layers"),
        ("slider", "channel"),
        ("button", "Start"),
        ("button", "channel before"),
        ("combobox", "preset"),
        ("textbox", "seed"),
        ("spinbutton", "decay"),
        ("searchbox", "Layer"),
    ] {
        assert!(speaks(role, name), "{role} {name}: {heard:?}");
    }
    let nameless: Vec<_> = heard
        .iter()
        .filter(|(role, name)| {
            name.is_empty()
                && ["button", "textbox", "slider", "combobox", "spinbutton", "option"].contains(&role.as_str())
        })
        .collect();
    assert_eq!(nameless, [] as [&(String, String); 0]);
    page.press("ArrowRight");
    assert_eq!(page.value("byId('channels').value"), "25");
    page.press("ArrowLeft");
    page.press("ArrowUp");
    assert_eq!(page.value("layer.name"), "fc6");
    page.press("ArrowDown");
    assert_eq!(page.value("byId('channels').value + layer.name"), "24fc7");
    type_into(&mut page, "set-max-iter", &LONG.to_string());
    page.press("Enter");
    page.until("run && run.status === 'climbing' && document.querySelectorAll('#pictures img').length === 1");
    page.press(" ");
    page.until("byId('status').textContent === 'paused'");
    let heard = page.read_aloud();
    assert!(
        heard
            .iter()
            .any(|(role, name)| role == "image" && name == "face of fc7"),
        "{heard:?}"
    );
    page.press(" ");
    page.until("byId('status').textContent === 'climbing'");
    // A reload sees the same climb.
    page.value("location.reload(); 0");
    page.until("typeof run === 'object' && run && run.status === 'climbing' && document.querySelectorAll('#pictures img').length === 1");
    assert_eq!(page.complaints(), [] as [String; 0]);
}
