"""The examples of the package's documentation."""

import doctest
import importlib
import inspect

import pytest

import deepvis

EXAMPLES = doctest.DocTestParser()


@pytest.mark.parametrize("name", ["deepvis", "deepvis.objectives", "deepvis._pickles"])
def test_examples_hold(name):
    module = importlib.import_module(name)
    found = doctest.testmod(module, extraglobs={"deepvis": deepvis}, optionflags=doctest.ELLIPSIS)
    assert found.attempted > 0 and found.failed == 0


def compiled():
    """What doctest does not find by itself: documentation of compiled classes and functions."""
    for name, value in vars(deepvis._deepvis).items():
        if inspect.isclass(value) and not issubclass(value, Exception):
            yield name, value.__doc__
            for member, inner in vars(value).items():
                if not member.startswith("_"):
                    yield "%s.%s" % (name, member), inner.__doc__
        elif callable(value) and name in deepvis.__all__:
            yield name, value.__doc__


@pytest.mark.parametrize("name, text", list(compiled()))
def test_examples_of_compiled_parts_hold(name, text):
    assert text, name + " has no documentation"
    examples = EXAMPLES.get_doctest(text, {"deepvis": deepvis}, name, None, None)
    failed, _ = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(examples)
    assert failed == 0


def test_there_are_examples_of_the_main_calls():
    shown = {name for name, text in compiled() if ">>>" in (text or "")}
    assert {"Model.optimize", "Model.iterate", "Model.forward", "Model.classify", "Result.save", "runs"} <= shown
