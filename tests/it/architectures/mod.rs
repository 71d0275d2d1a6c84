//! Networks written after published architectures: everything that is no detection head can be pushed, in Caffe's shapes.

mod inception;
mod net;
mod nets;
mod pixels;
mod places;

use std::path::Path;

use burn::tensor::{Device, Tensor};
use deepvis::ascent::{Climb, Optimizer, Precision, Recipe, Schedule};
use deepvis::network::{InputSize, Network, survey};
use deepvis_importer::{Graph, Weights};

use crate::climbing::{Count, climb};
use crate::fetch::random_weights;
use crate::support::{MOST_ENTRIES, value_and_gradient};

/// Kinds of layers that end detectors: nothing can be pushed from there on.
const HEADS: [&str; 2] = ["PriorBox", "DetectionOutput"];

fn read(net: &net::Net) -> (Graph, Weights) {
    let path = Path::new("deploy.prototxt");
    let parsed = deepvis_importer::caffe::text::parse_net(net.text.clone(), path).unwrap();
    let current = deepvis_importer::caffe::upgrade::to_current(parsed.net, path).unwrap();
    let graph = deepvis_importer::caffe::convert::graph(&current).unwrap();
    let weights = random_weights::weights(&graph, 1);
    (graph, weights)
}

/// Whether it can be pushed is the same for `inspect` and for what is built; shapes are those stated. Units of `last` are
/// computed from a grey image and are finite.
fn check(net: &net::Net, last: Option<&str>) {
    let (graph, weights) = read(net);
    let facts = survey(&graph, Some(&weights), InputSize::Declared, MOST_ENTRIES);
    let mut ended: Vec<&String> = Vec::new();
    let mut pushed = Vec::new();
    for fact in facts.iter().filter(|fact| !fact.is_input) {
        if HEADS.contains(&fact.kind.as_str()) || fact.bottoms.iter().any(|bottom| ended.contains(&bottom)) {
            ended.extend(&fact.tops);
            assert!(!fact.can_be_pushed(), "{}", fact.name);
            continue;
        }
        assert_eq!(fact.problem, None, "{}", fact.name);
        pushed.push(fact);
    }
    // What one layer of a fork does may be several of ours by the same name; the last has its value.
    let is_last = |index: usize| {
        let mut later = pushed.iter().skip(index + 1);
        later.all(|fact| fact.name != pushed[index].name)
    };
    let pushed: Vec<_> = (0..pushed.len())
        .filter(|index| is_last(*index))
        .map(|index| pushed[index])
        .collect();
    for (name, [channels, rows, columns]) in &net.expected {
        let fact = pushed.iter().find(|fact| fact.name == *name).unwrap();
        let found = &fact.shapes[0];
        assert_eq!(found[2..], [*rows, *columns], "{name}: {found:?}");
        assert!(*channels == 0 || found[1] == *channels, "{name}: {found:?}");
    }
    let device = Device::flex();
    let names: Vec<&str> = pushed.iter().map(|fact| fact.name.as_str()).collect();
    let network = Network::build(&graph, &weights, &names, InputSize::Declared, &device, MOST_ENTRIES)
        .unwrap_or_else(|error| panic!("{error}"));
    for (target, fact) in pushed.iter().enumerate() {
        assert_eq!(network.shape(target), fact.shapes[0], "{}", fact.name);
    }
    let Some(last) = last else { return };
    let network = Network::build(&graph, &weights, &[last], InputSize::Declared, &device, MOST_ENTRIES).unwrap();
    let [channels, rows, columns] = network.image();
    let read = network
        .forward(Tensor::ones([1, channels, rows, columns], &device))
        .swap_remove(0);
    assert_eq!(read.value.shape(), network.shape(0), "{last}");
    let values: Vec<f32> = read.value.tensor().into_data().try_into_vec().unwrap();
    assert!(values.iter().all(|value| value.is_finite()), "{last}");
}

#[test]
fn published_classifiers_can_be_pushed() {
    check(&nets::vgg(), Some("fc8"));
    check(&nets::nin(), Some("pool4"));
    check(&nets::mobilenet_v1(), Some("fc7"));
    check(&nets::mobilenet_v2(), Some("pool9"));
    check(&nets::densenet(), None);
    check(&nets::se_resnet(), None);
    check(&nets::resnext(), None);
    check(&nets::shufflenet(), Some("pool_ave"));
    check(&inception::v3(), Some("pool3"));
    check(&inception::v4(), Some("pool_8x8_s1"));
    check(&nets::sphereface(), Some("fc5"));
}

#[test]
fn published_networks_of_places_can_be_pushed() {
    check(&places::fcn(), None);
    check(&places::ssd(), None);
    check(&places::segnet(), None);
    check(&places::pspnet(), None);
    check(&places::yolo_v2(), Some("conv22"));
    check(&places::yolo_v3(), None);
}

#[test]
fn published_networks_of_pixels_can_be_pushed() {
    check(&pixels::enet(), None);
    check(&pixels::hed(), None);
    check(&pixels::openpose(), None);
}

/// Length of a step, in grey levels over all pixels together. Dozens of ReLUs and poolings bend what is climbed, so that a longer
/// one may lead down.
const STEP: f64 = 0.05;

/// The largest unit of a deep layer, two steps up.
fn climbs(net: &net::Net, layer: &str, size: Option<[usize; 2]>) {
    let (graph, weights) = read(net);
    let device = Device::flex();
    let size = size.map_or(InputSize::Declared, InputSize::Resized);
    let network = Network::build(&graph, &weights, &[layer], size, &device, MOST_ENTRIES).unwrap();
    let [_, channels, places @ ..] = network.shape(0) else {
        panic!("{layer}: {:?}", network.shape(0));
    };
    let entries: usize = network.image().iter().product();
    let begun = |channel, spatial, lr| {
        let mut recipe = Recipe::of_unit(layer, channel);
        recipe.objective.unit.spatial = spatial;
        recipe.optimizer = Optimizer::GradientAscent {
            schedule: Schedule::Constant { lr },
        };
        recipe.steps = 3;
        Climb::new(recipe, vec![128.0; entries].into(), network.image(), network.shape(0)).unwrap()
    };
    let x0: Vec<f32> = begun(0, [0, 0], 1.0).record().x0.iter().map(|x| *x as f32).collect();
    let (values, ..) = value_and_gradient(&network, x0.clone(), 0, &device);
    assert!(values.iter().all(|value| value.is_finite()), "{layer}");
    let unit = (0..values.len())
        .max_by(|a, b| values[*a].total_cmp(&values[*b]))
        .unwrap();
    let (.., gradient) = value_and_gradient(&network, x0, unit, &device);
    let norm = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
    assert!(norm.is_finite() && norm > 0.0, "{layer}: {norm}");
    let area: usize = places.iter().product();
    let columns = places.get(1).copied().unwrap_or(1);
    let spatial = [unit % area / columns, unit % area % columns];
    assert!(unit / area < *channels);
    let mut climbed = [begun(unit / area, spatial, STEP / norm)];
    let outcomes = climb(
        &network,
        &device,
        Precision::Float64,
        &mut climbed,
        &mut Count::default(),
    );
    assert!(outcomes.iter().all(Result::is_ok), "{layer}: {outcomes:?}");
    let objective = &climbed[0].record().obj;
    assert_eq!(objective[0], values[unit], "{layer}");
    assert!(
        objective[2].is_finite() && objective[2] > objective[0],
        "{layer}: {objective:?}"
    );
}

#[test]
fn deep_units_of_published_classifiers_climb() {
    let small = Some([64, 64]);
    climbs(&nets::vgg(), "conv5_3", small);
    climbs(&nets::nin(), "cccp4b", Some([96, 96]));
    climbs(&nets::mobilenet_v1(), "fc7", small);
    climbs(&nets::mobilenet_v2(), "conv9", small);
    climbs(&nets::densenet(), "concat_5_16", small);
    climbs(&nets::se_resnet(), "conv5_3", small);
    climbs(&nets::resnext(), "conv5_3", small);
    climbs(&nets::shufflenet(), "pool_ave", small);
    climbs(&inception::v3(), "e2", Some([107, 107]));
    climbs(&inception::v4(), "c3", Some([107, 107]));
    climbs(&nets::sphereface(), "fc5", None);
}

#[test]
fn deep_units_of_published_networks_of_places_climb() {
    climbs(&places::fcn(), "upscore8", Some([96, 96]));
    climbs(&places::ssd(), "conv9_2", None);
    climbs(&places::segnet(), "conv1_1_D", None);
    climbs(&places::pspnet(), "conv6_interp", None);
    climbs(&places::yolo_v2(), "conv22", Some([96, 96]));
    climbs(&places::yolo_v3(), "layer106-conv", Some([96, 96]));
    climbs(&pixels::enet(), "deconv6_0_0", Some([64, 128]));
    climbs(&pixels::hed(), "new-score-weighting", Some([96, 96]));
    climbs(&pixels::openpose(), "net_output", Some([64, 64]));
}
