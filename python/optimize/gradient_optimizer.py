"""The two classes that deepvis pickles are made of, for whoever has no checkout of the original.

    import sys, pickle
    sys.path.insert(0, "python")
    with open("optimize_results/opt_fc8_0130_0_info_big.pkl", "rb") as f:
        params, results = pickle.load(f)
    print(results)
    results.best_xx.shape

Needs Python 3 and NumPy (1.x or 2.x).
"""

import numpy as np


def _number(value):
    """str() as Python 2 and NumPy 1 had it: 6 significant digits for float32, 12 for float."""
    if isinstance(value, np.float32):
        text = "%.6g" % value
    elif isinstance(value, float):
        text = "%.12g" % value
    else:
        return str(value)
    return text + ".0" if text.lstrip("-").isdigit() else text


def _of_list(value):
    """repr() of an entry of a list of results as NumPy 1 had it: 8 significant digits for float32, 17 for float."""
    if isinstance(value, np.float32):
        text = "%.8g" % value
    elif isinstance(value, float):
        text = "%.17g" % value
    else:
        return repr(value)
    return text + ".0" if text.lstrip("-").isdigit() else text


class _Record(object):
    """Attributes that print one a line, sorted, long lists and arrays shortened."""

    def __init__(self, **kwargs):
        self.update(**kwargs)

    def update(self, **kwargs):
        """Sets attributes."""
        self.__dict__.update(kwargs)

    def __str__(self):
        lines = [type(self).__name__ + ":"]
        for key in sorted(self.__dict__):
            lines.append("%30s: %s" % (key, self._shown(self.__dict__[key])))
        return "\n".join(lines) + "\n"

    @staticmethod
    def _shown(value):
        if isinstance(value, list) and len(value) > 4:
            first, last = value[:2], value[-2:]
            return "[%s, ..., %s]" % (", ".join(map(_number, first)), ", ".join(map(_number, last)))
        if isinstance(value, list):
            return "[%s]" % ", ".join(map(_of_list, value))
        if isinstance(value, np.ndarray):
            first = ", ".join(_number(float(v)) for v in value.flatten()[:2])
            return "%s array [%s, ...]" % (value.shape, first)
        return _number(value)


class FindParams(_Record):
    """How an optimization was done."""


class FindResults(_Record):
    """What it found: per-iteration lists, and the images x0, best_xx, last_xx and majority_xx as float64 arrays."""

    def trim_arrays(self):
        """Replaces the arrays by the texts that stand for them in the small pickle."""
        for key, value in list(self.__dict__.items()):
            if isinstance(value, np.ndarray):
                self.__dict__[key] = "Trimmed %s" % self._shown(value)
