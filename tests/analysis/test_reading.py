import json
import shutil

import pytest
from made_runs import EFFORT, cycle, made_run, write_cycle

from al_bench.active.part import hash_of
from al_bench.analysis.reading import stored
from al_bench.analysis.selection import stored_at
from al_bench.errors import UserError
from al_bench.storage.exported import export


def read(outputs, cells=None):
    return stored(outputs, cells or outputs / "no cells")


def problem(found):
    (only,) = found.problems
    return f"{only.place} {only.sentence}"


def test_a_run_is_read_with_its_label(tmp_path):
    folder = made_run(tmp_path, "entropy", 1)
    (run,) = read(tmp_path).runs
    assert (run.place, run.id, run.seed, run.label) == (folder, folder.name, 1, ("digits", "entropy"))
    assert run.finished == "the budget of 20 annotations is spent"


def test_nothing_at_all(tmp_path):
    found = read(tmp_path / "nowhere")
    assert (found.runs, found.artifacts, found.problems) == ([], [], [])


def test_an_exported_cell_counts_once(tmp_path):
    folder = made_run(tmp_path / "outputs", "entropy", 0)
    made_run(tmp_path / "outputs", "random", 0)
    export(tmp_path / "outputs", tmp_path / "cells")
    assert len(read(tmp_path / "outputs", tmp_path / "cells").runs) == 2
    shutil.rmtree(folder)
    runs = {run.label[1]: run for run in read(tmp_path / "outputs", tmp_path / "cells").runs}
    assert (runs["entropy"].has_tensors, runs["random"].has_tensors) == (False, True)
    assert len(runs["entropy"].cycles) == 2


def test_other_numbers_of_the_same_run_are_named_and_never_averaged(tmp_path):
    """Whichever is longer counts; a copy that was begun alone is no contradiction."""
    made_run(tmp_path / "outputs", "entropy", 0, (0.5, 0.75))
    export(tmp_path / "outputs", tmp_path / "cells")
    assert read(tmp_path / "outputs", tmp_path / "cells").problems == []
    folder = made_run(tmp_path / "outputs", "entropy", 0, (0.5, 0.8, 0.9))
    found = read(tmp_path / "outputs", tmp_path / "cells")
    (run,), (problem,) = found.runs, found.problems
    assert [record.metrics["accuracy"] for record in run.cycles] == [0.5, 0.8, 0.9]
    assert problem.place.parent == tmp_path / "cells"
    assert problem.sentence.startswith(f"holds other numbers of run {folder.name} than {folder}, from cycle 1 on")
    for name in ("001", "002"):
        (folder / "cycles" / f"{name}.json").unlink()
    found = read(tmp_path / "outputs", tmp_path / "cells")
    assert (len(found.runs[0].records), found.problems) == (2, [])


@pytest.mark.parametrize("is_cut", ["the run", "the cell"])
def test_of_as_many_cycles_those_of_more_annotations_count(tmp_path, is_cut):
    """The last query of the other was cut by a smaller budget, which is no contradiction."""
    made_run(tmp_path / "whole", "entropy", 0, (0.5, 0.75))
    folder = made_run(tmp_path / "cut", "entropy", 0, (0.5, 0.7), more={"annotations": 15})
    write_cycle(folder, cycle(0, 0.5))
    runs, exported = ("cut", "whole") if is_cut == "the run" else ("whole", "cut")
    export(tmp_path / exported, tmp_path / "cells", unfinished=True)
    found = read(tmp_path / runs, tmp_path / "cells")
    (run,) = found.runs
    assert ([record.annotations for record in run.cycles], found.problems) == ([10, 20], [])


@pytest.mark.parametrize("text", ["{", '{"index": 1}', "[]", ""])
def test_a_garbled_cycle_is_named_and_those_before_it_count(tmp_path, text):
    folder = made_run(tmp_path, "entropy", 0, (0.1, 0.2, 0.3))
    path = folder / "cycles" / "001.json"
    path.write_text(text)
    found = read(tmp_path)
    assert [record.index for record in found.runs[0].cycles] == [0]
    assert f"{folder} cycle 1 " in problem(found)
    assert problem(found).endswith("only cycles 0 to 0 are reported")
    assert path.read_text() == text, "left alone"


def test_a_changed_number_is_noticed(tmp_path):
    folder = made_run(tmp_path, "entropy", 0)
    path = folder / "cycles" / "001.json"
    path.write_text(path.read_text().replace("0.75", "0.99"))
    assert "cycle 1 is corrupted" in problem(read(tmp_path))


def test_a_missing_cycle_ends_the_run(tmp_path):
    folder = made_run(tmp_path, "entropy", 0, (0.1, 0.2, 0.3))
    (folder / "cycles" / "001.json").unlink()
    assert "cycle 1 is missing" in problem(read(tmp_path))


def test_an_older_cycle_is_named(tmp_path):
    folder = made_run(tmp_path, "entropy", 0)
    record = cycle(1, 0.9)
    del record["class_counts"]
    write_cycle(folder, record)
    assert "without class_counts" in problem(read(tmp_path))


def test_an_older_configuration_is_named(tmp_path):
    folder = made_run(tmp_path, "entropy", 0)
    about = json.loads((folder / "config.json").read_text())
    del about["choices"]["recipe"], about["hardware"]
    (folder / "config.json").write_text(json.dumps(about))
    assert "without choices.recipe, hardware" in problem(read(tmp_path))


def test_a_run_without_a_whole_cycle_is_named(tmp_path):
    folder = made_run(tmp_path, "entropy", 0, ())
    (folder / "cycles").mkdir()
    (folder / "cycles" / ".000.json.17").write_text("{")
    assert "holds no whole cycle yet" in problem(read(tmp_path))


def test_foreign_files_are_named(tmp_path):
    made_run(tmp_path, "random", 0)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text('{"model": "bert"}')
    (tmp_path / "lost" / "cycles").mkdir(parents=True)
    moved = made_run(tmp_path, "entropy", 0)
    moved.rename(moved.with_name("0123456789ab"))
    found = read(tmp_path)
    assert len(found.runs) == 1
    sentences = {str(one.place.name): one.sentence for one in found.problems}
    assert sentences["other"] == "is not a run of al_bench"
    assert "no config.json" in sentences["lost"]
    assert sentences["0123456789ab"] == f"holds the configuration of run {moved.name}, which is not its name"


def test_a_folder_of_a_name_of_its_own_is_read(tmp_path):
    """As `hydra.run.dir` makes one."""
    moved = made_run(tmp_path, "entropy", 0)
    moved.rename(tmp_path / "mine")
    found = read(tmp_path)
    assert [run.id for run in found.runs] == [moved.name] and not found.problems


def test_a_foreign_artifact_is_named(tmp_path):
    (tmp_path / "artifacts" / "gan").mkdir(parents=True)
    (tmp_path / "artifacts" / "gan" / "a.json").write_text(json.dumps({"kind": "gan"}))
    assert "is not the record of an artifact" in problem(read(tmp_path))


def test_an_artifact_that_two_places_hold_counts_once(tmp_path):
    made_run(tmp_path / "a", "entropy", 0)
    record = {"kind": "gan", "sha256": "", "effort": EFFORT, "spec": {}, "losses": {}}
    for root in ("a", "b"):
        (tmp_path / root / "artifacts" / "gan").mkdir(parents=True)
        (tmp_path / root / "artifacts" / "gan" / f"{hash_of({})}.json").write_text(json.dumps(record))
    found = stored_at([str(tmp_path / "a")], tmp_path / "b", tmp_path / "cells")
    assert [artifact.place.parents[2] for artifact in found.artifacts] == [tmp_path / "a"]


def test_named_runs_alone(tmp_path):
    first = made_run(tmp_path / "outputs", "entropy", 0)
    second = made_run(tmp_path / "outputs", "random", 0)
    made_run(tmp_path / "outputs", "margin", 0)
    (cell, *_) = export(tmp_path / "outputs", tmp_path / "cells")
    where = (tmp_path / "outputs", tmp_path / "cells")
    assert {run.id for run in stored_at([str(first), second.name], *where).runs} == {first.name, second.name}
    assert len(stored_at([str(cell)], *where).runs) == 1
    assert len(stored_at([second.name[:6]], *where).runs) == 1
    assert len(stored_at([str(tmp_path / "outputs" / "digits" / "margin")], *where).runs) == 1


def test_a_name_that_leads_nowhere(tmp_path):
    with pytest.raises(UserError, match="nothere"):
        stored_at(["nothere"], tmp_path, tmp_path)


def test_a_class_that_came_later_has_no_label_before(tmp_path):
    folder = made_run(tmp_path, "random", 0, (0.5, 0.6))
    write_cycle(folder, {**cycle(1, 0.6), "class_counts": [10, 5, 5]})
    (run,) = stored(tmp_path, tmp_path / "cells").runs
    assert [record.class_counts for record in run.cycles] == [[7, 3, 0], [10, 5, 5]]
