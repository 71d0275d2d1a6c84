"""An iteration of the classic nets in Caffe itself, for comparison with `cargo bench --bench iteration`.

    OPENBLAS_NUM_THREADS=2 python3 benches/peers/caffe_peer.py [--batch 1 16]

Needs Caffe's own Python package. Debian 11 (bullseye) has it, built for the CPU: `apt-get install python3-caffe libopenblas0-pthread`
there, or in a folder made with `debootstrap --include=python3-caffe,libopenblas0-pthread bullseye FOLDER` and entered with `chroot`.

The nets are read from models/deploy, weights are random, and the gradient goes to the image, from one unit of the last layer, as
optimize_image.py does it. A figure is the median of many iterations, in milliseconds a picture; blur and statistics are left out.
"original" is Caffe with `force_backward`, as the script asks for it, which computes the gradients of the weights too. "frozen" leaves
them out: `lr_mult: 0` does that only without `force_backward`, so a bias of zero, which is to be learned, stands before the net,
and its last layer counts as a loss.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("GLOG_minloglevel", "2")

import caffe
import numpy
from caffe.proto import caffe_pb2
from google.protobuf import text_format

DEPLOY = Path(__file__).resolve().parents[2] / "models" / "deploy"
NETS = {"caffenet": "fc8", "googlenet": "loss3/classifier", "squeezenet_v1.1": "conv10"}


def network(name, last, batch, frozen):
    """A net of models/deploy up to a layer, with random weights."""
    proto = text_format.Parse((DEPLOY / f"{name}.prototxt").read_text(), caffe_pb2.NetParameter())
    proto.force_backward = not frozen
    names = [layer.name for layer in proto.layer]
    del proto.layer[names.index(last) + 1 :]
    for layer in proto.layer:
        if layer.type == "Input":
            layer.input_param.shape[0].dim[0] = batch
        if layer.type in ("Convolution", "InnerProduct"):
            del layer.param[:]
            for _ in range(2):
                layer.param.add().lr_mult = 0 if frozen else 1
    if frozen:
        proto.layer[-1].loss_weight.append(1)
        proto.layer[0].top[0] = "raw"
        proto.layer.insert(1, caffe_pb2.LayerParameter(name="learned", type="Bias", bottom=["raw"], top=["data"]))
    with tempfile.NamedTemporaryFile("w", suffix=".prototxt") as file:
        file.write(text_format.MessageToString(proto))
        file.flush()
        net = caffe.Net(file.name, caffe.TEST)
    for name, blobs in net.params.items():
        if name == "learned":
            continue
        weight = blobs[0].data
        fan_in = weight[0].size
        weight[...] = numpy.random.randn(*weight.shape) * (2 / fan_in) ** 0.5
    return net


def iteration(net, last, image):
    """Forward, back to the image from one unit, and a step."""
    net.blobs[net.inputs[0]].data[...] = image
    net.forward(end=last)
    top = net.blobs[last]
    top.diff[...] = 0
    top.diff[(slice(None), 130) + (1,) * (top.data.ndim - 2)] = 1
    net.backward(start=last)
    return image + net.blobs["data"].diff


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, nargs="*", default=[1, 16])
    parser.add_argument("--nets", nargs="*", default=list(NETS))
    parser.add_argument("--seconds", type=float, default=8.0, help="for each figure")
    parser.add_argument("--frozen-only", action="store_true")
    options = parser.parse_args()
    caffe.set_mode_cpu()
    numpy.random.seed(0)
    print(f"Caffe {caffe.__version__}, OPENBLAS_NUM_THREADS={os.environ.get('OPENBLAS_NUM_THREADS', 'unset')}")
    for name in options.nets:
        for batch in options.batch:
            for frozen in (True,) if options.frozen_only else (True, False):
                net = network(name, NETS[name], batch, frozen)
                image = numpy.random.randn(*net.blobs["data"].data.shape) * 10
                iteration(net, NETS[name], image)
                times, end = [], time.perf_counter() + options.seconds
                while time.perf_counter() < end or len(times) < 3:
                    before = time.perf_counter()
                    iteration(net, NETS[name], image)
                    times.append(time.perf_counter() - before)
                label = "frozen" if frozen else "original"
                print(f"{name:>16} batch {batch:>2} {label:>8}: {1000 * numpy.median(times) / batch:8.1f} ms a picture", flush=True)


if __name__ == "__main__":
    main()
