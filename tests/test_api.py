"""What a notebook asks for: stored runs as a table, and a run by keywords."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import forked
import numpy as np
import pandas as pd
import pytest
from made_runs import cycle, made_run, write_cycle

import al_bench
from al_bench import api
from al_bench.config.values import read_value
from al_bench.errors import UserError

SMOKE = {"strategy": "random", "scale": "smoke", "gan": "none", "device": "cpu", "tracking": "none"}


def test_stored_runs_are_one_row_a_cycle(tmp_path: Path) -> None:
    for seed, accuracies in enumerate([(0.5, 0.75), (0.25, 0.5, 0.6)]):
        made_run(tmp_path, "entropy", seed, accuracies)
    frame = al_bench.results(tmp_path)
    assert frame[["seed", "cycle", "annotations"]].values.tolist() == [
        [0, 0, 10], [0, 1, 20], [1, 0, 10], [1, 1, 20], [1, 2, 30],
    ]  # fmt: skip
    assert frame.accuracy.tolist() == [0.5, 0.75, 0.25, 0.5, 0.6]
    assert set(frame.strategy) == {"entropy"}
    assert pd.api.types.is_integer_dtype(frame.annotations)


def test_a_metric_that_was_never_a_number_is_a_column_of_numbers(tmp_path: Path) -> None:
    made_run(tmp_path, "entropy", 0, (0.5, 0.75), more={"metrics": {"accuracy": None}})
    column = al_bench.results(tmp_path).accuracy
    assert column.dtype == float and column.isna().all()


def test_two_configurations_are_two_lines(tmp_path: Path) -> None:
    """Else the mean over the seeds of a line would be that of both; of another recipe, too."""
    for seed in (0, 1):
        made_run(tmp_path, "entropy", seed, (0.5, 0.75))
    made_run(tmp_path, "entropy", 0, (0.1, 0.2), learner={"epochs": 9})
    made_run(tmp_path, "entropy", 0, (0.3, 0.4), choices={"recipe": "other"}, learner={"epochs": 8})
    frame = al_bench.results(tmp_path)
    means = frame[frame.annotations == 20].groupby("line").accuracy.mean()
    assert means.to_dict() == {"entropy": 0.75, "entropy (2)": 0.2, "entropy (3)": 0.4}
    assert dict(zip(frame.line, frame.differs, strict=True)) == {
        "entropy": "",
        "entropy (2)": "learner.epochs is 5 there and 9 here",
        "entropy (3)": "learner.epochs is 5 there and 8 here",
    }


def test_a_run_in_two_places_comes_once_with_the_most_cycles(tmp_path: Path) -> None:
    made_run(tmp_path / "a", "entropy", 0, (0.5,), finished=False)
    made_run(tmp_path / "b", "entropy", 0, (0.5, 0.75), finished=False)
    assert al_bench.results(tmp_path / "a", tmp_path / "b").accuracy.tolist() == [0.5, 0.75]


def test_what_cannot_be_read_is_warned_of(tmp_path: Path) -> None:
    made_run(tmp_path, "entropy", 0)
    (made_run(tmp_path, "random", 0) / "config.json").write_text("{")
    with pytest.warns(UserWarning, match="left out"):
        assert set(al_bench.results(tmp_path).strategy) == {"entropy"}


def test_other_numbers_of_one_run_are_warned_of(tmp_path: Path) -> None:
    made_run(tmp_path / "a", "entropy", 0, (0.5, 0.75))
    made_run(tmp_path / "b", "entropy", 0, (0.5, 0.8))
    with pytest.warns(UserWarning, match="holds other numbers of run .*, from cycle 1 on"):
        assert al_bench.results(tmp_path / "a", tmp_path / "b").accuracy.tolist() == [0.5, 0.75]


def test_cycles_of_two_commits_are_warned_of(tmp_path: Path) -> None:
    folder = made_run(tmp_path, "entropy", 0)
    write_cycle(folder, {**cycle(1, 0.75), "commit": "def"})
    with pytest.warns(UserWarning, match=f"the cycles of run {folder.name} .* are of 2 commits: abc, def"):
        assert al_bench.results(tmp_path).commit.tolist() == ["abc", "def"]


def test_a_place_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no folder: name one of runs"):
        al_bench.results(tmp_path / "nothing")
    assert list(al_bench.results(tmp_path)) == ["dataset", "line", "seed", "id", "cycle", "annotations"]


@pytest.mark.slow
def test_a_run_by_keywords(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on the command line, in a process that is forked here."""

    def forked_command(arguments: list[str]) -> str | None:
        done = forked.run(*arguments)
        return None if done.returncode == 0 else done.stdout + done.stderr

    monkeypatch.setattr(api, "_run_command", forked_command)
    where = {"outputs": str(tmp_path), "cells": str(tmp_path / "cells")}
    frame = al_bench.run(**SMOKE, seed=[0, 1], paths=where, **{"loop.budget": 30})
    assert frame.groupby("seed").annotations.max().tolist() == [30, 30]
    pd.testing.assert_frame_equal(al_bench.results(tmp_path), frame)
    less = al_bench.run(**SMOKE, seed=[0, 1], paths=where, **{"loop.budget": 20})
    assert less.groupby("seed").annotations.max().tolist() == [20, 20], "a run that went on is cut where it would end"
    assert set(less.finished) == {"the budget of 20 annotations is spent"}


def test_keywords_are_what_a_command_line_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words of a sweep, folders that Hydra reads in quotes alone, and what a person who labels brings: the runs that
    are looked for are those that were run."""
    made: list[Sequence[str]] = []
    monkeypatch.setattr(api, "_run_command", made.append)
    where = {"outputs": str(tmp_path / "Bjö(r)n"), "cells": str(tmp_path)}
    assert api.run(**SMOKE, seed=[0, 1], paths=where, order="seeds").empty
    assert made[0][0] == "-m" and "order=seeds" in made[0], "which the command itself reads"
    asked: list[Sequence[str]] = []
    monkeypatch.setattr(api, "cells_of_line", lambda line: asked.append(line) or [])
    (tmp_path / "pictures").mkdir()
    root = {"root": str(tmp_path / "pictures"), "class_names": "[cat,dog]"}
    api.run(oracle="human", paths=where, **{"dataset": "image_folder"}, **{f"dataset.{key}": root[key] for key in root})
    assert {"oracle=human", "strategy=margin", f"paths.outputs='{tmp_path / 'Bjö(r)n'}'"} <= {*asked[0]}


def test_a_list_inside_of_a_mapping_is_a_sweep_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Sequence[str]] = []
    monkeypatch.setattr(api, "_run_command", made.append)
    where = {"outputs": str(tmp_path), "cells": str(tmp_path)}
    api.run(**SMOKE, paths=where, learner={"epochs": [1, 1]})
    assert made[0][0] == "-m"
    with pytest.raises(UserError, match=r"loop\.budget=40 and loop\.budget=30 are one run"):
        api.run(**SMOKE, paths=where, loop={"budget": [40, 30]})


def test_a_run_that_is_refused_says_why() -> None:
    with pytest.raises(UserError, match="strategy=randum is not known"):
        al_bench.run(strategy="randum")
    assert "gan=nothing is not known" in str(api._run_command(["gan=nothing"]))


def test_arguments_are_written_as_on_a_command_line() -> None:
    given = {"stop_at": None, "free_validation": True, "budget": np.array([10, 20]), "max_cycles": range(1)}
    written = api._arguments("loop", api._listed("loop", given), {})
    assert written == ["loop.stop_at=null", "loop.free_validation=true", "loop.budget=10,20", "loop.max_cycles=0"]
    for empty in ([], (), range(0), np.array([])):
        with pytest.raises(UserError, match=r"^seed=\[\] is empty: give it at least one value"):
            api.run(seed=empty)


def test_a_mapping_in_the_place_of_null_is_given_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Sequence[str]] = []
    monkeypatch.setattr(api, "_run_command", made.append)
    where = {"outputs": "/nothing/there", "cells": "/nothing/there"}
    api.run(**SMOKE, paths=where, loop={"stop_at": {"accuracy": 0.9}, "budget": 30}, seed=np.int64(3))
    assert {"loop.stop_at={accuracy: 0.9}", "loop.budget=30", "seed=3"} <= {*made[0]} and "-m" not in made[0]
    own = {"_target_": "mine.Mine", "words": ["a b", 'say "it"'], "on": True, "inner": {"x": None}}
    (text,) = api._arguments("gan", own, {"gan": None})
    assert read_value(text.removeprefix("gan=")) == own
    api.run(**SMOKE, paths=where, seed=range(1))
    assert made[1][0] == "-m" and "seed=0" in made[1]


def test_nothing_is_imported_until_it_is_asked_for() -> None:
    code = "import sys, al_bench; assert not {'torch', 'pandas', 'hydra', 'numpy'} & set(sys.modules); al_bench.nothing"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "AttributeError: module 'al_bench' has no attribute 'nothing'" in done.stderr
