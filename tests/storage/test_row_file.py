"""Rows that are written batch by batch: what is kept of a file that ends somewhere, and what is refused."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from al_bench.errors import UserError
from al_bench.storage.artifacts import Artifacts
from al_bench.storage.row_file import empty_rows, read_rows, sum_of, write_rows

SHAPE, BATCH = (10, 3), 4
ROWS = torch.arange(30.0).reshape(SHAPE)


def write(path: Path) -> list[int]:
    """Where batches were asked for."""
    asked = []

    def compute(parts: Sequence[Tensor]) -> Iterator[Tensor]:
        for part in parts:
            asked.append(int(part[0]))
            yield ROWS[part]

    write_rows(path, SHAPE, BATCH, compute)
    return asked


@pytest.mark.parametrize(
    ("kept", "asked"),
    [(0, [0, 4, 8]), (47, [0, 4, 8]), (48, [4, 8]), (50, [4, 8]), (96, [8]), (119, [8]), (120, []), (130, [])],
)
def test_whole_batches_of_a_cut_file_are_kept(tmp_path: Path, kept: int, asked: list[int]) -> None:
    """Of 120 bytes of rows, 48 a batch; more than all is cut off."""
    path = tmp_path / "rows.safetensors"
    assert write(path) == [0, 4, 8]
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - 120 + kept] + b"\0" * max(0, kept - 120))
    assert write(path) == asked
    assert path.read_bytes() == whole
    assert torch.equal(read_rows(path, sum_of(path)), ROWS)
    assert torch.equal(load_file(path)["rows"], ROWS), "a file of safetensors"


def test_another_file_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "rows.safetensors"
    path.write_bytes(b"something else, which is longer than the rows and their head are together" * 9)
    assert write(path) == [0, 4, 8]
    assert torch.equal(read_rows(path, sum_of(path)), ROWS)
    with pytest.raises(ValueError, match="another content"):
        read_rows(path, "0" * 64)


def test_a_file_whose_record_was_not_written_is_not_computed_again(tmp_path: Path) -> None:
    asked: list[int] = []

    def compute(parts: Sequence[Tensor]) -> Iterator[Tensor]:
        for part in parts:
            asked.append(int(part[0]))
            yield ROWS[part]

    first = Artifacts(tmp_path).rows("features", {"of": "a"}, SHAPE, SHAPE[0], compute).clone()
    (record,) = (tmp_path / "features").glob("*.json")
    record.unlink()
    again = Artifacts(tmp_path).rows("features", {"of": "a"}, SHAPE, SHAPE[0], lambda parts: iter(()))
    assert torch.equal(first, again) and asked == [0]


class Usage(NamedTuple):
    free: int


def test_a_disk_without_room_is_named_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1 << 30))
    with pytest.raises(UserError, match=r"has 1\.1 GB free and needs \S+ KB for features, and one more"):
        write(tmp_path / "rows.safetensors")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, in which tables of more than 1,000 bytes lie."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("al_bench.storage.row_file._IN_MEMORY", 1000)
    return tmp_path


def mapped() -> str:
    return Path("/proc/self/maps").read_text()


def test_a_table_that_is_kept_nowhere_is_mapped_where_it_is_large(temporary: Path) -> None:
    cpu = torch.device("cpu")
    small, large = empty_rows((50, 5), cpu), empty_rows((51, 5), cpu)
    assert small.shape == (50, 5) and large.shape == (51, 5)
    assert small.dtype == large.dtype == torch.float32
    large.copy_(torch.arange(255.0).reshape(51, 5))
    assert float(large[50, 4]) == 254
    assert str(temporary) in mapped() and not list(temporary.iterdir()), "a file without a name"
    assert empty_rows((51, 5), torch.device("meta")).device.type == "meta", "not on the CPU"
    del large
    assert str(temporary) not in mapped(), "which is given back with its last user"


def test_a_disk_without_room_for_it_is_named(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: Usage(1 << 30))
        with pytest.raises(UserError, match=rf"{temporary} has 1\.1 GB free .* larger disk by TMPDIR"):
            empty_rows((51, 5), torch.device("cpu"))

    def full(*_: int) -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(UserError, match="disk is full"):
        empty_rows((51, 5), torch.device("cpu"))
