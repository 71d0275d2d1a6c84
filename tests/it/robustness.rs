//! Damaged prototxts all the way to shapes: layers of absurd sizes are refused, not computed.

use deepvis::network::{InputSize, survey};
use deepvis_importer::{Graph, text, upgrade};
use proptest::prelude::*;

use crate::support::repository;

/// Entries that no blob may exceed here; small, so that a mistake shows as memory.
const MOST_ENTRIES: usize = 1 << 22;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn numbers_in_a_prototxt_may_be_anything(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![Just(0u64), Just(1), 2..40u64, Just(1 << 24), Just(1 << 31), any::<u64>()]), 1..4),
    ) {
        let mut cases: Vec<_> = std::fs::read_dir(repository("tests/fixtures/layers")).unwrap().map(|e| e.unwrap().path()).collect();
        cases.sort();
        let text = std::fs::read_to_string(which.get(&cases).join("deploy.prototxt")).unwrap();
        let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        let numbers: Vec<usize> = (0..words.len()).filter(|i| words[*i].parse::<u64>().is_ok()).collect();
        for (place, value) in &changes {
            words[*place.get(&numbers)] = value.to_string();
        }
        let path = std::path::Path::new("damaged");
        if let Ok(parsed) = text::parse_net(words.join(" "), path)
            && let Ok(net) = upgrade::to_current(parsed.net, path)
            && let Ok(graph) = Graph::from_proto(&net)
        {
            for fact in survey(&graph, None, InputSize::Declared, MOST_ENTRIES) {
                prop_assert!(fact.problem.is_some() || fact.shapes.iter().all(|s| s.iter().product::<usize>() <= MOST_ENTRIES));
            }
        }
    }
}

/// Found by the test above: a transposed weight of 48 GB was made to learn its shape.
#[test]
fn a_weight_out_of_all_proportion_is_refused() {
    let text = "input: 'data' input_shape { dim: 1 dim: 4 dim: 13 dim: 14 }
        layer { name: 'y' type: 'InnerProduct' bottom: 'data' top: 'y'
                inner_product_param { num_output: 16777216 transpose: true bias_term: false } }";
    let path = std::path::Path::new("large");
    let net = upgrade::to_current(text::parse_net(text.into(), path).unwrap().net, path).unwrap();
    let facts = survey(&Graph::from_proto(&net).unwrap(), None, InputSize::Declared, 1 << 26);
    assert!(
        facts[1]
            .problem
            .as_ref()
            .unwrap()
            .contains("[728, 16777216] does not fit the memory"),
        "{facts:?}"
    );
}
