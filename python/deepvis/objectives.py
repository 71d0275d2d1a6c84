"""Objectives to climb, with Python's operators, as in lucent.

Each function gives an :class:`Objective`; ``+``, ``-``, ``*`` and ``/`` connect it with others and with numbers, and ``str``
gives the text that ``deepvis optimize --objective`` takes. What the terms mean is in ``docs/feature-visualization.md``.

>>> from deepvis.objectives import channel, diversity
>>> objective = channel("conv5", 17) - 100 * diversity("conv5")
>>> print(objective)
channel("conv5", 17) - 100 * diversity("conv5")
>>> print(-(objective + 1) / 2)
-(channel("conv5", 17) - 100 * diversity("conv5") + 1) / 2
"""

import numbers

__all__ = [
    "Objective",
    "alignment",
    "blur_penalty",
    "boundary",
    "caricature",
    "channel",
    "cosine",
    "difference",
    "direction",
    "direction_neuron",
    "diversity",
    "dot_cosine",
    "interpolate",
    "inversion",
    "l1",
    "l2",
    "layer",
    "mean",
    "neuron",
    "tensor_direction",
    "total_variation",
]

# How tightly an operator binds.
_SUM, _PRODUCT, _FACTOR = 1, 2, 3


class Objective:
    """What is climbed, as the text that says it."""

    def __init__(self, text, binding=_SUM):
        self._text = str(text)
        self._binding = binding

    def __str__(self):
        return self._text

    def __repr__(self):
        return "<deepvis.objectives.Objective %s>" % self._text

    def _as(self, binding):
        return self._text if self._binding >= binding else "(%s)" % self._text

    def __add__(self, other):
        return _connected(self, "+", other, _SUM, _SUM)

    def __radd__(self, other):
        # So that sum() of objectives is one.
        return self if other == 0 else _connected(other, "+", self, _SUM, _SUM)

    def __sub__(self, other):
        return _connected(self, "-", other, _SUM, _PRODUCT)

    def __rsub__(self, other):
        return _connected(other, "-", self, _SUM, _PRODUCT)

    def __mul__(self, other):
        return _connected(self, "*", other, _PRODUCT, _PRODUCT)

    def __rmul__(self, other):
        return _connected(other, "*", self, _PRODUCT, _PRODUCT)

    def __truediv__(self, other):
        return _connected(self, "/", other, _PRODUCT, _FACTOR)

    def __rtruediv__(self, other):
        return _connected(other, "/", self, _PRODUCT, _FACTOR)

    def __neg__(self):
        return Objective("-" + self._as(_FACTOR), _FACTOR)


def _objective(value):
    if isinstance(value, Objective):
        return value
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        return Objective(_number(value), _FACTOR)
    return None


def _number(value):
    return repr(int(value)) if isinstance(value, numbers.Integral) else repr(float(value))


def _connected(left, operator, right, binding_left, binding_right):
    left, right = _objective(left), _objective(right)
    if left is None or right is None:
        return NotImplemented
    binding = _SUM if operator in "+-" else _PRODUCT
    return Objective("%s %s %s" % (left._as(binding_left), operator, right._as(binding_right)), binding)


def _argument(value):
    if isinstance(value, numbers.Real):
        return _number(value)
    text = getattr(value, "__fspath__", lambda: str(value))()
    return '"%s"' % text


def _term(word, *arguments, **keys):
    texts = [_argument(argument) for argument in arguments]
    texts += ["%s=%s" % (key, _argument(value)) for key, value in keys.items() if value is not None]
    return Objective("%s(%s)" % (word, ", ".join(texts)), _FACTOR)


def neuron(layer, channel, row=None, column=None, image=None):
    """The activation of a channel at a row and column; in the middle unless given."""
    return _term("neuron", layer, channel, row=row, column=column, image=image)


def channel(layer, channel, image=None):
    """The mean of a channel over all positions; the channel by number or label."""
    return _term("channel", layer, channel, image=image)


def layer(layer, image=None):
    """The mean of the squares of a whole layer, as in deep dreams."""
    return _term("layer", layer, image=image)


def mean(layer, image=None):
    """The mean of a whole layer."""
    return _term("mean", layer, image=image)


def direction(layer, file, power=None, image=None):
    """A direction of a layer's channels at all positions, a vector in a ``.npy`` file."""
    return _term("direction", layer, file, power=power, image=image)


def direction_neuron(layer, file, row=None, column=None, power=None, image=None):
    """A direction of a layer's channels at one position."""
    return _term("direction_neuron", layer, file, row=row, column=column, power=power, image=image)


def tensor_direction(layer, file, power=None, image=None):
    """A direction of a layer's whole activation, an array in a ``.npy`` file."""
    return _term("tensor_direction", layer, file, power=power, image=image)


def cosine(layer, file, image=None):
    """The cosine between a layer's channels and a direction."""
    return _term("cosine", layer, file, image=image)


def dot_cosine(layer, file, power=None, image=None):
    """Dot product times a power of the cosine."""
    return _term("dot_cosine", layer, file, power=power, image=image)


def caricature(layer, photo, power=None, image=None):
    """What a photograph is to a layer, exaggerated."""
    return _term("caricature", layer, photo, power=power, image=image)


def inversion(layer, photo, image=None):
    """An image that is to a layer what a photograph is."""
    return _term("inversion", layer, photo, image=image)


def difference(layer, photo, image=None):
    """The distance between what an image and what a photograph is to a layer."""
    return _term("difference", layer, photo, image=image)


def interpolate(layer1, channel1, layer2, channel2):
    """From one channel to another over the images that climb together."""
    return _term("interpolate", layer1, channel1, layer2, channel2)


def diversity(layer):
    """How alike the images are that climb together; subtract it to make them differ."""
    return _term("diversity", layer)


def alignment(layer, decay=None):
    """How unlike neighbouring images are, of those that climb together."""
    return _term("alignment", layer, decay=decay)


def l1(centre=None, image=None):
    """The sum of distances of the image's values from a value."""
    return _term("l1", *([] if centre is None else [centre]), image=image)


def l2(centre=None, image=None):
    """The Euclidean distance of the image from a value."""
    return _term("l2", *([] if centre is None else [centre]), image=image)


def total_variation(image=None):
    """The total variation of the image."""
    return _term("total_variation", image=image)


def blur_penalty(image=None):
    """How far the image is from itself, blurred."""
    return _term("blur_penalty", image=image)


def boundary(width=None, centre=None, image=None):
    """How far the image's frame is from a value."""
    arguments = [value for value in (width, centre) if value is not None]
    return _term("boundary", *arguments, image=image)
