"""The type stubs, against what is there and what a type checker makes of calls."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import deepvis

STUB = Path(deepvis.__file__).with_name("__init__.pyi")
CLASSES = {node.name: node for node in ast.parse(STUB.read_text()).body if isinstance(node, ast.ClassDef)}


def test_the_stub_names_what_the_package_has():
    functions = {node.name for node in ast.parse(STUB.read_text()).body if isinstance(node, ast.FunctionDef)}
    assert functions | set(CLASSES) - {"_Settings"} == set(deepvis.__all__) - {"__version__"}
    assert (STUB.parent / "py.typed").exists()


@pytest.mark.parametrize("name", ["Model", "Result", "Event", "Events"])
def test_the_stub_has_all_members(name):
    stated = {node.name for node in CLASSES[name].body if isinstance(node, ast.FunctionDef)}
    there = {member for member in vars(getattr(deepvis, name)) if not member.startswith("__") or member == "__next__"}
    assert stated - {"__iter__"} == there


def test_the_stub_has_all_settings():
    stated = {node.target.id for node in CLASSES["_Settings"].body}
    assert stated | {"objective", "seed", "every", "images"} == set(deepvis._deepvis._SETTINGS)
    load = next(node for node in ast.parse(STUB.read_text()).body if getattr(node, "name", "") == "load")
    assert {argument.arg for argument in load.args.kwonlyargs} == set(inspect.signature(deepvis.load).parameters) - {"net"}


def test_a_type_checker_knows_what_calls_give(tmp_path):
    pytest.importorskip("mypy", reason="mypy is not here, so the type stubs are not checked with it")
    program = """\
import deepvis
from deepvis.objectives import channel
model = deepvis.load("net.onnx", preprocess="torchvision")
reveal_type(model.optimize("fc7", 3, steps=2))
reveal_type(model.optimize("fc7", [3, 4], preset="fourier"))
reveal_type(model.optimize("fc7", "ring", seed=[0, 1]))
reveal_type(model.forward("photo.jpg", ["a", "b"]))
model.optimize(objective=channel("fc7", 3) - 2 * channel("fc7", 4))
for event in model.iterate("fc7", range(3), every=2):
    reveal_type(event.image)
model.optimize("fc7", 3, steps="four")
"""
    (tmp_path / "program.py").write_text(program)
    command = [sys.executable, "-m", "mypy", "--no-color-output", "--no-error-summary", "program.py"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout.splitlines()
    # How it spells arrays differs from version to version.
    expected = {4: '"deepvis.Result"', 5: '"list[deepvis.Result]"', 6: '"list[deepvis.Result]"', 7: "dict[str, ", 10: "ndarray["}
    for line, kind in expected.items():
        (told,) = [text for text in said if text.startswith("program.py:%d: note" % line)]
        assert kind in told, told
    errors = [text for text in said if ": error:" in text]
    assert errors and all(text.startswith("program.py:11:") for text in errors), said
