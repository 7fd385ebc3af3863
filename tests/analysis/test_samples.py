import numpy as np
import pytest
from made_runs import made_run

from al_bench.analysis import samples
from al_bench.analysis.checking import UnreadableError
from al_bench.analysis.reading import stored
from al_bench.analysis.samples import kept_samples, samples_of
from al_bench.storage.cell import pack, read_cell
from al_bench.storage.exported import export, thinned

GRAY, COLORED = (
    np.random.default_rng(0).integers(0, 256, (2, 5, channels, 6, 4), dtype=np.uint8) for channels in (1, 3)
)


def exported(tmp_path, kept):
    tensors = None if kept is None else {"labels": np.array([0, 1]), "samples": kept}
    made_run(tmp_path / "outputs", "random", 0, (0.5, 0.6, 0.7), tensors=tensors)
    (path,) = export(tmp_path / "outputs", tmp_path / "cells", lambda folder: {"samples": kept_samples(folder)})
    (run,) = stored(tmp_path / "nowhere", tmp_path / "cells").runs
    return path, run


@pytest.mark.parametrize("kept", [GRAY, COLORED], ids=["gray", "colored"])
def test_those_of_the_last_cycle_travel_exactly(tmp_path, kept):
    _, run = exported(tmp_path, kept)
    assert list(samples_of(run)) == [2]
    assert np.array_equal(samples_of(run)[2], kept)
    (folder,) = stored(tmp_path / "outputs", tmp_path / "nowhere").runs
    assert list(samples_of(folder)) == [1, 2]
    assert np.array_equal(samples_of(folder)[1], kept)


def test_a_run_without_samples_carries_none(tmp_path):
    _, run = exported(tmp_path, None)
    assert samples_of(run) == {}


def test_as_many_of_each_class_travel_as_a_cell_may_hold(tmp_path, monkeypatch):
    folder = made_run(tmp_path, "random", 0, tensors={"samples": GRAY[:, :3]})
    monkeypatch.setattr(samples, "MOST_BYTES", sum(len(one["class_samples"]) for one in kept_samples(folder)))
    _, run = exported(tmp_path / "cut", GRAY)
    assert np.array_equal(samples_of(run)[2], GRAY[:, :3])


def test_a_cell_that_is_too_large_loses_its_samples_before_what_was_measured(tmp_path):
    path, _ = exported(tmp_path, GRAY)
    cell = read_cell(path)
    without = {key: value for key, value in cell.items() if key != "samples"}
    assert thinned(cell, len(pack(cell))) == cell
    assert thinned(cell, len(pack(cell)) - 1) == without


def test_corrupted_samples_are_named(tmp_path):
    _, run = exported(tmp_path, GRAY)
    run.about["samples"][1]["class_samples"] = "bm90aGluZw=="  # "nothing"
    with pytest.raises(UnreadableError, match="samples are corrupted"):
        samples_of(run)
