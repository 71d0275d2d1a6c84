"""Reads the pickles of deepvis and of the original script."""

import pickle


def _number(value):
    """str() as Python 2 and NumPy 1 had it: 6 significant digits for float32, 12 for float."""
    import numpy as np

    if isinstance(value, np.float32):
        text = "%.6g" % value
    elif isinstance(value, float):
        text = "%.12g" % value
    else:
        return str(value)
    return text + ".0" if text.lstrip("-").isdigit() else text


class _Record(object):
    """Attributes that print one a line, sorted, long lists and arrays shortened."""

    def __str__(self):
        lines = [type(self).__name__ + ":"]
        for key in sorted(self.__dict__):
            lines.append("%30s: %s" % (key, self._shown(self.__dict__[key])))
        return "\n".join(lines) + "\n"

    @staticmethod
    def _shown(value):
        import numpy as np

        if isinstance(value, list) and len(value) > 4:
            first, last = value[:2], value[-2:]
            return "[%s, ..., %s]" % (", ".join(map(_number, first)), ", ".join(map(_number, last)))
        if isinstance(value, np.ndarray):
            first = ", ".join(_number(float(v)) for v in value.flatten()[:2])
            return "%s array [%s, ...]" % (value.shape, first)
        return _number(value)


class FindParams(_Record):
    """How an optimization was done."""


class FindResults(_Record):
    """What it found: per-iteration lists, and the images x0, best_xx, last_xx and majority_xx as float64 arrays."""


# What such pickles are made of. A pickle can name any function of any module, and calls it while it is read: no others.
_CLASSES = {"FindParams": FindParams, "FindResults": FindResults}
_NUMPY = {
    ("multiarray", "_reconstruct"),
    ("multiarray", "scalar"),
    ("numeric", "_frombuffer"),
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if name in _CLASSES and module.split(".")[-1] == "gradient_optimizer":
            return _CLASSES[name]
        import numpy as np

        if module == "numpy" and name in ("ndarray", "dtype", "float32", "float64", "int64", "int32", "bool_"):
            return getattr(np, name)
        if module.startswith(("numpy.core.", "numpy._core.")) and (module.split(".")[-1], name) in _NUMPY:
            core = getattr(np, "_core", None) or np.core
            return getattr(getattr(core, module.split(".")[-1]), name)
        if (module, name) == ("_codecs", "encode"):
            import codecs

            return codecs.encode
        if module in ("copyreg", "copy_reg") and name == "_reconstructor":
            import copyreg

            return copyreg._reconstructor
        if module in ("builtins", "__builtin__") and name in ("object", "set", "frozenset", "slice", "range", "xrange"):
            return {"object": object, "set": set, "frozenset": frozenset, "slice": slice}.get(name, range)
        raise pickle.UnpicklingError("no result of deepvis holds %s.%s" % (module, name))


def load_results(path):
    """Reads an ``info.pkl`` or ``info_big.pkl``, of deepvis or of the original script (Python 2, protocol 2), as a pair of
    :class:`FindParams` and :class:`FindResults`; nothing in it is run, and no package ``optimize`` is needed.

    >>> import tempfile
    >>> model = deepvis.load("demo")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = model.optimize("fc7", 3, steps=3).save(folder + "/opt")
    ...     params, results = deepvis.load_results(files + "_info_big.pkl")
    >>> params.push_layer, params.push_channel, len(results.obj), results.best_xx.shape
    ('fc7', 3, 3, (3, 64, 64))
    """
    from ._deepvis import ResultsError

    try:
        with open(path, "rb") as file:
            params, results = _Unpickler(file, encoding="latin1").load()
    except OSError as error:
        raise ResultsError("cannot read %s: %s" % (path, error.strerror)) from error
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, IndexError, KeyError) as error:
        raise ResultsError("%s is no result of deepvis: %s" % (path, error)) from error
    return params, results
