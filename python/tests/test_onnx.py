"""ONNX networks and PyTorch modules: values and gradients against PyTorch's."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import deepvis

CASES = Path(os.environ.get("DEEPVIS_SHARED", "../shared")) / "onnx" / "cases"

needs_cases = pytest.mark.skipif(
    not CASES.is_dir(), reason="../shared/onnx/cases is not here, so ONNX networks are not held against PyTorch's files"
)


def error(found, expected):
    """The largest difference, as a part of the largest entry."""
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def targets(name):
    """What PyTorch gave at inner layers of a case: the layer's name, the unit, the value, the gradient."""
    folder = CASES / name
    case = json.loads((folder / "case.json").read_text())
    for target in case["targets"]:
        if target["value"]:
            value, gradient = np.load(folder / target["values_file"]), np.load(folder / target["gradient_file"])
            yield target["module"] or target["value"], tuple(target["unit"]), value, gradient, case["tolerance_rel"]


@needs_cases
@pytest.mark.parametrize("name", ["resnet_basic_ts17", "resnet_basic_dynamo18", "mobilenet_v3_dynamo18", "convnext_ts17", "attention_ts17"])
def test_values_and_gradients_are_pytorchs(name):
    image = np.load(CASES / name / "input.npy")
    model = deepvis.load(CASES / name / "model.onnx", backend="cpu")
    judged = 0
    for layer, unit, value, gradient, tolerance in targets(name):
        assert error(model.forward(image, layer), value) <= tolerance, layer
        assert error(model.gradient(image, layer, unit), gradient) <= tolerance, layer
        judged += 1
    assert judged >= 4
    # Without a layer, it is the network's output, whatever constants the exporter wrote beside it.
    assert error(model.forward(image), np.load(CASES / name / "output.npy")) <= tolerance
    # Three images together are what each is alone.
    batch = np.concatenate([image, 0.5 * image, image])
    gradients = model.gradient(batch, layer, unit)
    assert error(gradients[2:], gradient) <= tolerance and error(gradients[1:2], gradient) > tolerance


def network(folder):
    """A case's network beside the working directory, of three channels."""
    path = folder / "net.onnx"
    path.write_bytes((CASES / "resnet_basic_ts17" / "model.onnx").read_bytes())
    return path


@needs_cases
def test_a_picture_is_prepared_as_the_scheme_says(tmp_path):
    path = network(tmp_path)
    pixels = np.random.RandomState(0).randint(0, 256, (48, 48, 3), dtype=np.uint8)
    # torchvision.transforms.ToTensor and Normalize, with ImageNet's numbers.
    planes = pixels.transpose(2, 0, 1) / 255.0
    mean, std = (np.array(numbers).reshape(3, 1, 1) for numbers in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    prepared = {
        "torchvision": (planes - mean) / std,
        "keras-tf": planes * 2 - 1,
        "none": planes * 255,
        # keras.applications' mode "caffe".
        "caffe": (planes * 255 - np.array([123.68, 116.779, 103.939]).reshape(3, 1, 1))[::-1],
    }
    values = {}
    for scheme, planes_of_scheme in prepared.items():
        model = deepvis.load(path, preprocess=scheme, backend="cpu")
        assert not any("torchvision's way is assumed" in warning for warning in model.warnings)
        values[scheme] = model.forward(pixels, "layer1")
        assert error(values[scheme], model.forward(planes_of_scheme, "layer1")) < 1e-5, scheme
    assert error(values["caffe"], values["none"]) > 0.01
    # What is assumed where nothing is said; and its parts by themselves.
    assumed = deepvis.load(path, backend="cpu")
    assert any("torchvision's way is assumed" in warning for warning in assumed.warnings)
    assert np.array_equal(assumed.forward(pixels, "layer1"), values["torchvision"])
    parts = deepvis.load(
        path, mean=(123.675, 116.28, 103.53), std=[58.395, 57.12, 57.375], channel_swap=(0, 1, 2), backend="cpu"
    )
    assert np.array_equal(parts.forward(pixels, "layer1"), values["torchvision"])
    other_words = deepvis.load(path, mean=127.5, scale=1 / 127.5, channel_order="rgb", backend="cpu")
    assert error(other_words.forward(pixels, "layer1"), values["keras-tf"]) < 1e-6
    replaced = deepvis.load(path, preprocess="keras-tf", channel_order="bgr", backend="cpu")
    assert error(replaced.forward(pixels, "layer1"), replaced.forward(prepared["keras-tf"][::-1], "layer1")) < 1e-5
    to_1 = deepvis.load(path, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), channel_order="rgb", backend="cpu")
    assert any("multiply mean and standard deviation" in warning for warning in to_1.warnings)
    # A gradient with respect to pixels is the other's, divided by the deviation.
    at = ("layer1", (3, 6, 6))
    by_pixel, by_entry = assumed.gradient(pixels, *at), assumed.gradient(prepared["torchvision"], *at)
    assert error(by_pixel * 255 * std, by_entry) < 1e-5


@needs_cases
@pytest.mark.parametrize("flags, settings", [([], {}), (["--preprocess", "keras-tf"], {"preprocess": "keras-tf"})])
def test_saved_files_are_the_command_lines(command, tmp_path, flags, settings):
    path = network(tmp_path)
    words = "optimize net.onnx --push-layer layer4 --push-channel 5 --max-iter 4 --preset fourier --backend flex --quiet".split()
    done = command(*words, *flags, "--output-prefix", "cli/opt", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = deepvis.load(path, backend="cpu", **settings).optimize("layer4", 5, steps=4, preset="fourier")
    assert Path(result.save(str(tmp_path / "python" / "opt")) + "_image.png").exists()
    for name in ("image.png", "info.txt", "info_big.pkl"):
        (ours,), (theirs,) = (list((tmp_path / place).glob("*_" + name)) for place in ("python", "cli"))
        assert ours.name == theirs.name and ours.read_bytes() == theirs.read_bytes(), name


@needs_cases
@pytest.mark.parametrize(
    "settings, kind, text",
    [
        ({"preprocess": "pytorch"}, deepvis.SettingError, 'preprocess "pytorch": it is one of torchvision, caffe'),
        ({"std": 0}, deepvis.SettingError, "std 0.0: each must be a finite number above 0"),
        ({"std": (1, 2)}, deepvis.LayerError, "the input's standard deviation has 2 values"),
        ({"scale": "much"}, deepvis.SettingError, "scale much"),
        ({"std": 2, "scale": 0.5}, deepvis.SettingError, "std and scale say the same thing"),
        ({"channel_order": "gbr"}, deepvis.SettingError, 'channel_order "gbr": it is rgb or bgr'),
        ({"channel_order": "rgb", "channel_swap": (0, 1, 2)}, deepvis.SettingError, "say the same thing"),
        ({"channel_swap": (0, 1)}, deepvis.SettingError, "red, green and blue"),
    ],
)
def test_what_is_no_preprocessing_is_told(settings, kind, text):
    with pytest.raises(kind, match=text):
        deepvis.load(CASES / "resnet_basic_ts17" / "model.onnx", **settings).forward(np.zeros((48, 48, 3), np.uint8), "fc")


@needs_cases
def test_one_file_of_an_onnx_network(command, tmp_path):
    network(tmp_path)
    assert command("import", "net.onnx", "-o", "net.bpk", cwd=tmp_path).returncode == 0
    image = np.load(CASES / "resnet_basic_ts17" / "input.npy")
    found = [deepvis.load(tmp_path / name, backend="cpu").forward(image, "fc") for name in ("net.onnx", "net.bpk")]
    assert np.array_equal(*found)


@pytest.mark.parametrize(
    "layer, unit, text",
    [
        ("fc7", 32, r'unit 32: layer "fc7" has shape \[1, 32\]'),
        ("fc7", -1, "unit -1"),
        ("fc7", "rong", "did you mean ring"),
        ("conv3", 3, r'unit 3: layer "conv3" has shape \[1, 64, 16, 16\]'),
        ("conv3", (3, 8, 16), r"unit \(3, 8, 16\)"),
        ("conv3", (3, 8), r"unit \(3, 8\)"),
        ("conv3", (1, 1, 1, 1), r"unit \(1, 1, 1, 1\)"),
        ("conv3", 1.5, "unit 1.5"),
    ],
)
def test_units_that_are_not_there(model, layer, unit, text):
    with pytest.raises(deepvis.UnitError, match=text):
        model.gradient(np.zeros((3, 64, 64)), layer, unit)


def test_a_gradient_is_the_command_lines(model, command, tmp_path):
    image = np.random.RandomState(3).normal(0, 50, (3, 64, 64)).astype(np.float32)
    np.save(tmp_path / "x.npy", image)
    words = "forward demo --input x.npy --layer conv3 --unit 5,7,7 --output-dir out --backend flex".split()
    assert command(*words, cwd=tmp_path).returncode == 0
    expected = np.load(tmp_path / "out" / "input_gradient.npy")
    assert expected.std() > 0 and np.array_equal(model.gradient(image, "conv3", (5, 7, 7)), expected)
    ring = model.gradient(image, "fc7", "ring")
    assert np.array_equal(ring, model.gradient(image, "fc7", (1,))) and not np.array_equal(ring, model.gradient(image, "fc7", 2))


@pytest.fixture(scope="module")
def torch():
    pytest.importorskip("onnx", reason="onnx is not here, so from_torch is not tried")
    return pytest.importorskip("torch", reason="torch is not here, so from_torch is not tried")


def module(torch):
    """A small network with named parts, a residual and a batch normalization with statistics of its own."""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.bn, self.relu = nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU()

        def forward(self, x):
            return self.relu(x + self.bn(self.conv(x)))

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.layer1, self.layer2 = nn.Conv2d(3, 6, 3, stride=2), Block(), Block()
            self.pool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(6, 5)

        def forward(self, x):
            return self.fc(self.pool(self.layer2(self.layer1(self.stem(x)))).flatten(1))

    torch.manual_seed(0)
    net = Net()
    # Statistics that are not 0 and 1.
    net.train()
    for _ in range(3):
        net(torch.randn(4, 3, 21, 23) * 2 + 1)
    return net


def test_from_torch_is_torch(torch, tmp_path):
    net = module(torch)
    image = torch.randn(1, 3, 21, 23)
    model = deepvis.from_torch(net, image, preprocess="torchvision", backend="cpu")
    assert net.training and model.name == "Net" and model.warnings == []
    net.eval()
    for layer in ["layer1.conv", "layer1.bn", "layer1", "layer2", "layer2.relu", "fc"]:
        seen = {}
        hook = net.get_submodule(layer).register_forward_hook(lambda _, __, value: seen.update(value=value))
        given = image.clone().requires_grad_()
        net(given)
        hook.remove()
        value = seen["value"].detach().numpy()
        # One that no ReLU cuts off.
        unit = tuple(int(index) for index in np.unravel_index(value[0].argmax(), value[0].shape))
        seen["value"][(0, *unit)].backward()
        assert error(model.forward(image.numpy(), layer), value) < 1e-5, layer
        assert error(model.gradient(image.numpy(), layer, unit), given.grad.numpy()) < 1e-5, layer
    # Units climb together, whatever the example's batch was.
    together = model.optimize("layer2", [1, 2], steps=3, preset="fourier")
    alone = model.optimize("layer2", 2, steps=3, preset="fourier")
    assert np.array_equal(together[1].z, alone.z)
    batch = torch.randn(3, 3, 21, 23)
    assert error(model.forward(batch.numpy(), "fc"), net(batch).detach().numpy()) < 1e-5


@pytest.mark.parametrize("exporter", [0, 1])
def test_either_exporter_gives_the_network(torch, monkeypatch, exporter):
    from deepvis import _torch

    if exporter == 1:
        pytest.importorskip("onnxscript", reason="onnxscript is not here, so PyTorch's newer exporter is not tried")
    one = list(_torch._exporters(torch))[exporter]
    monkeypatch.setattr(_torch, "_exporters", lambda _: [one])
    net, batch = module(torch), torch.randn(3, 3, 21, 23)
    model = deepvis.from_torch(net, batch[:1], backend="cpu")
    net.eval()
    normalized = net.layer1.bn(net.layer1.conv(net.stem(batch)))
    for layer, expected in [("layer1.bn", normalized), ("layer2", net.layer2(net.layer1(net.stem(batch))))]:
        assert error(model.forward(batch.numpy(), layer), expected.detach().numpy()) < 1e-5, layer


def test_attention_is_exported(torch):
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.patches = torch.nn.Conv2d(3, 8, 4, stride=4)
            self.attention = torch.nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x):
            tokens = self.patches(x).flatten(2).transpose(1, 2)
            return self.attention(tokens, tokens, tokens, need_weights=False)[0].mean(1)

    torch.manual_seed(1)
    net, batch = Net(), torch.randn(2, 3, 16, 16)
    before = torch.backends.mha.get_fastpath_enabled()
    found = deepvis.from_torch(net, batch[:1], backend="cpu").forward(batch.numpy())
    assert torch.backends.mha.get_fastpath_enabled() == before
    assert error(found, net.eval()(batch).detach().numpy()) < 1e-5


def test_parts_stay_in_the_mode_they_were_in(torch):
    net = module(torch)
    net.layer1.bn.eval()
    before = [part.training for part in net.modules()]
    assert True in before and False in before
    deepvis.from_torch(net, torch.zeros(1, 3, 21, 23))
    assert [part.training for part in net.modules()] == before


def test_a_module_that_cannot_be_exported_is_torchs_error(torch):
    class Odd(torch.nn.Module):
        def forward(self, x):
            raise ZeroDivisionError("odd")

    odd = Odd().train()
    with pytest.raises(deepvis.ModelError, match="PyTorch cannot export Odd: ZeroDivisionError: odd"):
        deepvis.from_torch(odd, torch.zeros(1, 3, 8, 8))
    assert odd.training
    with pytest.raises(deepvis.SettingError, match=r"example of shape \[3, 8, 8\]"):
        deepvis.from_torch(odd, torch.zeros(3, 8, 8))
    with pytest.raises(TypeError, match="torch.nn.Module"):
        deepvis.from_torch("net.pt", torch.zeros(1, 3, 8, 8))
