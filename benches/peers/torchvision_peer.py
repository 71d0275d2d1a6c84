"""Networks of today, exported from torchvision with random weights: deepvis against PyTorch, values, gradients and time.

    pip install torch torchvision onnx onnxscript
    python benches/peers/torchvision_peer.py [--deepvis target/release/deepvis] [--time] [--nets resnet50 vit_b_16]

Each network is exported by both of PyTorch's exporters (TorchScript's with a batch of 1 written into it). Of three inner values
each, the value and one unit's gradient with respect to the image are compared with PyTorch in float64: the largest difference
as a part of the largest entry; in brackets, what PyTorch's own float32 is off by.

With `--time`, an iteration of climbing one unit of the last value is timed in turns: in PyTorch (forward, back to the image, a
step; weights frozen) and in deepvis, from two runs of different length, so that start-up cancels. Figures are medians in
milliseconds a picture. `--units 8` climbs eight at once.
"""

import argparse
import copy
import os
import statistics
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import numpy
import torch
import torchvision

torch.backends.mha.set_fastpath_enabled(False)
warnings.filterwarnings("ignore")

# Three inner modules of each; the last is climbed when times are taken.
NETS = {
    "resnet50": ["layer1", "layer3.2", "layer4"],
    "efficientnet_b0": ["features.2", "features.4.1", "features.7"],
    "convnext_tiny": ["features.1", "features.5.3", "features.7"],
    "vit_b_16": ["encoder.layers.encoder_layer_2", "encoder.layers.encoder_layer_7.mlp", "encoder.ln"],
    "mobilenet_v3_large": ["features.3", "features.9", "features.15"],
    "swin_t": ["features.1", "features.3.1.attn", "features.7"],
}


def network(name):
    """A network with random weights, whose normalizations have seen noise."""
    torch.manual_seed(0)
    net = getattr(torchvision.models, name)(weights=None)
    for module in net.modules():
        if isinstance(module, (torch.nn.BatchNorm2d, torch.nn.LayerNorm)):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.3)
    with torch.no_grad():
        net.train()(torch.randn(8, 3, 224, 224))
    return net.eval().requires_grad_(False)


def export(net, path, dynamo):
    image = torch.randn(2 if dynamo else 1, 3, 224, 224)
    if dynamo:
        shapes = ({0: torch.export.Dim("batch")},)
        torch.onnx.export(net, (image,), path, dynamic_shapes=shapes, external_data=False, dynamo=True, verbose=False)
    else:
        torch.onnx.export(net, (image,), path, opset_version=17, dynamo=False)


def strongest(value):
    """The unit of the largest entry: one that a ReLU lets through."""
    return [int(index[0]) for index in numpy.unravel_index([int(value[0].argmax())], value.shape[1:])]


def reading(net, layer, image, unit=None):
    """The value of a layer, a unit of it, and that unit's gradient."""
    seen = {}
    hook = net.get_submodule(layer).register_forward_hook(lambda module, inputs, output: seen.update(value=output))
    image = image.clone().requires_grad_(True)
    net(image)
    hook.remove()
    value = seen["value"]
    unit = unit or strongest(value)
    value[(0, *unit)].backward()
    return value.detach().numpy(), unit, image.grad.numpy()


def compare(options, net, path, layers, folder):
    """The largest relative difference of a value and of a gradient, over the layers."""
    image = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    numpy.save(folder / "input.npy", image.numpy())
    exact = copy.deepcopy(net).double()
    for layer in layers:
        value, unit, gradient = reading(exact, layer, image.double())
        theirs = reading(net, layer, image, unit)
        command = [options.deepvis, "forward", path, "--input", folder / "input.npy", "--layer", layer, "--brave"]
        command += ["--unit", ",".join(map(str, unit)), "--output-dir", folder, "--backend", options.backend]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            print(f"    {layer}: {run.stderr.strip()}")
            continue
        off = lambda found, expected: f"{numpy.abs(found - expected).max() / numpy.abs(expected).max():.1e}"
        found, found_gradient = numpy.load(folder / "output.npy"), numpy.load(folder / "input_gradient.npy")
        assert found.shape == value.shape, (layer, found.shape, value.shape)
        print(
            f"    {layer} {tuple(value.shape)}: value {off(found, value)} ({off(theirs[0], value)}), "
            f"gradient {off(found_gradient, gradient)} ({off(theirs[2], gradient)})",
            flush=True,
        )


def torch_time(net, layer, units, seconds):
    """Milliseconds a picture of an iteration in PyTorch."""
    seen = {}
    net.get_submodule(layer).register_forward_hook(lambda module, inputs, output: seen.update(value=output))
    image = torch.randn(units, 3, 224, 224)
    times = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or len(times) < 3:
        start = time.perf_counter()
        image = image.detach().requires_grad_(True)
        net(image)
        value = seen["value"]
        sum(value[index].flatten()[index] for index in range(units)).backward()
        image = image + image.grad
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:]) * 1e3 / units


def deepvis_time(options, path, layer, units, seconds):
    """Milliseconds a picture of an iteration in deepvis."""
    with tempfile.TemporaryDirectory() as folder:

        def run(iterations):
            command = [options.deepvis, "optimize", path, "--push-layer", layer, "--push-channel", f"0-{units - 1}"]
            command += ["--max-iter", str(iterations), "--output-prefix", f"{folder}/x", "--brave", "--lr-policy", "constant"]
            command += ["--lr-params", '{"lr": 1}', "--preprocess", "torchvision", "--batch-size", str(units)]
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            return time.perf_counter() - start

        short = run(1)
        each = (run(4) - short) / 3
        more = max(3, int(seconds / max(each, 1e-3)))
        return (run(1 + more) - run(1)) / more * 1e3 / units


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deepvis", default="target/release/deepvis")
    parser.add_argument("--backend", default="flex")
    parser.add_argument("--nets", nargs="*", default=list(NETS))
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--units", type=int, nargs="*", default=[1, 8])
    parser.add_argument("--seconds", type=float, default=8.0, help="for each figure")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--keep", type=Path, help="a folder where exported networks stay")
    options = parser.parse_args()
    options.deepvis = Path(options.deepvis).resolve()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        for name in options.nets:
            net = network(name)
            for exporter in ("dynamo", "torchscript"):
                path = folder / f"{name}-{exporter}.onnx"
                if not path.exists():
                    export(net, path, exporter == "dynamo")
                if not options.time:
                    print(f"{name}, {exporter}", flush=True)
                    compare(options, net, path, NETS[name], folder)
            if options.time:
                path, last = folder / f"{name}-dynamo.onnx", NETS[name][-1]
                for units in options.units:
                    pairs = []
                    for _ in range(options.rounds):
                        theirs = torch_time(net, last, units, options.seconds)
                        pairs.append((deepvis_time(options, path, last, units, options.seconds), theirs))
                    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
                    shown = ", ".join(f"{ours:.0f} / {theirs:.0f}" for ours, theirs in pairs)
                    print(f"{name}, {units} at once: deepvis / PyTorch {shown} ms; ratio {ratio:.2f}", flush=True)


if __name__ == "__main__":
    main()
