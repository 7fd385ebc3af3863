"""A table takes the rows that an earlier one of its kind has, and computes the others."""

import json
import logging
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from al_bench.storage.artifacts import Artifacts
from al_bench.storage.row_file import Reused, write_rows

WIDTH, BATCH = 3, 4


class Made:
    """Rows of what their ids are of, and the ids that were asked for. network: another one gives other rows."""

    def __init__(self, folder: Path) -> None:
        self.artifacts = Artifacts(folder)
        self.asked: list[list[int]] = []

    def rows(self, ids: Sequence[int], network: str = "a", lasts: int = 99, lost: Collection[int] = ()) -> Tensor:
        known, self.asked = np.array(ids, dtype=np.uint64), []

        def compute(parts: Sequence[Tensor]) -> Iterator[Tensor]:
            for part in parts:
                if len(self.asked) == lasts:
                    raise KeyboardInterrupt
                self.asked.append([ids[position] for position in part.tolist()])
                yield row_of(self.asked[-1], network)

        spec = {"network": network, "images": f"those of {ids}"}
        return self.artifacts.rows("features", spec, (len(ids), WIDTH), BATCH, compute, known, lambda: lost)


def row_of(ids: Sequence[int], network: str = "a") -> Tensor:
    factor = {"a": 1.0, "b": 2.0}[network]
    return factor * torch.tensor(ids, dtype=torch.float32)[:, None] + torch.arange(WIDTH) / 8


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


def test_of_a_list_that_grew_and_changed_what_is_new_is_computed(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    first = [10, 11, 12, 13, 14, 15, 16]
    assert torch.equal(made.rows(first), row_of(first))
    assert made.asked == [[10, 11, 12, 13], [14, 15, 16]]
    caplog.set_level(logging.INFO)
    second = [16, 11, 90, 13, 14, 15, 10, 91, 92]
    assert torch.equal(made.rows(second), row_of(second))
    assert made.asked == [[90], [91], [92]], "in each batch those that nobody has"
    assert "6 of 9 are as they were" in caplog.text
    made.rows(second)
    assert made.asked == []


def test_the_table_that_has_the_most_is_taken(made: Made) -> None:
    made.rows([1, 2])
    made.rows([1, 2, 3, 4, 5])
    made.rows([6])
    assert torch.equal(made.rows([6, 5, 4, 3, 9]), row_of([6, 5, 4, 3, 9]))
    assert made.asked == [[6], [9]]


def test_rows_of_another_network_are_other_rows(made: Made) -> None:
    made.rows([1, 2, 3])
    assert torch.equal(made.rows([3, 1], "b"), row_of([3, 1], "b"))
    assert made.asked == [[3, 1]]


@pytest.mark.parametrize("harm", ["ids", "rows", "record", "no ids", "older"])
def test_a_table_that_cannot_be_believed_is_passed_over(made: Made, tmp_path: Path, harm: str) -> None:
    made.rows([1, 2, 3])
    (record,) = (tmp_path / "features").glob("*.json")
    ids, rows = record.with_suffix(".ids.npy"), record.with_suffix(".safetensors")
    if harm == "older":  # from before ids were kept
        known = json.loads(record.read_text())
        record.write_text(json.dumps({key: known[key] for key in known if not key.startswith("sha256_")}))
    elif harm == "no ids":
        ids.unlink()
    else:
        path = {"ids": ids, "rows": rows, "record": record}[harm]
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert torch.equal(made.rows([3, 2, 7]), row_of([3, 2, 7]))
    assert made.asked == [[3, 2, 7]]


def test_a_kill_loses_the_batch_that_was_begun(made: Made) -> None:
    made.rows([1, 2, 3, 4])
    more = [1, 5, 2, 6, 3, 7, 4, 8, 9]
    with pytest.raises(KeyboardInterrupt):
        made.rows(more, lasts=1)
    assert made.asked == [[5, 6]]
    assert torch.equal(made.rows(more), row_of(more))
    assert made.asked == [[7, 8], [9]]


@pytest.mark.parametrize("lost", [[2], [0, 5]])
def test_rows_of_what_could_not_be_had_are_computed_once_it_is_back(made: Made, lost: list[int]) -> None:
    ids = [1, 2, 3, 4, 5, 6]
    black = made.rows(ids, lost=lost)
    assert len(black) == 6 and len(made.asked) == 2, "the others are there meanwhile"
    assert torch.equal(made.rows(ids), row_of(ids))
    assert sorted(one for part in made.asked for one in part) == [ids[place] for place in lost]
    made.rows(ids)
    assert made.asked == []
    assert torch.equal(made.rows([*ids, 7]), row_of([*ids, 7]))
    assert made.asked == [[7]]


def test_a_batch_of_which_all_is_there_asks_for_nothing(tmp_path: Path) -> None:
    asked: list[list[int]] = []

    def compute(parts: Sequence[Tensor]) -> Iterator[Tensor]:
        for part in parts:
            asked.append(part.tolist())
            yield torch.full((len(part), WIDTH), -1.0)

    there = torch.tensor([2, 0, 1, 1, -1, 2])
    write_rows(tmp_path / "rows", (6, WIDTH), 4, compute, Reused(row_of([1, 2, 3]), there))
    assert asked == [[4]]
