"""Rows that are written batch by batch: what is kept of a file that ends somewhere, and what is refused."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from al_bench.errors import UserError
from al_bench.storage.artifacts import Artifacts
from al_bench.storage.row_file import read_rows, sum_of, write_rows

SHAPE, BATCH = (10, 3), 4
ROWS = torch.arange(30.0).reshape(SHAPE)


def write(path: Path) -> list[int]:
    """Where batches were asked for."""
    asked = []

    def compute(there: int) -> Iterator[Tensor]:
        for first in range(there, SHAPE[0], BATCH):
            asked.append(first)
            yield ROWS[first : first + BATCH]

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

    def compute(there: int) -> Iterator[Tensor]:
        asked.append(there)
        yield ROWS[there:]

    first = Artifacts(tmp_path).rows("features", {"of": "a"}, SHAPE, SHAPE[0], compute).clone()
    (record,) = (tmp_path / "features").glob("*.json")
    record.unlink()
    again = Artifacts(tmp_path).rows("features", {"of": "a"}, SHAPE, SHAPE[0], lambda there: iter(()))
    assert torch.equal(first, again) and asked == [0]


def test_a_disk_without_room_is_named_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1 << 30))
    with pytest.raises(UserError, match=r"has 1\.1 GB free and needs 0\.0 GB for features, and one more"):
        write(tmp_path / "rows.safetensors")
