//! Each layer that deepvis computes by a CPU function of its own, beside the same layer composed of burn's operations:
//! forward and back to the image, at sizes of CaffeNet and GoogLeNet. `cargo bench --bench layers`.

use std::time::Duration;

use burn::tensor::{Device, Distribution, Tensor, TensorData};
use criterion::{Criterion, criterion_group, criterion_main};
use deepvis::network::host::convolution::{Convolve, Deconvolve, Geometry};
use deepvis::network::host::inner_product::InnerProduct;
use deepvis::network::host::lrn::AcrossChannels;
use deepvis::network::host::pooling::{AveragePool, MaxPool, Windows};
use deepvis::network::host::{apply, apply_with};
use deepvis::network::layers;
use deepvis_importer::graph::{Counted, Lrn, LrnRegion, Pads};

/// Where layers are computed.
struct Bench<'a> {
    criterion: &'a mut Criterion,
    backend: &'static str,
    device: Device,
}

impl Bench<'_> {
    fn draw<const D: usize>(&self, shape: [usize; D]) -> Tensor<D> {
        Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), &self.device)
    }

    /// Measures a layer both ways, on an input of `shape`.
    fn pair<const D: usize>(
        &mut self,
        layer: &str,
        shape: [usize; D],
        own: impl Fn(Tensor<D>) -> Tensor<D>,
        composed: impl Fn(Tensor<D>) -> Tensor<D>,
    ) {
        let x = self.draw(shape);
        let iteration = |layer: &dyn Fn(Tensor<D>) -> Tensor<D>| {
            let x = x.clone().require_grad();
            let gradients = layer(x.clone()).sum().backward();
            x.grad(&gradients)
        };
        let mut group = self
            .criterion
            .benchmark_group(format!("layer/{layer}/{}", self.backend));
        group
            .sample_size(10)
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(Duration::from_secs(2));
        group.bench_function("own", |bencher| bencher.iter(|| iteration(&own)));
        group.bench_function("burn", |bencher| bencher.iter(|| iteration(&composed)));
        group.finish();
    }

    /// A convolution of square kernel with the ReLU after it.
    fn convolution(&mut self, name: &str, input: [usize; 3], outputs: usize, (kernel, stride, pad, group): Steps) {
        let geometry = geometry(input, outputs, (kernel, stride, pad, group));
        let weight = self.draw([outputs, input[0] / group, kernel, kernel]);
        let bias = self.draw([outputs]);
        let own = Convolve::new(geometry, Some(0.0));
        self.pair(
            name,
            [1, input[0], input[1], input[2]],
            |x| apply_with(x, weight.clone(), Some(bias.clone()), own.clone()),
            |x| {
                let y = layers::convolution::plain(x, weight.clone(), Some(bias.clone()), &geometry);
                layers::entrywise::relu(y, 0.0)
            },
        );
    }

    fn deconvolution(&mut self) {
        let geometry = geometry([64, 56, 56], 128, (4, 2, 1, 1));
        let weight = self.draw([128, 64, 4, 4]);
        self.pair(
            "deconvolution 4x4, 128 to 64",
            [1, 128, 28, 28],
            |x| apply_with(x, weight.clone(), None, Deconvolve { geometry }),
            |x| layers::deconvolution::plain(x, weight.clone(), None, &geometry),
        );
    }

    fn pooling(&mut self) {
        let windows = Windows {
            input: [112, 112],
            output: [56, 56],
            kernel: [3, 3],
            stride: [2, 2],
            pads: Pads::default(),
            counted: Counted::Padded,
        };
        let shape = [1, 64, 112, 112];
        self.pair(
            "max pooling 3x3",
            shape,
            |x| apply(x, MaxPool { windows }),
            |x| layers::pooling::max(x, &windows),
        );
        let inception = Windows {
            input: [14, 14],
            output: [14, 14],
            stride: [1, 1],
            pads: Pads::both([1, 1]),
            counted: Counted::Padded,
            ..windows
        };
        self.pair(
            "max pooling 3x3, of an inception",
            [1, 480, 14, 14],
            |x| apply(x, MaxPool { windows: inception }),
            |x| layers::pooling::max(x, &inception),
        );
        let correction = TensorData::new(layers::pooling::correction(&windows), [1, 1, 56, 56]);
        let correction = Tensor::from_data(correction, &self.device);
        self.pair(
            "average pooling 3x3",
            shape,
            |x| apply(x, AveragePool { windows }),
            |x| layers::pooling::average(x, &windows, correction.clone()),
        );
    }

    fn normalization(&mut self) {
        let settings = Lrn {
            region: LrnRegion::AcrossChannels,
            size: 5,
            alpha: 1e-4,
            beta: 0.75,
            k: 1.0,
        };
        let Lrn {
            size, alpha, beta, k, ..
        } = settings;
        self.pair(
            "normalization over 5 channels",
            [1, 192, 56, 56],
            |x| apply(x, AcrossChannels { size, alpha, beta, k }),
            |x| layers::lrn::across_channels(x, &settings),
        );
    }

    fn inner_product(&mut self) {
        let (outputs, inputs) = (4096, 9216);
        let weight = self.draw([outputs, inputs]);
        let bias = self.draw([outputs]);
        self.pair(
            "inner product, 9216 to 4096",
            [1, inputs],
            |x| {
                apply_with(
                    x,
                    weight.clone(),
                    Some(bias.clone()),
                    InnerProduct::new(outputs, inputs, 1),
                )
            },
            |x| layers::inner_product::plain(x, weight.clone(), Some(bias.clone())),
        );
    }
}

/// Kernel size, stride, padding, groups.
type Steps = (usize, usize, usize, usize);

fn geometry(input: [usize; 3], outputs: usize, (kernel, stride, pad, group): Steps) -> Geometry {
    let extent = |size: usize| (size + 2 * pad - kernel) / stride + 1;
    Geometry {
        input,
        output: [outputs, extent(input[1]), extent(input[2])],
        kernel: [kernel; 2],
        stride: [stride; 2],
        pad: [pad; 2],
        dilation: [1; 2],
        group,
    }
}

fn layers(criterion: &mut Criterion) {
    #[expect(deprecated, reason = "the ndarray backend was asked for")]
    let ndarray = Device::ndarray();
    for (backend, device) in [("flex", Device::flex()), ("ndarray", ndarray)] {
        let device = device.autodiff();
        let mut bench = Bench {
            criterion: &mut *criterion,
            backend,
            device,
        };
        bench.convolution("convolution 11x11, 3 to 96", [3, 227, 227], 96, (11, 4, 0, 1));
        bench.convolution("convolution 7x7, 3 to 64", [3, 224, 224], 64, (7, 2, 3, 1));
        bench.convolution("convolution 5x5, 96 to 256, 2 groups", [96, 27, 27], 256, (5, 1, 2, 2));
        bench.convolution("convolution 3x3, 64 to 192", [64, 56, 56], 192, (3, 1, 1, 1));
        bench.convolution("convolution 1x1, 480 to 192", [480, 14, 14], 192, (1, 1, 0, 1));
        bench.deconvolution();
        bench.pooling();
        bench.normalization();
        bench.inner_product();
    }
}

criterion_group!(benches, layers);
criterion_main!(benches);
