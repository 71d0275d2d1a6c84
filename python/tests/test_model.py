"""Networks, against the command line's answers."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import deepvis


def test_the_table_has_every_layer(model):
    shown = repr(model).splitlines()
    assert len(shown) == 1 + len(model.layers)
    facts = {layer["name"]: layer for layer in model.layers}
    assert facts["fc7"]["tops"] == ["fc7"] and facts["fc7"]["problem"] is None
    assert len(model.labels("fc7")) == facts["fc7"]["shapes"][0][1]
    assert model.labels("conv3") == []


def test_forward_is_the_command_lines(model, command, tmp_path):
    pixels = np.random.RandomState(0).randint(0, 256, (80, 100, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    done = command(
        "forward", "demo", "--input", "photo.png", "--layer", "fc7", "--output-dir", "out", "--backend", "flex", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    expected = np.load(tmp_path / "out" / "output.npy")
    assert expected.std() > 0
    for image in [pixels, tmp_path / "photo.png", Image.fromarray(pixels)]:
        found = model.forward(image, "fc7")
        assert found.dtype == np.float32 and np.array_equal(found, expected)


def test_a_batch_is_its_images(model):
    batch = np.random.RandomState(1).normal(0, 50, (3, 3, 64, 64))
    together = model.forward(batch, ["conv3", "fc7"])
    assert set(together) == {"conv3", "fc7"} and together["fc7"].shape[0] == 3
    for image, values in zip(batch, together["fc7"]):
        assert np.allclose(model.forward(image, "fc7")[0], values, rtol=1e-5, atol=1e-5)
    # Without a layer it is the last: probabilities.
    assert np.allclose(model.forward(batch).sum(axis=1), 1, atol=1e-5)


def test_classify_ranks_what_forward_gives(model):
    pixels = np.random.RandomState(2).randint(0, 256, (64, 64, 3), dtype=np.uint8)
    values = model.forward(pixels)[0]
    ranked = model.classify(pixels, top=3)
    assert [channel for _, channel, _ in ranked] == list(np.argsort(-values, kind="stable")[:3])
    assert ranked[0] == (float(values.max()), int(values.argmax()), model.labels()[int(values.argmax())])


@pytest.mark.parametrize(
    "images, kind, text",
    [
        (np.zeros((3, 32, 32)), deepvis.SettingError, r"\[3, 32, 32\]"),
        (np.zeros((2, 4, 4, 3), np.uint8), deepvis.SettingError, "no picture"),
        (np.zeros((4, 4, 5), np.uint8), deepvis.SettingError, "no picture"),
        ("nowhere.png", deepvis.ModelError, "nowhere.png"),
        (object(), TypeError, "float"),
    ],
)
def test_what_is_no_image_is_refused(model, images, kind, text):
    with pytest.raises(kind, match=text):
        model.forward(images, "fc7")


def test_models_that_cannot_be_had(tmp_path):
    with pytest.raises(deepvis.ModelError, match="there is no such folder"):
        deepvis.load("no-such-model")
    with pytest.raises(deepvis.ModelError, match="deepvis fetch squeezenet-v1.1"):
        deepvis.load("squeezenet-v1.1")
    damaged = tmp_path / "net.bpk"
    damaged.write_bytes(b"no network")
    with pytest.raises(deepvis.ModelError):
        deepvis.load(damaged)
    with pytest.raises(deepvis.SettingError, match="backend"):
        deepvis.load("demo", backend="abacus")
    with pytest.raises(deepvis.SettingError, match="red, green and blue"):
        deepvis.load("demo", channel_swap=(0, 1))


def test_the_command_is_the_command_line(command, tmp_path):
    assert command("--version").stdout == "deepvis %s\n" % deepvis.__version__
    mistake = command("optimize", "--model", "demo", "--push-layer", "nothing", cwd=tmp_path)
    assert mistake.returncode == 2 and 'no layer "nothing"' in mistake.stderr
    as_module = subprocess.run([sys.executable, "-m", "deepvis", "--version"], capture_output=True, text=True)
    assert as_module.stdout == command("--version").stdout
