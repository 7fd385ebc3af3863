import dataclasses
import functools
import signal
import subprocess
import time

import forked
import pytest
import torch

from al_bench.active.part import describe
from al_bench.files import read_json, write_json
from al_bench.gan import Gan
from al_bench.storage.artifacts import Artifacts

SPEC = {"gan": {"iterations": 3}, "images": "abc"}


def made(value=1.0, calls=None):
    def make(scratch):
        if calls is not None:
            calls.append(scratch)
        return {"weight": torch.full((3,), value)}, {"loss": [value]}

    return make


def test_made_once_and_read_after(tmp_path):
    calls = []
    for _ in range(3):
        tensors = Artifacts(tmp_path).get("gan", SPEC, made(calls=calls))
        assert torch.equal(tensors["weight"], torch.ones(3))
    assert len(calls) == 1


def test_how_long_making_took_is_known_whenever_that_was(tmp_path):
    def make(scratch):
        time.sleep(0.05)
        return made()(scratch)

    first, again = Artifacts(tmp_path), Artifacts(tmp_path)
    began = time.monotonic()
    first.get("gan", SPEC, make)
    passed = time.monotonic() - began
    again.get("gan", SPEC, make)
    assert first.seconds == again.seconds
    assert 0.05 <= again.seconds["gan"] <= passed


def test_what_diverges_is_named(tmp_path):
    """A sentence about a loss alone would be taken for the learner's."""

    def fit(scratch):
        raise FloatingPointError("cross_entropy is nan at step 3")

    with pytest.raises(FloatingPointError, match=r"^the oracle, which is trained once: cross_entropy is nan at"):
        Artifacts(tmp_path).train_once("oracle", SPEC, torch.nn.Linear(2, 1), fit, torch.device("cpu"))
    assert not list(tmp_path.rglob("*.safetensors"))


def test_a_module_is_trained_once_and_comes_back_fixed(tmp_path):
    def fit(scratch):
        module = torch.nn.Linear(2, 1)
        torch.nn.init.ones_(module.weight)
        calls.append(scratch)
        return module, {"loss": [1.0]}

    calls = []
    for _ in range(2):
        module = Artifacts(tmp_path).train_once("gan", SPEC, torch.nn.Linear(2, 1), fit, torch.device("cpu"))
        assert torch.equal(module.weight, torch.ones(1, 2))
        assert not module.training and not any(parameter.requires_grad for parameter in module.parameters())
    assert len(calls) == 1


def test_another_configuration_is_another_artifact(tmp_path):
    artifacts = Artifacts(tmp_path)
    artifacts.get("gan", SPEC, made(1.0))
    assert artifacts.get("gan", {**SPEC, "images": "abd"}, made(2.0))["weight"][0] == 2
    assert artifacts.get("autoencoder", SPEC, made(3.0))["weight"][0] == 3
    assert artifacts.get("gan", dict(reversed(SPEC.items())), made(4.0))["weight"][0] == 1


@pytest.mark.parametrize("damage", ["truncated", "flipped", "no tensors", "record", "edited", "another's"])
def test_a_garbled_artifact_is_set_aside_and_made_anew(tmp_path, damage, caplog):
    Artifacts(tmp_path).get("gan", SPEC, made(1.0))
    (tensors,) = tmp_path.glob("gan/*.safetensors")
    record = tensors.with_suffix(".json")
    data = bytearray(tensors.read_bytes())
    if damage == "truncated":
        tensors.write_bytes(data[:-2])
    elif damage == "flipped":
        data[-1] ^= 1
        tensors.write_bytes(data)
    elif damage == "no tensors":
        tensors.unlink()
    elif damage == "edited":
        record.write_text(record.read_text().replace('"loss": [1.0]', '"loss": [0.5]'))
    elif damage == "another's":
        Artifacts(tmp_path / "other").get("gan", {**SPEC, "images": "abd"}, made(3.0))
        for path in (tmp_path / "other" / "gan").iterdir():
            path.rename(record.with_suffix(path.suffix))
    else:
        record.write_text(record.read_text()[:50])
    again = Artifacts(tmp_path).get("gan", SPEC, made(2.0))
    assert again["weight"][0] == 2
    assert "is corrupted: kept as" in caplog.text
    assert list(tmp_path.glob("gan/*.corrupted-1"))


def test_an_artifact_from_before_records_had_sums_counts(tmp_path):
    Artifacts(tmp_path).get("gan", SPEC, made(1.0))
    (path,) = tmp_path.glob("gan/*.json")
    write_json(path, {key: value for key, value in read_json(path).items() if key != "sha256_record"})
    assert Artifacts(tmp_path).get("gan", SPEC, made(2.0))["weight"][0] == 1


def test_a_failure_leaves_nothing_that_looks_made(tmp_path):
    def fail(scratch):
        raise FloatingPointError("loss is nan at step 3")

    with pytest.raises(FloatingPointError):
        Artifacts(tmp_path).get("gan", SPEC, fail)
    assert not list(tmp_path.glob("gan/*.json"))
    assert Artifacts(tmp_path).get("gan", SPEC, made())["weight"][0] == 1


JOB = f"""
import os, signal, sys, time
from pathlib import Path
import torch
from al_bench.storage.artifacts import Artifacts

folder, log, ending = sys.argv[1:]

def make(scratch):
    with Path(log).open("a") as file:
        file.write("made\\n")
    if ending == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(1)
    return {{"weight": torch.ones(2)}}, {{}}

assert Artifacts(Path(folder)).get("gan", {SPEC}, make)["weight"][0] == 1
"""


def start(*arguments):
    return subprocess.Popen([forked.python(), "-c", JOB, *map(str, arguments)], cwd=forked.ROOT)


def test_two_jobs_that_start_at_once_make_it_once(tmp_path):
    log = tmp_path / "log"
    jobs = [start(tmp_path / "artifacts", log, "slow") for _ in range(2)]
    assert [job.wait() for job in jobs] == [0, 0]
    assert log.read_text() == "made\n"


def test_a_killed_owner_does_not_hold_the_lock(tmp_path):
    log = tmp_path / "log"
    assert start(tmp_path, log, "killed").wait() == -signal.SIGKILL
    assert log.exists()
    assert Artifacts(tmp_path).get("gan", SPEC, made())["weight"][0] == 1


@dataclasses.dataclass(frozen=True)
class Part:
    size: int
    network: object
    trainer: object = dataclasses.field(default=None, metadata={"identity": False})


def test_a_description_says_all_that_was_configured_and_nothing_else():
    partial = functools.partial(torch.optim.Adam, lr=0.1, betas=(0.5, 0.9))
    described = describe(Part(3, partial, trainer=object()))
    assert described["size"] == 3
    assert described["network"] == {"part": "torch.Adam", "lr": 0.1, "betas": [0.5, 0.9]}
    assert "trainer" not in described
    assert describe(Part(4, partial)) != describe(Part(3, partial))


def test_what_cannot_be_described_is_refused():
    with pytest.raises(TypeError, match="cannot describe"):
        describe(Part(1, torch.nn.Linear(2, 2)))


def test_a_gans_identity_leaves_out_how_it_is_driven():
    (trainer,) = (field for field in dataclasses.fields(Gan) if field.name == "trainer")
    assert trainer.metadata["identity"] is False
