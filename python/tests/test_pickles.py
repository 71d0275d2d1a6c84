"""Pickles of the original script: Python 2's classes, protocol 2."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import deepvis

# As the original writes them, by the classes of its own module, which this process does not have.
WRITER = """
import pickle, sys, types
import numpy as np

package, module = types.ModuleType("optimize"), types.ModuleType("optimize.gradient_optimizer")
sys.modules.update({"optimize": package, "optimize.gradient_optimizer": module})
class FindParams(object): pass
class FindResults(object): pass
for kind in FindParams, FindResults:
    kind.__module__ = "optimize.gradient_optimizer"
    setattr(module, kind.__name__, kind)
params, results = FindParams(), FindResults()
params.push_layer, params.push_unit = "fc8", (130, 0, 0)
results.obj = [np.float32(1.5), np.float32(2.5)]
results.best_xx = np.arange(6, dtype=np.float64).reshape(1, 2, 3)
with open(sys.argv[1], "wb") as file:
    pickle.dump((params, results), file, protocol=int(sys.argv[2]))
"""


@pytest.mark.parametrize("protocol", [2, 3])
def test_the_originals_pickles_are_read(tmp_path, protocol):
    path = tmp_path / "info.pkl"
    subprocess.run([sys.executable, "-c", WRITER, path, str(protocol)], check=True)
    params, results = deepvis.load_results(path)
    assert "optimize" not in sys.modules
    assert type(params) is deepvis.FindParams and params.push_unit == (130, 0, 0)
    assert results.obj == [1.5, 2.5]
    assert np.array_equal(results.best_xx, np.arange(6.0).reshape(1, 2, 3))
    assert "push_layer: fc8" in str(params)


def test_nothing_in_a_pickle_is_run(tmp_path):
    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    path = tmp_path / "info.pkl"
    path.write_bytes(pickle.dumps((Harm(), Harm())))
    with pytest.raises(deepvis.ResultsError, match="mkdir"):
        deepvis.load_results(path)
    assert not (tmp_path / "harm").exists()


def test_what_is_no_pickle_is_told(tmp_path):
    with pytest.raises(deepvis.ResultsError, match="cannot read"):
        deepvis.load_results(tmp_path / "nothing.pkl")
    (tmp_path / "text.pkl").write_text("no pickle")
    with pytest.raises(deepvis.ResultsError, match="no result of deepvis"):
        deepvis.load_results(tmp_path / "text.pkl")


@pytest.mark.parametrize(
    "preset, shape",
    [("demo", (3, 64, 64)), ("fourier", (3, 64, 64)), ("olah-2017", (3, 64, 64)), ("maco", (3, 128, 128))],
)
@pytest.mark.parametrize("size", ["_info.pkl", "_info_big.pkl"])
def test_results_of_every_kind_are_read(model, tmp_path, preset, shape, size):
    result = model.optimize("fc7", 3, preset=preset, steps=2)
    _, results = deepvis.load_results(result.save(str(tmp_path / "opt")) + size)
    if size == "_info_big.pkl":
        assert results.last_xx.shape == shape and np.array_equal(results.last_xx, result.last)
        assert results.x0.size == result.z.size and not np.array_equal(results.x0.ravel(), result.z)
    assert len(results.obj) == 2
