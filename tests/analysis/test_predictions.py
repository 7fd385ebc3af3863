import numpy as np
import pytest
from made_runs import made_run

from al_bench.analysis import predictions
from al_bench.analysis.checking import UnreadableError
from al_bench.analysis.predictions import kept_predictions, mean_iou, predicted_maps
from al_bench.analysis.reading import stored
from al_bench.storage.cell import pack, read_cell
from al_bench.storage.exported import export, thinned

MAPS = np.random.default_rng(0).integers(0, 11, (4, 12, 16), dtype=np.uint8)


def exported(tmp_path, maps=MAPS):
    tensors = None if maps is None else {"labels": np.array([0, 1]), "predicted": maps}
    made_run(tmp_path / "outputs", "random", 0, tensors=tensors)
    (path,) = export(tmp_path / "outputs", tmp_path / "cells", lambda folder: {"predicted": kept_predictions(folder)})
    (run,) = stored(tmp_path / "nowhere", tmp_path / "cells").runs
    return path, run


def test_the_last_maps_travel_exactly(tmp_path):
    path, run = exported(tmp_path)
    assert np.array_equal(predicted_maps(run), MAPS)
    assert {one["cycle"] for one in read_cell(path)["predicted"]} == {1}
    (folder,) = stored(tmp_path / "outputs", tmp_path / "nowhere").runs
    assert np.array_equal(predicted_maps(folder), MAPS)
    assert run.finished


def test_a_run_without_maps_carries_none(tmp_path):
    _, run = exported(tmp_path, None)
    assert predicted_maps(run) is None


def test_as_many_travel_as_a_cell_may_hold(tmp_path, monkeypatch):
    whole = kept_predictions(made_run(tmp_path, "random", 0, tensors={"predicted": MAPS}))
    monkeypatch.setattr(predictions, "MOST_BYTES", sum(len(one["predicted_map"]) for one in whole[:2]))
    _, run = exported(tmp_path / "cut")
    assert np.array_equal(predicted_maps(run), MAPS[:2])


def test_a_cell_that_is_too_large_loses_its_maps_before_what_was_measured(tmp_path):
    path, _ = exported(tmp_path)
    cell = read_cell(path)
    without = {key: value for key, value in cell.items() if key != "predicted"}
    assert thinned(cell, len(pack(cell))) == cell
    assert thinned(cell, len(pack(cell)) - 1) == without


@pytest.mark.parametrize("text", ["bm90aGluZw==", "no base64"])
def test_corrupted_maps_are_named(tmp_path, text):
    path, _ = exported(tmp_path)
    cell = read_cell(path)
    cell["predicted"][0]["predicted_map"] = "bm90aGluZw=="  # "nothing"
    path.write_bytes(pack(cell))
    (run,) = stored(tmp_path / "nowhere", tmp_path / "cells").runs
    run.about["predicted"][0]["predicted_map"] = text
    with pytest.raises(UnreadableError, match="predicted label maps are corrupted"):
        predicted_maps(run)


def test_iou_of_one_image_counts_the_classes_of_its_truth_alone():
    truth, found = np.array([[0, 0, 1, 255]]), np.array([[0, 2, 1, 1]])
    assert mean_iou(truth, found) == pytest.approx((1 / 2 + 1) / 2)
    assert mean_iou(np.array([[255, 255]]), np.array([[0, 1]])) is None
