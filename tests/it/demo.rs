//! The first minute: the bundled network, the demo, its gallery.

use std::path::Path;

use image::AnimationDecoder;

use crate::program::{deepvis, files, info, said, words, worked};

#[test]
fn the_demo_makes_a_dozen_units_and_a_gallery() {
    let folder = tempfile::tempdir().unwrap();
    let output = deepvis(folder.path(), &words("demo --backend flex"));
    worked(&output);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("deepvis-demo/index.html"), "{told}");
    let results = files(&folder.path().join("deepvis-demo"));
    assert_eq!(results.iter().filter(|name| name.ends_with("_best_X.jpg")).count(), 12);
    for name in ["index.html", "montages", "runs.jsonl"] {
        assert!(results.contains(&name.to_owned()), "{results:?}");
    }
    assert_eq!(
        files(&folder.path().join("deepvis-demo/montages")),
        ["all.png", "conv3.png", "conv5.png", "fc7.png"]
    );
    // In the end every class unit is the largest of its layer.
    for unit in results
        .iter()
        .filter_map(|name| name.strip_suffix("_info.txt"))
        .filter(|name| name.contains("fc7"))
    {
        let info = info(&folder.path().join("deepvis-demo"), unit);
        assert!(info.contains("Metaresult: majority success"), "{info}");
    }
    let again = deepvis(folder.path(), &words("demo --backend flex"));
    worked(&again);
    assert!(
        said(&again).contains("2 of 2 units are done already"),
        "{}",
        said(&again)
    );
}

#[test]
fn without_a_network_the_bundled_one_is_used_and_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let output = deepvis(folder.path(), &words("optimize --backend flex --max-iter 2"));
    worked(&output);
    assert!(
        said(&output).contains("no network was named, so this is the bundled one"),
        "{}",
        said(&output)
    );
    assert!(info(folder.path(), "optimize_results/opt_fc7_0024_0").contains("push_layer: fc7"));
    let named = deepvis(folder.path(), &words("inspect demo"));
    worked(&named);
    assert!(String::from_utf8_lossy(&named.stdout).contains("conv5"));
}

#[test]
fn pictures_on_the_way_and_an_animation() {
    let folder = tempfile::tempdir().unwrap();
    worked(&deepvis(
        folder.path(),
        &words("optimize --backend flex --max-iter 8 --save-every 3 --animate --show --skipbig --output-prefix r/x"),
    ));
    let place = folder.path().join("r");
    let ending = |name: &String| name.strip_prefix("x_fc7_0024_0_").map(str::to_owned);
    let mut expected = vec![
        "best_X.jpg",
        "best_Xpm.jpg",
        "climb.gif",
        "info.json",
        "info.pkl",
        "info.txt",
    ];
    expected.extend(["iteration_000000.jpg", "iteration_000003.jpg", "iteration_000006.jpg"]);
    assert_eq!(files(&place).iter().filter_map(ending).collect::<Vec<_>>(), expected);
    let gif = std::fs::read(place.join("x_fc7_0024_0_climb.gif")).unwrap();
    let decoder = image::codecs::gif::GifDecoder::new(std::io::Cursor::new(gif)).unwrap();
    let frames = decoder.into_frames().collect_frames().unwrap();
    assert_eq!(frames.len(), 8);
    assert_eq!(frames[0].buffer().dimensions(), (64, 64));
}

/// Results with everything that a page might trip over: a label like a tag, several seeds, a layer in a folder of its own.
fn hostile(folder: &Path) {
    std::fs::write(folder.join("labels.txt"), "<script>alert(1)</script>&\"'\n".repeat(5)).unwrap();
    let case = crate::program::case("v1_alexnet_style");
    let [deploy, weights] = ["deploy.prototxt", "weights.caffemodel"].map(|name| case.join(name).display().to_string());
    let mut line =
        words("optimize --backend flex --max-iter 3 --push-layer y --push-channel 0-2 --rand-seed 0-8 --skipbig");
    line.extend([
        "--deploy-proto",
        &deploy,
        "--net-weights",
        &weights,
        "--labels",
        "labels.txt",
    ]);
    line.extend(["--output-prefix", "r/a/x"]);
    worked(&deepvis(folder, &line));
}

#[test]
fn a_gallery_needs_nothing_else_and_escapes_what_it_shows() {
    let folder = tempfile::tempdir().unwrap();
    hostile(folder.path());
    let output = deepvis(folder.path(), &["gallery", "r", "--title", "<b>&"]);
    worked(&output);
    let page = std::fs::read_to_string(folder.path().join("r/index.html")).unwrap();
    assert!(page.contains("<title>&lt;b&gt;&amp;</title>"));
    assert!(!page.contains("<script>alert"), "a label is not escaped");
    assert!(!page.contains("http://") || page.matches("http://").count() == page.matches("http://www.w3.org").count());
    assert!(!page.contains("https://"));
    assert_eq!(page.matches("data:image/jpeg;base64,").count(), 27);
    // Nine seeds of a unit make 3 x 3 pictures; each is enlarged to 96 pixels, 4 apart.
    let seeds = image::open(folder.path().join("r/montages/y_0002.png")).unwrap();
    assert_eq!((seeds.width(), seeds.height()), (304, 304));
    // Three units make 2 x 2, each with a line of writing of 16 pixels below.
    let units = image::open(folder.path().join("r/montages/all.png")).unwrap();
    assert_eq!((units.width(), units.height()), (204, 236));
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    crate::program::refused(
        &deepvis(folder.path(), &["gallery", "empty"]),
        &["there are no results in empty"],
    );
}

/// Older results, and those of the original script, have no log; their text is enough for a gallery.
#[test]
fn a_gallery_works_without_a_log() {
    let folder = tempfile::tempdir().unwrap();
    hostile(folder.path());
    std::fs::remove_file(folder.path().join("r/a/runs.jsonl")).unwrap();
    worked(&deepvis(folder.path(), &["gallery", "r"]));
    let page = std::fs::read_to_string(folder.path().join("r/index.html")).unwrap();
    assert!(page.contains("\"layer\":\"y\",\"channel\":2"));
}
