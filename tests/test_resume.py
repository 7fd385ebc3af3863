"""A run killed anywhere and started again ends as one that never was: selections, metrics, weights, artifacts."""

import json
import os
import signal
from pathlib import Path

import forked
import pytest
from safetensors.torch import load_file

CELL = (
    "strategy=asal_auto", "scale=smoke", "gan.iterations=60", "feature.epochs=8", "loop.max_cycles=3",
    "learner.epochs=4", "loop.observe_every=3", "keep_weights=all", "device=cpu",
)  # fmt: skip
CLOCKS = ("effort", "commit", "sha256_record")


def run(outputs, *trap):
    return forked.run(*CELL, f"paths.outputs={outputs}", trap=forked.Trap(*trap))


def results(outputs):
    """Everything that must be the same, by file name."""
    found = {}
    for path in sorted(Path(outputs).rglob("*")):
        name = path.relative_to(outputs).as_posix()
        if path.suffix == ".safetensors":
            found[name] = {key: tensor.numpy().tobytes() for key, tensor in load_file(path).items()}
        elif path.suffix == ".json" and "cycles" in name:
            found[name] = {key: value for key, value in json.loads(path.read_text()).items() if key not in CLOCKS}
            assert len(found[name]["observed"].pop("seconds")) == len(found[name]["observed"]["iteration"])
        elif path.suffix == ".json" and "artifacts" in name:
            found[name] = json.loads(path.read_text())["losses"]
    return found


@pytest.fixture(scope="module")
def uncut(tmp_path_factory):
    outputs = tmp_path_factory.mktemp("uncut")
    done = run(outputs)
    assert done.returncode == 0, done.stdout + done.stderr
    found = results(outputs)
    assert len([name for name in found if name.endswith("model.safetensors")]) == 4
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    "kills",
    [
        [("al_bench.gan.game.Game.step", 31, "before")],  # in the GAN's training, several checkpoints behind
        [("al_bench.gan.game.Game.step", 9, "before"), ("al_bench.gan.game.Game.step", 40, "before")],  # and once more
        [
            ("al_bench.storage.artifacts.write_json", 1, "before")
        ],  # an artifact's tensors are written, its record is not
        [("os.fsync", 7, "after")],  # in the middle of writing a file
        [("al_bench.training.classification.Classification.step", 10, "before")],  # in a later cycle's fit
        [("al_bench.strategy.asal.Asal.query", 2, "before")],
        [("al_bench.strategy.asal.Asal.query", 2, "after")],  # labels are bought, nothing of the cycle is stored
        [("al_bench.storage.store.write_json", 2, "before")],  # a cycle's tensors are written, its record is not
        [("al_bench.storage.store.write_json", 2, "after")],
    ],
    ids=lambda kills: "-".join(f"{target.rsplit('.', 1)[-1]}{number}{when}" for target, number, when in kills),
)
def test_killed_and_started_again(tmp_path, uncut, kills):
    for trap in kills:
        killed = run(tmp_path, *trap)
        assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    resumed = run(tmp_path)
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert results(tmp_path) == uncut


@pytest.mark.slow
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_cleanly_and_loses_nothing(tmp_path, uncut, signum):
    with forked.started(*CELL, f"paths.outputs={tmp_path}", "gan.iterations=100000") as process:
        process.await_words("making gan", "WganGp:")
        os.kill(process.pid, signum)
        assert process.wait() == 128 + signum
        said = process.stdout + process.stderr
    assert f"stopped by {signum.name}" in said
    assert "Traceback" not in said
