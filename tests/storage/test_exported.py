import json
import lzma
from itertools import pairwise

import numpy as np
import pytest
from made_runs import made_record
from safetensors.numpy import save

from al_bench.active.part import hash_of
from al_bench.active.stopping import Stopping
from al_bench.files import digest, write_json
from al_bench.storage import exported as cells
from al_bench.storage.cell import pack, read_cell
from al_bench.storage.folder import cycle_records
from al_bench.storage.known import begun_cell, finished_cell
from al_bench.storage.record import record_sum

IDENTITY = {"part": "made.loop", "seed": 0}
CHOICES = dict.fromkeys(("dataset", "recipe", "strategy", "learner", "representation"), "made")


def made_run(outputs, annotations=(20, 30), budget=30):
    folder = outputs / "digits" / "random" / "seed=0" / hash_of(IDENTITY)
    loop = {"budget": budget, "max_cycles": None, "stop_at": None}
    about = {
        "identity": IDENTITY,
        "label": "digits/random/seed=0",
        "metrics": [],
        "records": [],
        "config": {"loop": loop, "dataset": {}},
        "choices": CHOICES,
        "commit": "abc",
        "hardware": {},
    }
    write_json(folder / "config.json", about)
    for index, (before, count) in enumerate(pairwise([0, *annotations])):
        asked = {"indices": [*range(before, count)], "labels": None, "ranks": None}
        write_record(folder, made_record(index=index, annotations=count, query=asked))
    return folder


def write_record(folder, record):
    tensors = folder / "cycles" / f"{record.index:03d}.safetensors"
    if not tensors.exists():
        tensors.parent.mkdir(exist_ok=True)
        tensors.write_bytes(save({"labels": np.zeros(2)}))
    values = record.model_copy(update={"sha256": digest(tensors.read_bytes())}).plain()
    write_json(folder / "cycles" / f"{record.index:03d}.json", {**values, "sha256_record": record_sum(values)})


def test_a_finished_run_travels_and_is_found(tmp_path):
    made_run(tmp_path / "outputs")
    (path,) = cells.export(tmp_path / "outputs", tmp_path / "cells")
    assert path.name == f"digits-random-seed=0-{hash_of(IDENTITY)}.cell.xz"
    content = read_cell(path)
    assert content["finished"] == "the budget of 30 annotations is spent"
    assert (content["commit"], len(content["cycles"])) == ("abc", 2)
    assert len(finished_cell(tmp_path / "cells", IDENTITY, Stopping(30))[1]) == 2
    assert finished_cell(tmp_path / "cells", {"seed": 1}, Stopping(30)) == (None, [])


@pytest.mark.parametrize(
    ("annotations", "indices", "words"),
    [
        ((20, 5, 40), None, "has cycles of 20, 5, 40 annotations, which have to grow"),
        ((20, 20, 40), None, "has cycles of 20, 20, 40 annotations"),
        ((20, 30, 40), [*range(31, 40)], "asks for 9 images in cycle 2 and counts 10 annotations"),
        ((20, 30, 40), [5, *range(31, 40)], "asks 2 times for image 5 of the pool"),
    ],
)
@pytest.mark.parametrize("oracle", ["noisy", "human"])
def test_a_cell_of_other_queries_than_a_loop_has_does_not_count(tmp_path, caplog, annotations, indices, words, oracle):
    made_run(tmp_path / "outputs", (20, 30, 40), budget=40)
    (path,) = cells.export(tmp_path / "outputs", tmp_path / "cells")
    cell = read_cell(path)
    identity = {**IDENTITY, "oracle": {"part": f"oracle/{oracle}@2"}}
    for record, count in zip(cell["cycles"], annotations, strict=True):
        record["annotations"] = count
        record["query"]["indices"] = None if indices is None else record["query"]["indices"]
    if indices is not None:
        cell["cycles"][2]["query"]["indices"] = indices
    path.with_name(f"made-{hash_of(identity)}.cell.xz").write_bytes(pack({**cell, "identity": identity}))
    _, found = finished_cell(tmp_path / "cells", identity, Stopping(40))
    assert len(found) == (3 if oracle == "human" else 0), "a person changes answers"
    assert (words in caplog.text) == (oracle != "human")


def test_of_a_smaller_budget_the_cycles_to_it_count(tmp_path):
    made_run(tmp_path / "outputs")
    cells.export(tmp_path / "outputs", tmp_path / "cells")
    _, (record,) = finished_cell(tmp_path / "cells", IDENTITY, Stopping(20))
    assert record.annotations == 20


def test_a_run_in_a_folder_of_another_name_travels_too(tmp_path):
    folder = made_run(tmp_path / "outputs")
    folder.rename(tmp_path / "outputs" / "mine")
    (path,) = cells.export(tmp_path / "outputs", tmp_path / "cells")
    assert path.name == f"digits-random-seed=0-{folder.name}.cell.xz"
    assert cells.export(tmp_path / "outputs", tmp_path / "cells") == [], "once"
    _, (*_, record) = finished_cell(tmp_path / "cells", IDENTITY, Stopping(30))
    assert record.annotations == 30


def test_a_run_in_the_folder_of_another_stays_here(tmp_path, caplog):
    made_run(tmp_path / "outputs").rename(tmp_path / "outputs" / "0123456789ab")
    assert cells.export(tmp_path / "outputs", tmp_path / "cells") == []
    assert "which is not its name" in caplog.text


def test_a_larger_budget_is_not_finished(tmp_path):
    made_run(tmp_path / "outputs")
    cells.export(tmp_path / "outputs", tmp_path / "cells")
    assert finished_cell(tmp_path / "cells", IDENTITY, Stopping(50)) == (None, [])


def test_an_unfinished_run_stays_here(tmp_path, caplog):
    caplog.set_level("INFO")
    made_run(tmp_path / "outputs", budget=100)
    assert cells.export(tmp_path / "outputs", tmp_path / "cells") == []
    assert "left out, not finished" in caplog.text
    assert "(2 cycles, --unfinished exports it as far as it is)" in caplog.text


def test_an_unfinished_run_travels_on_request_for_who_asks_for_no_more(tmp_path):
    made_run(tmp_path / "outputs", budget=100)
    (path,) = cells.export(tmp_path / "outputs", tmp_path / "cells", unfinished=True)
    assert read_cell(path)["finished"] is None
    assert len(finished_cell(tmp_path / "cells", IDENTITY, Stopping(30))[1]) == 2
    assert finished_cell(tmp_path / "cells", IDENTITY, Stopping(100)) == (None, [])
    assert cells.export(tmp_path / "outputs", tmp_path / "cells", unfinished=True) == [], "no more than before"


def test_a_run_without_a_cycle_travels_never(tmp_path, caplog):
    caplog.set_level("INFO")
    made_run(tmp_path / "outputs", (), budget=100)
    assert cells.export(tmp_path / "outputs", tmp_path / "cells", unfinished=True) == []
    assert "(0 cycles)" in caplog.text


def test_an_exported_cell_with_more_cycles_is_left_alone(tmp_path):
    made_run(tmp_path / "outputs", (20, 30, 40), budget=40)
    cells.export(tmp_path / "outputs", tmp_path / "cells")
    made_run(tmp_path / "other", (20, 30), budget=30)
    assert cells.export(tmp_path / "other", tmp_path / "cells") == []
    (path,) = (tmp_path / "cells").iterdir()
    assert len(read_cell(path)["cycles"]) == 3


def test_a_query_that_is_whole_takes_the_place_of_what_a_smaller_budget_had_cut(tmp_path):
    """And not the other way round."""
    made_run(tmp_path / "outputs", (20, 25), budget=25)
    made_run(tmp_path / "other", (20, 25), budget=25)
    (path,) = cells.export(tmp_path / "outputs", tmp_path / "cells")
    made_run(tmp_path / "outputs", (20, 30), budget=30)
    assert cells.export(tmp_path / "outputs", tmp_path / "cells") == [path]
    assert cells.export(tmp_path / "other", tmp_path / "cells") == []
    assert [cycle["annotations"] for cycle in read_cell(path)["cycles"]] == [20, 30]


def test_of_two_cells_of_a_run_the_one_that_comes_farther_is_gone_on_with(tmp_path):
    for number, last in enumerate((25, 30, 27)):
        folder = made_run(tmp_path / str(number), (20, last), budget=last)
        folder.parent.rename(folder.parent.with_name(f"seed={number}"))
        cells.export(tmp_path / str(number), tmp_path / "cells")
    assert len(list((tmp_path / "cells").iterdir())) == 3
    assert [record.annotations for record in begun_cell(tmp_path / "cells", IDENTITY)] == [20, 30]


@pytest.mark.parametrize("name", ["config.json", "cycles/001.json"])
def test_a_garbled_run_is_named_and_the_rest_exported(tmp_path, name, caplog):
    folder = made_run(tmp_path / "outputs")
    other = tmp_path / "outputs" / "z" / folder.name
    other.parent.mkdir()
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


def test_a_folder_of_pictures_elsewhere_does_not_travel_either():
    parts = {"dataset": {"root": "/home/me/cats"}, "procedure": {"dataset": {"root": "/home/me/cats"}}}
    kept = cells.portable({"identity": IDENTITY, "config": {"paths": {"data": "data"}, **parts}})["config"]
    assert kept["dataset"]["root"] == kept["procedure"]["dataset"]["root"] == "<data>/cats"
    relative = cells.portable({"identity": IDENTITY, "config": {"paths": {}, "dataset": {"root": "cats"}}})["config"]
    assert relative["dataset"]["root"] == "cats"


def test_who_labels_and_where_their_answers_were_does_not_travel():
    human = {"_target_": "al_bench.oracle.human.Human", "who": "me", "labels": "/home/me/labels.csv", "audit_size": 9}
    config = {"oracle": human, "procedure": {"oracle": human, "labels": 3}}
    kept = cells.portable({"identity": IDENTITY, "config": config})
    person = {"_target_": human["_target_"], "audit_size": 9}
    assert kept == {"identity": IDENTITY, "config": {"oracle": person, "procedure": {"oracle": person, "labels": 3}}}
    assert cells.portable(kept) == kept and config["oracle"]["who"] == "me"


def test_more_than_a_thousand_cycles_stay_in_order(tmp_path):
    (tmp_path / "cycles").mkdir()
    for index in range(1002):
        (tmp_path / "cycles" / f"{index:03d}.json").touch()
    assert list(cycle_records(tmp_path)) == list(range(1002))


@pytest.mark.parametrize("damage", ["edited", "missing"])
def test_a_run_that_was_tampered_with_does_not_travel(tmp_path, damage, caplog):
    folder = made_run(tmp_path / "outputs", (10, 20, 30))
    path = folder / "cycles" / "001.json"
    if damage == "missing":
        path.unlink()
    else:
        path.write_text(path.read_text().replace("20", "25"))
    assert cells.export(tmp_path / "outputs", tmp_path / "cells") == []
    assert str(folder) in caplog.text


def test_a_cell_of_another_format_is_left_where_it_is(tmp_path, caplog):
    path = tmp_path / f"one-{hash_of(IDENTITY)}.cell.xz"
    path.write_bytes(lzma.compress(b'{"format": 2}\n'))
    assert finished_cell(tmp_path, IDENTITY, Stopping(30)) == (None, [])
    assert "is of format 2, this version reads 1: it is left alone" in caplog.text
    assert path.exists()


@pytest.mark.parametrize("cycles", [None, 5, [], [{"index": 0}]])
def test_a_cell_without_whole_cycles_counts_for_nothing(tmp_path, cycles):
    (tmp_path / f"one-{hash_of(IDENTITY)}.cell.xz").write_bytes(pack({"identity": IDENTITY, "cycles": cycles}))
    assert finished_cell(tmp_path, IDENTITY, Stopping(30)) == (None, [])


def test_a_cell_that_lacks_a_cycle_counts_for_nothing(tmp_path):
    last = made_record(index=1, annotations=30).plain()
    (tmp_path / f"one-{hash_of(IDENTITY)}.cell.xz").write_bytes(pack({"identity": IDENTITY, "cycles": [last]}))
    assert finished_cell(tmp_path, IDENTITY, Stopping(30)) == (None, [])


def cell_of(cycles, rows):
    values = [round(0.1 + row / 7, 6) for row in range(rows)]
    query = {"indices": list(range(rows)), "labels": [1] * rows, "scores": values, "ranks": None, "entropies": values}
    query |= {"guesses": [0] * rows, "of_guess": values, "of_answer": values}
    records = [
        made_record(index=index, query=query, trace={"entropy_after": values, "bad": [None] * rows}).plain()
        for index in range(cycles)
    ]
    return {"identity": IDENTITY, "cycles": records}


def test_a_cell_that_fits_is_left_as_it_is():
    cell = cell_of(2, 50)
    assert cells.thinned(cell) == cell


def test_a_large_cell_keeps_selections_and_means_and_fewer_rows():
    cell = cell_of(3, 1000)
    whole = len(pack(cell))
    thin = cells.thinned(cell, whole * 4 // 5)
    assert len(pack(thin)) <= whole * 4 // 5
    before, after = cell["cycles"][1], thin["cycles"][1]
    kept = len(after["trace"]["entropy_after"])
    assert 0 < kept < 1000
    for measured in ("scores", "entropies", "guesses", "of_guess", "of_answer"):
        assert after["query"][measured] == before["query"][measured][:kept]
    assert after["query"]["indices"] == before["query"]["indices"]
    assert after["query"]["labels"] == before["query"]["labels"]
    mean = sum(before["trace"]["entropy_after"]) / 1000
    assert after["trace_mean"] == {"entropy_after": pytest.approx(mean)}, "of all rows, however often it was halved"


def test_a_cell_of_the_whole_pool_keeps_no_list_of_it():
    cell = cell_of(1, 1000)
    cell["cycles"][0]["unlabeled"] = 0
    query = cells.thinned(cell, 900)["cycles"][0]["query"]
    assert (query["indices"], query["labels"], query["scores"]) == (None, None, [])


def test_images_travel_with_a_run(tmp_path):
    folder = made_run(tmp_path / "outputs")
    (path,) = cells.export(tmp_path / "outputs", tmp_path / "cells", lambda place: {"images": [{"of": place.name}]})
    assert read_cell(path)["images"] == [{"of": folder.name}]


def test_which_test_images_were_right_travels_as_bits(tmp_path):
    """Nine images in two bytes, the second of them padded."""
    right = np.array([1, 0, 1, 1, 0, 0, 0, 0, 1], dtype=bool)
    folder = made_run(tmp_path / "outputs", (30,))
    record = made_record(index=0, annotations=30, metrics={"accuracy": 4 / 9}, test_images=9)
    (folder / "cycles" / "000.safetensors").write_bytes(save({"correct": np.packbits(right)}))
    write_record(folder, record)
    (path,) = cells.export(tmp_path / "outputs", tmp_path / "cells")
    (cycle,) = read_cell(path)["cycles"]
    assert np.unpackbits(np.array(cycle["correct"], np.uint8))[: cycle["test_images"]].tolist() == right.tolist()


def test_sums_of_files_that_stay_behind_do_not_travel(tmp_path):
    folder = made_run(tmp_path / "outputs", (30,))
    record = made_record(index=0, annotations=30, sha256_model="abc")
    write_record(folder, record)
    (path,) = cells.export(tmp_path / "outputs", tmp_path / "cells")
    assert "sha256_model" not in read_cell(path)["cycles"][0]


def test_a_corrupted_cell_is_named_and_its_run_counts_as_not_finished(tmp_path, caplog):
    made_run(tmp_path / "outputs")
    (path,) = cells.export(tmp_path / "outputs", tmp_path / "cells")
    path.write_bytes(path.read_bytes()[:-9])
    assert finished_cell(tmp_path / "cells", IDENTITY, Stopping(30)) == (None, [])
    assert f"{path} is corrupted" in caplog.text and "left alone" in caplog.text
    assert path.exists()
    assert cells.export(tmp_path / "outputs", tmp_path / "cells") == [path]
    assert len(list((tmp_path / "cells").iterdir())) == 2, "what is written anew is set aside, nothing is deleted"
