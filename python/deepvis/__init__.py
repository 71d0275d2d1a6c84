"""Shows what a unit of a trained convolutional network looks for, by gradient ascent on the image.

>>> import deepvis
>>> model = deepvis.load("demo")
>>> result = model.optimize("fc7", 3, steps=20)
>>> result.image.shape, result.image.dtype
((64, 64, 3), dtype('uint8'))

A notebook shows ``result`` as its picture. Several channels climb together and come back as a list:

>>> [found.channel for found in model.optimize("fc7", [3, 4], steps=5)]
[3, 4]

While a unit climbs, ``iterate`` gives events:

>>> events = model.iterate("fc7", 3, steps=5)
>>> [event.iteration for event in events]
[0, 1, 2, 3, 4]
>>> events.results[0].iterations
5

What is climbed may also be an objective, as text or made of :mod:`deepvis.objectives`:

>>> from deepvis.objectives import channel
>>> both = channel("fc7", 3) + channel("fc7", 4)
>>> model.optimize(objective=both, steps=2).image.shape
(64, 64, 3)

Whatever goes wrong is a :class:`deepvis.Error` with the text that the command line has:

>>> model.optimize("fc7", 1000)
Traceback (most recent call last):
...
deepvis.UnitError: channel 1000: layer "fc7" has 32 channels (from 0 to 31)
"""

from ._deepvis import (
    AscentError,
    Error,
    Event,
    Events,
    LayerError,
    Model,
    ModelError,
    Result,
    ResultsError,
    SettingError,
    UnitError,
    __version__,
    runs,
)
from ._deepvis import load as _load
from ._pickles import FindParams, FindResults, load_results
from ._torch import from_torch

__all__ = [
    "AscentError",
    "Error",
    "Event",
    "Events",
    "FindParams",
    "FindResults",
    "LayerError",
    "Model",
    "ModelError",
    "Result",
    "ResultsError",
    "SettingError",
    "UnitError",
    "__version__",
    "from_torch",
    "load",
    "load_results",
    "runs",
]


def load(
    net,
    *,
    preprocess=None,
    mean=None,
    std=None,
    scale=None,
    channel_swap=None,
    channel_order=None,
    size=None,
    labels=None,
    label_layers=None,
    backend="auto",
):
    """Loads a network.

    ``net`` is a model's name ("demo" is bundled, ``deepvis fetch`` brings others), a model's folder, a file (``.onnx``,
    ``.bpk``, or a prototxt or caffemodel, the other of which is looked for beside it), or a pair of prototxt and caffemodel.

    How the network takes images, ``preprocess`` says in a word: "torchvision", "caffe", "keras-tf", "timm-inception" or "none".
    For an ONNX network of three channels of which nothing is said it is "torchvision", which stands in ``Model.warnings``
    then. Parts of it are ``mean``, what is subtracted from pixels of 0 to 255 (numbers, one a channel, or a file, as on the
    command line); ``std``, what the rest is divided by (a number, or one a channel), or else ``scale``, what it is multiplied
    with; and ``channel_order``, "rgb" or "bgr", or else ``channel_swap``, which of the network's channels are red, green and
    blue: (2, 1, 0) unless given.

    ``size`` is rows and columns of the input, ``labels`` a file with a name a line, ``label_layers`` the layers that it names,
    ``backend`` what computes: "auto", "cpu" or "gpu". The settings that a ``deepvis.toml`` has for the command line in the
    working directory are not asked.

    >>> deepvis.load("demo").labels()[:2]
    ['disc', 'ring']
    >>> deepvis.load("no-such-model")
    Traceback (most recent call last):
    ...
    deepvis.ModelError: no-such-model: there is no such folder, and no model of that name; ...
    """
    return _load_net(
        *(net if isinstance(net, (tuple, list)) else (net,)),
        preprocess=preprocess,
        mean=mean,
        std=std,
        scale=scale,
        channel_swap=channel_swap,
        channel_order=channel_order,
        size=size,
        labels=labels,
        label_layers=label_layers,
        backend=backend,
    )


def _load_net(*files, mean=None, std=None, scale=None, **settings):
    return _load(*files, mean=_literal(mean), std=_literal(std), scale=_literal(scale), **settings)


def _literal(numbers_or_file):
    """Numbers, one a channel, or a file, as the command line takes them."""
    if numbers_or_file is None or isinstance(numbers_or_file, str):
        return numbers_or_file
    if hasattr(numbers_or_file, "__fspath__"):
        return numbers_or_file.__fspath__()
    if hasattr(numbers_or_file, "__iter__"):
        return "(%s,)" % ",".join(repr(float(number)) for number in numbers_or_file)
    return repr(float(numbers_or_file))
