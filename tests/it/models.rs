//! The prototxts that we wrote, and the network that we trained.

use burn::tensor::{Device, Tensor, TensorData};
use deepvis::network::{InputSize, Network};

use crate::support::{MOST_ENTRIES, repository, shared};

#[path = "../../examples/train_demo/pictures/mod.rs"]
mod pictures;

/// A seed that training never used.
const FRESH: u64 = 20_261_124;
/// Pictures of each class.
const EXAMPLES: u64 = 15;

/// The bundled network names pictures that it has never seen.
#[test]
fn the_bundled_network_is_right_on_freshly_drawn_pictures() {
    let folder = repository("models/demo");
    let import = deepvis_importer::import(&folder.join("deploy.prototxt"), &folder.join("weights.caffemodel")).unwrap();
    assert_eq!(import.warnings, [""; 0]);
    let classes = pictures::classes();
    let labels: Vec<&str> = classes.iter().map(|class| class.label).collect();
    let file = std::fs::read_to_string(folder.join("labels.txt")).unwrap();
    assert_eq!(file.lines().collect::<Vec<_>>(), labels);
    let device = Device::flex();
    let network = Network::build(
        &import.graph,
        &import.weights,
        &["fc7"],
        InputSize::Declared,
        &device,
        MOST_ENTRIES,
    )
    .unwrap();
    let [channels, rows, columns] = network.image();
    let mut right = 0;
    for example in 0..EXAMPLES {
        // Blue, green, red, from which the settings' mean is subtracted.
        let images: Vec<f32> = classes
            .iter()
            .flat_map(|class| {
                let picture = pictures::picture(class, FRESH, example);
                let [red, green, blue] = [0, 1, 2].map(|plane| plane * rows * columns);
                [blue, green, red]
                    .into_iter()
                    .flat_map(move |plane| picture[plane..plane + rows * columns].to_vec())
            })
            .map(|value| value - 128.0)
            .collect();
        let images = TensorData::new(images, [classes.len(), channels, rows, columns]);
        let reading = network.forward(Tensor::from_data(images, &device)).swap_remove(0);
        let scores: Vec<f32> = reading.value.tensor().into_data().try_into_vec().unwrap();
        for (class, scores) in scores.chunks(classes.len()).enumerate() {
            let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b]));
            right += usize::from(best == Some(class));
        }
    }
    let all = classes.len() * usize::try_from(EXAMPLES).unwrap();
    assert!(right * 100 >= all * 95, "{right} of {all} are right");
}

/// Each layer of the published prototxts is in ours, the same in all that it computes.
#[test]
fn our_prototxts_are_the_published_architectures() {
    for (ours, theirs) in [
        ("caffenet", "caffenet-yos/deploy.prototxt"),
        ("googlenet", "bvlc_googlenet/deploy.prototxt"),
        ("squeezenet_v1.1", "squeezenet_v1.1/deploy.prototxt"),
    ] {
        let Some(theirs) = shared(&format!("models/{theirs}")) else {
            continue;
        };
        let (ours, warnings) =
            deepvis_importer::read_graph(&repository(&format!("models/deploy/{ours}.prototxt"))).unwrap();
        assert_eq!(warnings, [""; 0]);
        let (theirs, _) = deepvis_importer::read_graph(&theirs).unwrap();
        for layer in theirs.layers.iter().filter(|layer| layer.type_name != "Input") {
            let found = ours
                .layer(&layer.name)
                .unwrap_or_else(|| panic!("ours lacks {}", layer.name));
            assert_eq!(
                (&found.kind, ours.names(&found.inputs), ours.names(&found.outputs)),
                (&layer.kind, theirs.names(&layer.inputs), theirs.names(&layer.outputs)),
                "{}",
                layer.name
            );
        }
        let inputs = |graph: &deepvis_importer::Graph| {
            graph
                .layers
                .iter()
                .filter(|layer| layer.type_name == "Input")
                .map(|l| l.kind.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(format!("{:?}", inputs(&ours)), format!("{:?}", inputs(&theirs)));
    }
}
