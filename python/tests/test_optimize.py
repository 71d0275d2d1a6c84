"""What Python gets, against what the command line writes."""

import io
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

import deepvis

FLAGS = ["optimize", "--model", "demo", "--backend", "flex", "--quiet"]


def files(folder):
    """Bytes of all files, without what says when it was done and how long it took."""
    found = {}
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        if path.name == "runs.jsonl":
            rows = [json.loads(line) for line in content.splitlines()]
            for row in rows:
                row.pop("seconds")
                row.pop("finished")
            content = rows
        found[path.name] = content
    return found


@pytest.mark.parametrize(
    "flags, settings",
    [
        (["--push-channel", "3", "--max-iter", "12"], {"channel": 3, "steps": 12}),
        (["--push-channel", "ring", "--max-iter", "5", "--rand-seed", "7"], {"channel": "ring", "steps": 5, "seed": 7}),
        (
            ["--push-channel", "3", "--max-iter", "6", "--preset", "paper-2", "--push-dir", "-1"],
            {"channel": 3, "steps": 6, "preset": "paper-2", "direction": -1},
        ),
        (
            "--push-channel 4 --max-iter 6 --decay 0.01 --lr-policy constant --lr-params {'lr':2.5}".split(),
            {"channel": 4, "steps": 6, "decay": 0.01, "lr_policy": "constant", "lr_params": {"lr": 2.5}},
        ),
        (
            "--push-channel 5 --max-iter 4 --preset fourier".split(),
            {"channel": 5, "steps": 4, "preset": "fourier"},
        ),
        (
            "--push-channel 5 --max-iter 3 --preset maco --crops 2".split(),
            {"channel": 5, "steps": 3, "preset": "maco", "crops": 2},
        ),
        (
            "--push-channel 5 --max-iter 3 --preset olah-2017 --size (48,40) --parameterization fourier --decay-power 0.7 "
            "--deviation 0.02 --colour none --optimizer rmsprop --learning-rate 0.02 --transforms none".split(),
            {
                "channel": 5, "steps": 3, "preset": "olah-2017", "size": (48, 40), "parameterization": "fourier",
                "decay_power": 0.7, "deviation": 0.02, "colour": "none", "optimizer": "rmsprop", "learning_rate": 0.02,
                "transforms": "none",
            },
        ),
    ],
)
def test_saved_files_are_the_command_lines_to_the_byte(model, command, tmp_path, flags, settings):
    done = command(*FLAGS, "--push-layer", "fc7", *flags, "--output-prefix", "cli/opt", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = model.optimize("fc7", **settings)
    stem = result.save(str(tmp_path / "python" / "opt"))
    assert os.path.exists(stem + "_info.txt")
    assert files(tmp_path / "python") == files(tmp_path / "cli")


def test_the_picture_is_what_the_files_show(model, tmp_path):
    result = model.optimize("fc7", 3, steps=8, preset="fourier")
    stem = result.save(str(tmp_path / "opt"))
    shown = np.asarray(Image.open(stem + "_image.png"))
    assert result.image.dtype == np.uint8 and result.image.shape == (64, 64, 3)
    assert np.array_equal(result.image, shown)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(result._repr_png_()))), shown)
    assert result.objectives.shape == (8,) and result.objective == result.objectives[-1]
    assert result.image.std() > 1


def test_a_picture_of_fixed_magnitude_is_as_opaque_as_the_files(model, tmp_path):
    result = model.optimize("fc7", 3, steps=4, preset="maco", crops=2)
    shown = np.asarray(Image.open(result.save(str(tmp_path / "opt")) + "_image.png"))
    assert shown.shape == (128, 128, 4)
    assert np.array_equal(result.image, shown[..., :3]) and np.array_equal(result.opacity, shown[..., 3])
    assert model.optimize("fc7", 3, steps=1).opacity is None


def test_the_best_image_is_the_pickles(model, tmp_path):
    result = model.optimize("fc7", 3, steps=8)
    params, results = deepvis.load_results(result.save(str(tmp_path / "opt")) + "_info_big.pkl")
    assert np.array_equal(result.best, results.best_xx)
    assert np.array_equal(result.last.ravel(), result.z)
    assert np.array_equal(result.objectives, np.array(results.obj))
    assert params.push_channel == 3 and result.label == "triangle"


def test_units_together_find_what_each_finds_alone(model):
    together = model.optimize("fc7", [3, "ring", 9], steps=6)
    assert [found.channel for found in together] == [3, 1, 9]
    for found in together:
        alone = model.optimize("fc7", found.channel, steps=6)
        assert np.array_equal(alone.z, found.z) and np.array_equal(alone.image, found.image)
    # A batch of two and one more, and a range.
    split = model.optimize("fc7", [3, 1, 9], steps=6, batch_size=2)
    assert all(np.array_equal(a.z, b.z) for a, b in zip(split, together))
    assert len(model.optimize("fc7", range(4), steps=1)) == 4


def test_seeds_are_of_the_unit(model):
    first, second = model.optimize("fc7", 3, steps=2, seed=[0, 1])
    assert (first.seed, second.seed) == (0, 1)
    assert not np.array_equal(first.z, second.z)


def test_events_come_while_it_climbs(model):
    events = model.iterate("fc7", 3, steps=7, every=3)
    with pytest.raises(RuntimeError):
        events.results
    seen = list(events)
    assert [event.iteration for event in seen] == [0, 3, 6]
    assert all(event.image.shape == (64, 64, 3) for event in seen)
    (result,) = events.results
    assert [event.objective for event in seen] == [float(result.objectives[i]) for i in (0, 3, 6)]
    assert np.array_equal(result.z, model.optimize("fc7", 3, steps=7).z)


def test_an_iteration_that_nobody_follows_ends(model):
    before = threading.active_count()
    events = model.iterate("fc7", 3, steps=1_000_000, images=False)
    assert next(events).image is None
    events.stop()
    assert list(events) == []
    assert threading.active_count() == before


def test_the_interpreter_is_free_meanwhile(model):
    ticks = []
    done = threading.Event()

    def count():
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.002)

    thread = threading.Thread(target=count)
    thread.start()
    begun = time.monotonic()
    # Not the main thread's business: progress is told of at most every 50 ms.
    model.optimize("fc7", 3, steps=150)
    ended = time.monotonic()
    done.set()
    thread.join()
    meanwhile = [tick for tick in ticks if begun < tick < ended]
    assert len(meanwhile) > 5


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize("call", ["model.optimize('fc7', 3, steps=10_000_000)", "list(model.iterate('fc7', 3, steps=10_000_000))"])
def test_ctrl_c_stops(call):
    program = (
        "import deepvis\nmodel = deepvis.load('demo', backend='cpu')\nprint('ready', flush=True)\n"
        "try:\n    %s\nexcept KeyboardInterrupt:\n    print('stopped', flush=True)\n" % call
    )
    python = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert python.stdout.readline() == "ready\n"
    time.sleep(1)
    python.send_signal(signal.SIGINT)
    said, _ = python.communicate(timeout=30)
    assert said == "stopped\n" and python.returncode == 0


def test_progress_is_told(model, capfd):
    told = []
    model.optimize("fc7", 3, steps=5, progress=lambda *seen: told.append(seen))
    assert told[-1][:4] == (0, 1, 5, 5)
    model.optimize("fc7", 3, steps=5, progress=True)
    told_on = capfd.readouterr().err
    assert "iteration 5 of 5" in told_on and told_on.endswith("\n")

    class Refuses:
        is_closed = False

        def __call__(self, *_):
            raise ZeroDivisionError

        def close(self):
            self.is_closed = True

    refusing = Refuses()
    with pytest.raises(ZeroDivisionError):
        model.optimize("fc7", 3, steps=5, progress=refusing)
    assert refusing.is_closed



def test_results_are_not_overwritten_unless_asked(model, tmp_path):
    result = model.optimize("fc7", 3, steps=2)
    result.save(str(tmp_path / "opt"))
    with pytest.raises(deepvis.ResultsError, match="exists already"):
        result.save(str(tmp_path / "opt"))
    result.save(str(tmp_path / "opt"), overwrite=True)
    rows = deepvis.runs(tmp_path)
    assert [row["push_channel"] for row in rows] == [3, 3]
    assert rows[0]["best_obj"] == pytest.approx(float(result.objective))
    with pytest.raises(deepvis.ResultsError):
        deepvis.runs(tmp_path / "nowhere")


def test_objectives_are_text_or_operators(model, command, tmp_path):
    from deepvis.objectives import channel, diversity

    by_text = model.optimize(objective='channel("fc7", 3) + 2 * channel("fc7", "ring")', steps=3)
    by_operators = model.optimize(objective=channel("fc7", 3) + 2 * channel("fc7", "ring"), steps=3)
    assert np.array_equal(by_text.z, by_operators.z)
    assert not np.array_equal(by_text.z, model.optimize(objective=channel("fc7", 3), steps=3).z)
    images = model.optimize(objective=channel("conv5", 7) - 10 * diversity("conv5"), steps=2, seed=[0, 1])
    assert [image.seed for image in images] == [0, 1]
    done = command(
        *FLAGS, "--objective", "channel(fc7, 3) + 2 * channel(fc7, ring)", "--max-iter", 3,
        "--output-prefix", "cli/opt", cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    by_operators.save(str(tmp_path / "python" / "opt"))
    assert files(tmp_path / "python") == files(tmp_path / "cli")


@pytest.mark.parametrize(
    "arguments, settings, kind, text",
    [
        (("fc7", 1000), {}, deepvis.UnitError, 'channel 1000: layer "fc7" has'),
        (("fc9", 0), {}, deepvis.LayerError, 'the network has no layer "fc9"; did you mean'),
        (("fc7", "rong"), {}, deepvis.UnitError, "did you mean ring"),
        (("fc7", -1), {}, deepvis.UnitError, r"channel -1: .* \(from 0 to 31\)"),
        (("fc7", 1.5), {}, TypeError, "a channel is a number"),
        (("fc7", 3), {"seed": -1}, deepvis.SettingError, "seed -1"),
        (("fc7", 3), {"seed": [0, 2**32]}, deepvis.SettingError, "seed 4294967296"),
        (("fc7", 3), {"batch_size": 0}, deepvis.SettingError, "batch_size"),
        (("fc7", 3), {"precision": "float16"}, deepvis.SettingError, "float16"),
        (("fc7", 3), {"steps": 0}, deepvis.SettingError, "0 iterations"),
        (("fc7", 3), {"preset": "forier"}, deepvis.SettingError, "did you mean"),
        (("fc7", 3), {"at": (0, 5)}, deepvis.UnitError, r"position \(0,5\)"),
        (("fc7", 3), {"preset": "fourier", "decay": 0.1}, deepvis.SettingError, "regularizers"),
        (("fc7", 3), {"preset": "fourier", "crops": 3}, deepvis.SettingError, "crops: it goes with the presets maco and accentuate"),
        (("fc7", 3), {"preset": "fourier", "optimizer": "adm"}, deepvis.SettingError, "did you mean adam"),
        (("fc7", 3), {"learning_rate": 1.0}, deepvis.SettingError, "learning_rate: it goes with the presets fourier"),
        (("fc7", 3), {"preset": "fourier", "lr_params": 1.0}, deepvis.SettingError, "recipes of 2015|2015 recipes"),
        (("fc7", 3), {"stpes": 4}, TypeError, "did you mean .*steps"),
        (("fc7", 3), {"steps": "four"}, TypeError, "steps"),
        ((), {}, TypeError, "a layer and a channel"),
        ((), {"objective": "chanel(fc7, 3)"}, deepvis.SettingError, "channel"),
    ],
)
def test_mistakes_are_told(model, arguments, settings, kind, text):
    with pytest.raises(kind, match=text):
        model.optimize(*arguments, **settings)
    assert issubclass(deepvis.UnitError, deepvis.Error) and issubclass(deepvis.LayerError, deepvis.Error)
