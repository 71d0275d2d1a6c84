//! An image's figures are the same bits alone, in any batch, and on any number of threads.

use burn::tensor::{Device, Tensor, TensorData};
use deepvis::network::host::apply_two;
use deepvis::network::host::product::Products;
use deepvis::network::{InputSize, Network};
use deepvis_importer::Import;
use rand_mt::Mt;

use crate::program::{words, worked};
use crate::support::{MOST_ENTRIES, repository};

/// Values and gradients of a target, as bits, of each image of a batch.
type Bits = Vec<(Vec<u32>, Vec<u32>)>;

/// What part of a target's entries is pushed.
#[derive(Debug, Clone, Copy)]
enum Pushed {
    /// The entry in the middle alone, as when a unit is pushed.
    One,
    /// All, each with a weight of its own.
    All,
}

/// Numbers from -1 to 1 that `seed` stands for.
fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut random = Mt::new(seed);
    (0..count)
        .map(|_| random.next_u32() as f32 / u32::MAX as f32 * 2.0 - 1.0)
        .collect()
}

fn bits(values: &[f32], images: usize) -> Vec<Vec<u32>> {
    assert!(values.iter().all(|value| value.is_finite()));
    values
        .chunks(values.len() / images)
        .map(|values| values.iter().map(|value| value.to_bits()).collect())
        .collect()
}

/// Of images that go through the network together.
fn together(network: &Network, images: &[Vec<f32>], pushed: Pushed, device: &Device) -> Bits {
    let [channels, rows, columns] = network.image();
    let count = images.len();
    let data = TensorData::new(images.concat(), [count, channels, rows, columns]);
    let images = Tensor::<4>::from_data(data, &device.clone().autodiff()).require_grad();
    let found = network.forward(images.clone()).swap_remove(0);
    let values: Vec<f32> = found.value.tensor().into_data().try_into_vec().unwrap();
    let len = values.len() / count;
    let weights = match pushed {
        Pushed::One => (0..len).map(|at| f32::from(u8::from(at == len / 2))).collect(),
        Pushed::All => numbers(len, 7),
    };
    let weights = Tensor::<2>::from_data(TensorData::new(weights, [1, len]), &device.clone().autodiff());
    let gradients = (found.pushed.view([count, len]) * weights).sum().backward();
    let gradient: Vec<f32> = images.grad(&gradients).unwrap().into_data().try_into_vec().unwrap();
    bits(&values, count).into_iter().zip(bits(&gradient, count)).collect()
}

fn caffe(folder: &str) -> Import {
    let folder = repository(folder);
    deepvis_importer::import(&folder.join("deploy.prototxt"), &folder.join("weights.caffemodel")).unwrap()
}

/// Whether the target's first axis is that of images: a transformer's queries, keys and values have one of their own before it.
fn images_come_first(network: &Network, device: &Device) -> bool {
    let [channels, rows, columns] = network.image();
    [1, 19].into_iter().all(|count| {
        let images = Tensor::<4>::zeros([count, channels, rows, columns], device);
        network.forward(images).swap_remove(0).value.extent(0) == count
    })
}

/// Each target of a network by itself, with layers folded, in all companies and on all numbers of threads.
fn same_everywhere(import: &Import, batches: &[usize], threads: &[usize]) {
    let device = Device::flex();
    let mut compared = 0;
    for target in &import.graph.targets {
        let built = Network::build(
            &import.graph,
            &import.weights,
            &[&target.name],
            InputSize::Declared,
            &device,
            MOST_ENTRIES,
        );
        let Ok(network) = built else { continue };
        if !images_come_first(&network, &device) {
            continue;
        }
        let most = batches.iter().copied().max().unwrap();
        let images: Vec<Vec<f32>> = (0..most)
            .map(|image| {
                let numbers = numbers(network.image().iter().product(), 100 + image as u32);
                numbers.into_iter().map(|value| 100.0 * value).collect()
            })
            .collect();
        for pushed in [Pushed::One, Pushed::All] {
            let on = |threads: usize, images: &[Vec<f32>]| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| together(&network, images, pushed, &device))
            };
            let alone: Bits = images
                .iter()
                .flat_map(|image| on(1, std::slice::from_ref(image)))
                .collect();
            for threads in threads {
                for batch in batches {
                    let found = on(*threads, &images[..*batch]);
                    for (image, (found, alone)) in found.iter().zip(&alone).enumerate() {
                        let differ = |a: &[u32], b: &[u32]| a.iter().zip(b).filter(|(a, b)| a != b).count();
                        assert!(
                            found == alone,
                            "{}, {pushed:?}: image {image} of {batch} on {threads} threads: {} of {} values and {} of {} \
                             gradients differ",
                            target.name,
                            differ(&found.0, &alone.0),
                            alone.0.len(),
                            differ(&found.1, &alone.1),
                            alone.1.len(),
                        );
                        compared += 1;
                    }
                }
            }
        }
    }
    assert!(compared > 0);
}

#[test]
fn the_bundled_network_gives_the_same_bits_in_any_company_and_on_any_number_of_threads() {
    same_everywhere(&caffe("models/demo"), &[1, 2, 32], &[1, 2, 3]);
}

/// Networks with the other kinds of layers, on more threads than there are channels to share out.
#[test]
fn small_networks_give_the_same_bits_too() {
    for case in [
        "conv_stride_group",
        "conv_dilated",
        "conv_depthwise",
        "deconv_group",
        "inner_product",
        "lrn_across",
        "lrn_within",
        "pool_ave_pad",
        "softmax_spatial",
        "v1_alexnet_style",
        "mvn_across",
    ] {
        same_everywhere(
            &caffe(&format!("tests/fixtures/layers/{case}")),
            &[1, 2, 5],
            &[1, 2, 3, 5],
        );
    }
}

/// Attention, products over tokens of several images at once, channels that come last.
#[test]
fn networks_of_tokens_give_the_same_bits_too() {
    for case in ["tokens_dynamo", "tokens_script", "turned"] {
        let path = repository(&format!("tests/fixtures/onnx/{case}.onnx"));
        same_everywhere(
            &deepvis_importer::open(&path, None).unwrap(),
            &[1, 2, 5, 17],
            &[1, 2, 3],
        );
    }
}

/// gemm sums small blocks of the left side's gradient in another order, so that it must not be cut into such.
#[test]
fn products_of_two_values_give_the_same_bits_on_any_number_of_threads() {
    for [rows, inner, columns] in [[64, 8, 64], [257, 64, 257], [50, 6, 70], [49, 32, 49]] {
        let found = [1, 2, 3, 5, 16].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let device = Device::flex().autodiff();
                let of = |count: usize, seed| TensorData::new(numbers(count, seed), [count]);
                let left = Tensor::<1>::from_data(of(rows * inner, 1), &device).require_grad();
                let right = Tensor::<1>::from_data(of(inner * columns, 2), &device).require_grad();
                let product: Tensor<3> = apply_two(
                    left.clone().reshape([1, rows, inner]),
                    right.clone().reshape([1, inner, columns]),
                    Products { rows, inner, columns },
                );
                let weight = Tensor::<1>::from_data(of(rows * columns, 3), &device).reshape([1, rows, columns]);
                let gradients = (product.clone() * weight).sum().backward();
                let entries = |data: TensorData| bits(&data.try_into_vec::<f32>().unwrap(), 1);
                [
                    entries(product.into_data()),
                    entries(left.grad(&gradients).unwrap().into_data()),
                    entries(right.grad(&gradients).unwrap().into_data()),
                ]
            })
        });
        for other in &found[1..] {
            assert!(*other == found[0], "{rows} x {inner} x {columns}");
        }
    }
}

/// The files of one unit's ascent, climbed alone, with another and with all, on 1, 2 and 3 threads.
#[test]
fn whole_ascents_leave_the_same_files_in_any_company_and_on_any_number_of_threads() {
    let mut expected = None;
    for threads in ["1", "2", "3"] {
        for channels in ["5", "5,17", "all"] {
            let folder = tempfile::tempdir().unwrap();
            let line = format!(
                "optimize --model demo --backend flex --push-layer fc7 --push-channel {channels} --preset paper-3 \
                 --max-iter 16 --batch-size 32 --output-prefix r/opt"
            );
            let output = assert_cmd::Command::cargo_bin("deepvis")
                .unwrap()
                .current_dir(folder.path())
                .env("XDG_CONFIG_HOME", folder.path())
                .env("RAYON_NUM_THREADS", threads)
                .args(words(&line))
                .output()
                .unwrap();
            worked(&output);
            let found = ["best_X.jpg", "best_Xpm.jpg", "info.txt", "info_big.pkl"]
                .map(|ending| std::fs::read(folder.path().join(format!("r/opt_fc7_0005_0_{ending}"))).unwrap());
            let expected = expected.get_or_insert_with(|| found.clone());
            assert!(*expected == found, "--push-channel {channels} on {threads} threads");
        }
    }
}
