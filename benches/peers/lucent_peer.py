"""An iteration of `--preset fourier` on GoogLeNet beside lucent's and beside the recipe of 2015's.

    pip install torch torchvision torch-lucent 'kornia==0.4.1'
    python benches/peers/lucent_peer.py NET [--deepvis target/release/deepvis] [--rounds 5] [--threads 2]

NET is a GoogLeNet as `deepvis optimize NET` takes it. lucent (`render_vis` with its default transformations) climbs the same layer
in the PyTorch net of peers.py, with random weights, which do not change the time. All take turns; an iteration's time is the
difference of two runs of different length, so that start-up cancels. Figures are medians in milliseconds, and in brackets the
fastest. The network of deepvis sees 224 x 224 pixels; lucent's sees what its paddings and scalings make of them.
"""

import argparse
import statistics
import subprocess
import tempfile
import time

import torch
from lucent.optvis import param, render

from peers import Net

LAYER, CHANNEL, SIZE = "inception_4c/output", 20, 224


class Googlenet(torch.nn.Module):
    """The net as a module, whose last value has a name that lucent can hook."""

    def __init__(self):
        super().__init__()
        self.net = Net("googlenet", LAYER)
        self.last = torch.nn.Identity()

    def forward(self, image):
        return self.last(self.net.forward(image))


def lucent(model, iterations):
    begun = time.perf_counter()
    render.render_vis(
        model,
        f"last:{CHANNEL}",
        lambda: param.image(SIZE),
        thresholds=(iterations,),
        preprocess=False,
        progress=False,
        show_image=False,
    )
    return time.perf_counter() - begun


def deepvis(program, net, preset, iterations):
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "optimize", net, "--push-layer", LAYER, "--push-channel", str(CHANNEL), "--preset", preset]
        command += ["--backend", "flex", "--skipbig", "-q", "--max-iter", str(iterations), "--output-prefix", f"{folder}/x"]
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - begun


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("net")
    arguments.add_argument("--deepvis", default="target/release/deepvis")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--threads", type=int, default=2)
    given = arguments.parse_args()
    torch.set_num_threads(given.threads)
    model = Googlenet().eval()
    ways = {
        "lucent": (lambda n: lucent(model, n), 4, 12),
        "fourier": (lambda n: deepvis(given.deepvis, given.net, "fourier", n), 20, 60),
        "paper-3": (lambda n: deepvis(given.deepvis, given.net, "paper-3", n), 20, 60),
    }
    times = {name: [] for name in ways}
    for _ in range(given.rounds):
        for name, (run, few, many) in ways.items():
            times[name].append((run(many) - run(few)) / (many - few) * 1000)
    for name, found in times.items():
        print(f"{name}: {statistics.median(found):.1f} ({min(found):.1f}) ms")
    ratio = lambda a, b: statistics.median(x / y for x, y in zip(times[a], times[b]))
    print(f"fourier / lucent {ratio('fourier', 'lucent'):.2f}, fourier / paper-3 {ratio('fourier', 'paper-3'):.2f}")


if __name__ == "__main__":
    main()
