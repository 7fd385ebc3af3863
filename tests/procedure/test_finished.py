"""A run that an exported cell holds, as a person is shown it."""

import logging
from pathlib import Path

import pytest
from PIL import Image

from al_bench.procedure.finished import tell_finished
from al_bench.storage.cell import pack, read_cell
from al_bench.storage.known import exported_cycles

KEPT = Path("results/cells/digits-certainty_mc+acgan+ac_dcgan+gamma=4-seed=0-991911d2cd57.cell.xz")


def told(folder: Path, cell: Path, caplog: pytest.LogCaptureFixture) -> list[str]:
    caplog.clear()
    with caplog.at_level(logging.INFO):
        records = exported_cycles(cell)
        tell_finished(folder, cell, records, records, "the budget of 200 annotations is spent", ())
    return "\n".join(caplog.messages).splitlines()


def test_it_ends_with_its_source_and_its_grid(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first, *_, source, grid = told(tmp_path, KEPT, caplog)
    assert first == "finished before: the budget of 200 annotations is spent"
    assert source == f"read from {KEPT}; paths.cells=none computes it here"
    assert grid == f"samples: {tmp_path / 'samples.png'}"
    count = read_cell(KEPT)["samples"][0]["count"]
    with Image.open(tmp_path / "samples.png") as picture:
        assert picture.size == (count * (56 + 2) + 2, 10 * (56 + 2) + 2), "a row a class, 8 x 8 pixels seven times"


def test_a_grid_that_is_there_stays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "samples.png").write_bytes(b"its own")
    assert told(tmp_path, KEPT, caplog)[-1] == f"samples: {tmp_path / 'samples.png'}"
    assert (tmp_path / "samples.png").read_bytes() == b"its own"


def test_samples_that_cannot_be_read_are_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cell = read_cell(KEPT)
    cell["samples"] = [{**one, "count": 7} for one in cell["samples"]]  # which do not divide a row's width
    (bad := tmp_path / KEPT.name).write_bytes(pack(cell))
    said = told(tmp_path, bad, caplog)
    assert said[-1] == f"{bad}: the samples are corrupted: none is shown"
    assert not (tmp_path / "samples.png").exists()
