import json

import pytest

from al_bench.active.part import hash_of
from al_bench.active.stopping import Stopping
from al_bench.files import as_json, write_json
from al_bench.storage import exported as cells

IDENTITY = {"seed": 0}


def made_run(outputs, annotations=(20, 30), budget=30):
    folder = outputs / "digits" / "random" / "seed=0" / hash_of(IDENTITY)
    loop = {"budget": budget, "max_cycles": None, "stop_at": None}
    write_json(
        folder / "config.json", {"identity": IDENTITY, "config": {"loop": loop}, "commit": "abc", "hardware": {}}
    )
    for index, count in enumerate(annotations):
        record = {"index": index, "annotations": count, "unlabeled": 9, "metrics": {"accuracy": 0.5}}
        write_json(folder / "cycles" / f"{index:03d}.json", record)
    return folder


def test_a_finished_run_travels_and_is_found(tmp_path):
    made_run(tmp_path / "outputs")
    (path,) = cells.export(tmp_path / "outputs", tmp_path / "cells")
    assert path.name == f"digits-random-seed=0-{hash_of(IDENTITY)}.json"
    content = json.loads(path.read_text())
    assert content["finished"] == "the budget of 30 annotations is spent"
    assert (content["commit"], len(content["cycles"])) == ("abc", 2)
    assert len(cells.finished_cell(tmp_path / "cells", IDENTITY, Stopping(30))) == 2
    assert cells.finished_cell(tmp_path / "cells", {"seed": 1}, Stopping(30)) == []


def test_a_larger_budget_is_not_finished(tmp_path):
    made_run(tmp_path / "outputs")
    cells.export(tmp_path / "outputs", tmp_path / "cells")
    assert cells.finished_cell(tmp_path / "cells", IDENTITY, Stopping(50)) == []


def test_an_unfinished_run_stays_here(tmp_path, caplog):
    caplog.set_level("INFO")
    made_run(tmp_path / "outputs", budget=100)
    assert cells.export(tmp_path / "outputs", tmp_path / "cells") == []
    assert "left out, not finished" in caplog.text


def test_an_exported_cell_with_more_cycles_is_left_alone(tmp_path):
    made_run(tmp_path / "outputs", (20, 30, 40), budget=40)
    cells.export(tmp_path / "outputs", tmp_path / "cells")
    made_run(tmp_path / "other", (20, 30), budget=30)
    assert cells.export(tmp_path / "other", tmp_path / "cells") == []
    (path,) = (tmp_path / "cells").iterdir()
    assert len(json.loads(path.read_text())["cycles"]) == 3


@pytest.mark.parametrize("name", ["config.json", "cycles/001.json"])
def test_a_garbled_run_is_named_and_the_rest_exported(tmp_path, name, caplog):
    folder = made_run(tmp_path / "outputs")
    other = tmp_path / "outputs" / "z"
    folder.rename(other)
    made_run(tmp_path / "outputs")
    (folder / name).write_text("{")
    assert len(cells.export(tmp_path / "outputs", tmp_path / "cells")) == 1
    assert f"left out, corrupted: {folder}" in caplog.text


def test_places_of_this_machine_do_not_travel():
    paths = {"data": "/home/me/data", "outputs": "/home/me", "cells": "cells"}
    config = {"paths": paths, "dataset": {"root": "/home/me/data"}, "procedure": {"artifacts": ["/home/me/artifacts"]}}
    kept = cells.portable({"identity": IDENTITY, "config": config})["config"]
    assert kept["dataset"]["root"] == "<data>"
    assert kept["procedure"]["artifacts"] == ["<outputs>/artifacts"]
    assert "/home" not in json.dumps(kept)


def test_more_than_a_thousand_cycles_stay_in_order(tmp_path):
    for index in (999, 1000, 2):
        write_json(tmp_path / "cycles" / f"{index:03d}.json", {"index": index})
    assert [record["index"] for record in cells.stored_cycles(tmp_path)] == [2, 999, 1000]


def cell_of(cycles, rows):
    values = [round(0.1 + row / 7, 6) for row in range(rows)]
    query = {"indices": list(range(rows)), "labels": [1] * rows, "scores": values, "ranks": None, "entropies": values}
    records = [
        {"index": index, "unlabeled": 9, "query": query, "trace": {"entropy_after": values, "bad": [None] * rows}}
        for index in range(cycles)
    ]
    return {"cycles": [{**record, "sha256_record": cells.record_sum(record)} for record in records]}


def test_a_cell_that_fits_is_left_as_it_is():
    cell = cell_of(2, 50)
    assert cells.thinned(cell) == cell


def test_a_large_cell_keeps_selections_and_means_and_fewer_rows():
    cell = cell_of(3, 1000)
    whole = len(as_json(cell))
    thin = cells.thinned(cell, whole // 2)
    assert len(as_json(thin)) <= whole // 2
    before, after = cell["cycles"][1], thin["cycles"][1]
    kept = len(after["trace"]["entropy_after"])
    assert 0 < kept < 1000
    assert after["query"]["scores"] == before["query"]["scores"][:kept]
    assert after["query"]["indices"] == before["query"]["indices"]
    assert after["query"]["labels"] == before["query"]["labels"]
    mean = sum(before["trace"]["entropy_after"]) / 1000
    assert after["trace_mean"] == {"entropy_after": pytest.approx(mean)}, "of all rows, however often it was halved"
    assert after["sha256_record"] == cells.record_sum(after) != before["sha256_record"]


def test_a_cell_of_the_whole_pool_keeps_no_list_of_it():
    cell = cell_of(1, 1000)
    cell["cycles"][0]["unlabeled"] = 0
    query = cells.thinned(cell, 2000)["cycles"][0]["query"]
    assert (query["indices"], query["labels"], query["scores"]) == (None, None, [])


def test_images_travel_with_a_run(tmp_path):
    folder = made_run(tmp_path / "outputs")
    (path,) = cells.export(tmp_path / "outputs", tmp_path / "cells", lambda place: [{"of": place.name}])
    assert json.loads(path.read_text())["images"] == [{"of": folder.name}]
