"""What of a run's folder no longer is what was written does not count."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from made_runs import made_record

from al_bench.active.part import hash_of
from al_bench.files import read_json, write_json
from al_bench.storage.cycle import Cycle
from al_bench.storage.record import CorruptedError, record_sum
from al_bench.storage.store import RunStore
from al_bench.storage.whole import whole_cycles

IDENTITY, OTHER = {"part": "made.loop", "seed": 0}, {"part": "made.loop", "seed": 1}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written(tmp_path, IDENTITY)


def written(root: Path, identity: dict[str, object]) -> Path:
    folder = root / hash_of(identity)
    with RunStore(folder, identity, {"commit": "abc"}) as store:
        for index in range(3):
            record = made_record(index=index, metrics={"accuracy": 0.5})
            store.write(Cycle(record, {"labels": torch.arange(4)}, {"w": torch.zeros(100)}))
    return folder


def edit(folder: Path) -> None:
    path = folder / "cycles" / "002.json"
    path.write_text(path.read_text().replace("0.5", "0.987", 1))


def cut(folder: Path, name: str, size: int) -> None:
    path = folder / "cycles" / name
    path.write_bytes(path.read_bytes()[:size])


def flip(folder: Path) -> None:
    path = folder / "cycles" / "001.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")


def take_over(folder: Path, *names: str) -> None:
    other = written(folder.parent / "other", OTHER)
    for name in names:
        shutil.copy(other / name, folder / name)


def swap(folder: Path, one: str, other: str) -> None:
    cycles = folder / "cycles"
    for suffix in (".json", ".safetensors"):
        (cycles / f"{one}{suffix}").rename(cycles / "kept")
        (cycles / f"{other}{suffix}").rename(cycles / f"{one}{suffix}")
        (cycles / "kept").rename(cycles / f"{other}{suffix}")


def put_a_folder(folder: Path, name: str) -> None:
    (folder / "cycles" / name).unlink()
    (folder / "cycles" / name).mkdir()


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "an edited number": (edit, "does not hash to the sum"),
    "an emptied model": (lambda folder: cut(folder, "002.model.safetensors", 0), "last model"),
    "a truncated model": (lambda folder: cut(folder, "002.model.safetensors", 200), "last model"),
    "no tensors": (lambda folder: (folder / "cycles" / "001.safetensors").unlink(), "is missing"),
    "truncated tensors": (lambda folder: cut(folder, "001.safetensors", 40), "tensors"),
    "other tensors": (flip, "tensors"),
    "a cycle missing": (lambda folder: (folder / "cycles" / "001.json").unlink(), "is missing"),
    "half a record": (lambda folder: cut(folder, "001.json", 50), "not whole JSON"),
    "nothing in a record": (lambda folder: cut(folder, "001.json", 0), "not whole JSON"),
    "cycles in each other's place": (lambda folder: swap(folder, "001", "002"), "has cycle 2 in the place of cycle 1"),
    "a folder for a model": (lambda folder: put_a_folder(folder, "002.model.safetensors"), "last model"),
    "a folder for tensors": (lambda folder: put_a_folder(folder, "001.safetensors"), "is missing"),
    "another configuration": (lambda folder: take_over(folder, "config.json"), f"holds run {hash_of(OTHER)}"),
    "another's cycle": (
        lambda folder: take_over(folder, "cycles/001.json", "cycles/001.safetensors"),
        f"is of run {hash_of(OTHER)}",
    ),
    "no configuration": (lambda folder: (folder / "config.json").write_text("[]"), "holds no configuration"),
}


def test_what_was_written_counts(folder: Path) -> None:
    assert len(whole_cycles(folder, folder.name)) == 3


@pytest.mark.parametrize("name", DAMAGES)
def test_what_was_changed_does_not_count(folder: Path, name: str) -> None:
    damage, words = DAMAGES[name]
    damage(folder)
    with pytest.raises(CorruptedError, match=words):
        whole_cycles(folder, folder.name)


def test_the_content_of_a_model_is_not_read_and_one_that_was_removed_not_missed(folder: Path) -> None:
    path = folder / "cycles" / "002.model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    assert len(whole_cycles(folder, folder.name)) == 3
    path.unlink()
    assert len(whole_cycles(folder, folder.name)) == 3


def test_cycles_from_before_they_named_their_run_count(folder: Path) -> None:
    for path in (folder / "cycles").glob("*.json"):
        older = {key: value for key, value in read_json(path).items() if key not in ("run", "sha256_record")}
        write_json(path, {**older, "sha256_record": record_sum(older)})
        assert "run" not in json.loads(path.read_text())
    assert len(whole_cycles(folder, folder.name)) == 3
