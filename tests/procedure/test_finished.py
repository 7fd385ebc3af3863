"""A run that an exported cell holds, as a person is shown it."""

import errno
import logging
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from al_bench.procedure.finished import tell_finished
from al_bench.storage.cell import pack, read_cell
from al_bench.storage.known import exported_cycles

KEPT = Path("results/cells/digits-certainty_mc+acgan+ac_dcgan+gamma=4-seed=0-991911d2cd57.cell.xz")


def told(folder: Path, cell: Path, caplog: pytest.LogCaptureFixture, cycles: int | None = None) -> list[str]:
    """cycles: that a smaller budget has."""
    caplog.clear()
    with caplog.at_level(logging.INFO):
        records = exported_cycles(cell)[:cycles]
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


def test_a_grid_of_another_run_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As of an own one to a smaller budget."""
    (tmp_path / "samples.png").write_bytes(b"its own")
    assert told(tmp_path, KEPT, caplog)[-1] == f"samples: {tmp_path / 'samples.png'}"
    assert (tmp_path / "samples.png").read_bytes() != b"its own"


def test_a_grid_of_a_later_cycle_is_not_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A cell carries the samples of its last cycle alone, a run's folder has their picture."""
    assert told(tmp_path, KEPT, caplog, 5)[-1].startswith("read from ")
    assert not (tmp_path / "samples.png").exists()
    (tmp_path / "samples.png").write_bytes(b"its own")
    records = exported_cycles(KEPT)
    for shown, said in ((records, True), (records[:5], False)):
        caplog.clear()
        with caplog.at_level(logging.INFO):
            tell_finished(tmp_path, None, records, shown, "the budget is spent", ())
        assert (caplog.messages[-1] == f"samples: {tmp_path / 'samples.png'}") is said


def test_a_folder_that_can_only_be_read_has_a_table_and_no_grid(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Path.open

    def refuse(path: Path, mode: str = "r", *others: Any, **more: Any) -> Any:
        if "w" in mode:
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return own(path, mode, *others, **more)

    monkeypatch.setattr(Path, "open", refuse)
    said = told(tmp_path, KEPT, caplog)
    assert said[0].startswith("finished before") and said[-1].startswith("read from ")
    assert not (tmp_path / "samples.png").exists()


def test_samples_that_cannot_be_read_are_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cell = read_cell(KEPT)
    cell["samples"] = [{**one, "count": 7} for one in cell["samples"]]  # which do not divide a row's width
    (bad := tmp_path / KEPT.name).write_bytes(pack(cell))
    said = told(tmp_path, bad, caplog)
    assert said[-1] == f"{bad}: the samples are corrupted: none is shown"
    cell["samples"][0]["count"] = 0
    bad.write_bytes(pack(cell))
    assert said_of_samples(told(tmp_path, bad, caplog))
    assert not (tmp_path / "samples.png").exists()


def said_of_samples(said: list[str]) -> bool:
    """Whether a line says what is wrong with them."""
    return any("samples" in line and "count" in line for line in said)
