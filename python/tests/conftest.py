import subprocess
import sys
from pathlib import Path

import pytest

import deepvis


@pytest.fixture(scope="session")
def model():
    return deepvis.load("demo", backend="cpu")


@pytest.fixture(scope="session")
def command():
    """Runs the wheel's command line."""
    program = Path(sys.executable).parent / "deepvis"

    def run(*arguments, cwd=None):
        words = [str(program), *map(str, arguments)]
        return subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=300)

    return run
