//! Networks written after published architectures: everything that is no detection head can be pushed, in Caffe's shapes.

mod inception;
mod net;
mod nets;
mod places;

use std::path::Path;

use burn::tensor::{Device, Tensor};
use deepvis::network::{InputSize, Network, survey};

use crate::fetch::random_weights;
use crate::support::MOST_ENTRIES;

/// Kinds of layers that end detectors: nothing can be pushed from there on.
const HEADS: [&str; 2] = ["PriorBox", "DetectionOutput"];

/// Whether it can be pushed is the same for `inspect` and for what is built; shapes are those stated. Units of `last` are
/// computed from a grey image and are finite.
fn check(net: &net::Net, last: Option<&str>) {
    let path = Path::new("deploy.prototxt");
    let parsed = deepvis_importer::caffe::text::parse_net(net.text.clone(), path).unwrap();
    let current = deepvis_importer::caffe::upgrade::to_current(parsed.net, path).unwrap();
    let graph = deepvis_importer::caffe::convert::graph(&current).unwrap();
    let weights = random_weights::weights(&graph, 1);
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
}

#[test]
fn published_networks_of_places_can_be_pushed() {
    check(&places::fcn(), None);
    check(&places::ssd(), None);
    check(&places::segnet(), None);
    check(&places::pspnet(), None);
    check(&places::yolo_v2(), Some("conv22"));
}
