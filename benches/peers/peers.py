"""An iteration of the classic nets in PyTorch, for comparison with `cargo bench --bench iteration` (or `gpu`).

    pip install torch
    python benches/peers/peers.py [--threads 2] [--batch 1 16] [--device cuda]

The nets are read from models/deploy, weights are random and frozen, and the gradient goes to the image, from one unit of the
last layer, as deepvis has it. A figure is the median of many iterations, in milliseconds a picture; blur and statistics are
left out (deepvis' own are about a hundredth of an iteration).
"""

import argparse
import re
import statistics
import time
from pathlib import Path

import torch
import torch.nn.functional as F

DEPLOY = Path(__file__).resolve().parents[2] / "models" / "deploy"
NETS = {"caffenet": "fc8", "googlenet": "loss3/classifier", "squeezenet_v1.1": "conv10"}


def layers(path):
    """The layers of one of our prototxts, which have a layer a line."""
    for line in path.read_text().splitlines():
        if not line.startswith("layer"):
            continue
        words = {key: re.findall(rf'\b{key}: "([^"]*)"', line) for key in ("name", "type", "bottom", "top")}
        numbers = {key: float(value) for key, value in re.findall(r"\b(\w+): ([0-9.]+)", line)}
        yield words["name"][0], words["type"][0], words["bottom"], words["top"][0], numbers, line


class Net:
    """Computes a prototxt up to a layer."""

    def __init__(self, name, last):
        self.steps = []
        shapes = {}
        with torch.no_grad():
            for layer, kind, bottoms, top, numbers, line in layers(DEPLOY / f"{name}.prototxt"):
                if kind == "Input":
                    dims = [int(dim) for dim in re.findall(r"dim: (\d+)", line)]
                    self.shape = dims[1:]
                    shapes[top] = torch.zeros(dims)
                    continue
                step = self.step(kind, numbers, line, [shapes[bottom] for bottom in bottoms])
                self.steps.append((step, bottoms, top))
                shapes[top] = step(*[shapes[bottom] for bottom in bottoms])
                if layer == last:
                    break
        self.last = last

    @staticmethod
    def step(kind, numbers, line, inputs):
        number = lambda key, default: int(numbers.get(key, default))
        stride, pad, size = number("stride", 1), number("pad", 0), number("kernel_size", 1)
        if kind == "Convolution":
            groups, outputs = number("group", 1), number("num_output", 0)
            shape = (outputs, inputs[0].shape[1] // groups, size, size)
            fan_in = shape[1] * size * size
            weight, bias = torch.randn(shape) * (2 / fan_in) ** 0.5, torch.zeros(outputs)
            return lambda x: F.conv2d(x, weight, bias, stride, pad, 1, groups)
        if kind == "InnerProduct":
            outputs, fan_in = number("num_output", 0), inputs[0][0].numel()
            weight, bias = torch.randn(outputs, fan_in) * (2 / fan_in) ** 0.5, torch.zeros(outputs)
            return lambda x: F.linear(x.flatten(1), weight, bias)
        if kind == "ReLU":
            return lambda x: F.relu(x)
        if kind == "LRN":
            return lambda x: F.local_response_norm(x, number("local_size", 5), numbers["alpha"], numbers["beta"])
        if kind == "Pooling" and "AVE" in line:
            return lambda x: F.avg_pool2d(x, size, stride, pad, ceil_mode=True)
        if kind == "Pooling":
            return lambda x: F.max_pool2d(x, size, stride, pad, ceil_mode=True)
        if kind == "Concat":
            return lambda *x: torch.cat(x, 1)
        return lambda x: x

    def forward(self, image):
        blobs = {"data": image}
        for step, bottoms, top in self.steps:
            blobs[top] = step(*[blobs[bottom] for bottom in bottoms])
        return blobs[self.last]


def iteration(net, image):
    """Forward, back to the image from one unit, and a step."""
    image.requires_grad_(True)
    out = net.forward(image)
    out[:, 130].flatten(1).select(1, 0).sum().backward() if out.dim() > 2 else out[:, 130].sum().backward()
    with torch.no_grad():
        return (image + image.grad).detach()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, nargs="*", default=[1, 16])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--nets", nargs="*", default=list(NETS))
    parser.add_argument("--seconds", type=float, default=8.0, help="for each figure")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    torch.set_default_device(options.device)
    wait = torch.cuda.synchronize if options.device.startswith("cuda") else lambda: None
    print(f"PyTorch {torch.__version__}, {options.threads} threads")
    for name in options.nets:
        net = Net(name, NETS[name])
        for batch in options.batch:
            image = torch.randn(batch, *net.shape) * 10
            iteration(net, image.clone())
            wait()
            times, end = [], time.perf_counter() + options.seconds
            while time.perf_counter() < end or len(times) < 3:
                before = time.perf_counter()
                iteration(net, image.clone())
                wait()
                times.append(time.perf_counter() - before)
            print(f"{name:>16} batch {batch:>2}: {1000 * statistics.median(times) / batch:8.1f} ms a picture")


if __name__ == "__main__":
    main()
