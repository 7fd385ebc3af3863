"""What a sweep would do: of made runs of an experiment's own cells."""

from pathlib import Path

import pytest
from made_runs import EFFORT, made_run

from al_bench.analysis.experiment import LineProgress, arrange_lines
from al_bench.analysis.selection import stored_of
from al_bench.analysis.sweep_plan import LinePlan, SweepPlan, plan_sweep
from al_bench.config.experiment import Cell, cells_of_line
from al_bench.files import digest, write_json
from al_bench.report.cells import tabulate_cells
from al_bench.report.sweep_plan import write_plan
from al_bench.storage.record import record_sum

LINE = ["strategy=random,asal_pixel", "seed=0,1", "loop.budget=40", "loop.initial_size=10", "loop.query_size=10"]


@pytest.fixture(scope="module")
def cells() -> list[Cell]:
    return cells_of_line(LINE)


def planned(cells: list[Cell], outputs: Path) -> SweepPlan:
    return plan_sweep("none", LINE, cells, outputs, outputs / "cells")


def run_of(cell: Cell, outputs: Path, cycles: int) -> Path:
    strategy = cell.choices["strategy"]
    accuracies = tuple([0.5] * cycles)
    return made_run(outputs, strategy, cell.seed, accuracies, identity=cell.identity, finished=cycles == 4)


def test_nothing_is_known_where_nothing_is_stored(cells: list[Cell], tmp_path: Path) -> None:
    plan = planned(cells, tmp_path)
    assert (plan.cells, plan.finished) == (4, 0)
    assert [(line.progress.line, line.cycles, line.seconds) for line in plan.lines] == [
        ("random", 8, None),
        ("asal_pixel", 8, None),
    ]
    assert [(one.part, one.stored, one.seconds) for one in plan.artifacts] == [("gan/wgan_gp@2", False, None)]
    assert "how long it takes is not known" in write_plan(plan)
    assert "nothing is stored to tell by of random; asal_pixel" in write_plan(plan)


@pytest.mark.parametrize("bad", ["loop.query_size=0", "loop.query_size=-1"])
def test_of_what_a_run_refuses_nothing_is_known_and_nothing_fails(bad: str, tmp_path: Path) -> None:
    (line,) = planned(cells_of_line(["strategy=random", bad]), tmp_path).lines
    assert line.cycles is None


@pytest.mark.parametrize(
    ("line", "there", "place", "more"),
    [
        (["dataset=digits"], "", "", ""),
        (["dataset=mnist"], "", "MNIST/raw", "put there"),
        (["dataset=mnist"], "MNIST/raw", "", ""),
        (["dataset=cifar10"], "cifar10_jpeg", "", ""),
        (["dataset=svhn"], "", "svhn", "put there"),
        (["dataset=camvid", "strategy=mal"], "camvid", "camvid", "finished is known by its files"),  # an empty folder
        (["dataset=image_folder"], "", "dataset.root=DIR", "finished is known by its files"),
    ],
)
def test_data_that_are_not_there_are_said(tmp_path: Path, line: list[str], there: str, place: str, more: str) -> None:
    (tmp_path / "data" / there).mkdir(parents=True)
    cells = cells_of_line([*line, "strategy=random", "seed=0", f"paths.data={tmp_path}/data"])
    plan = plan_sweep("none", [], cells, tmp_path, tmp_path / "cells")
    said = [row for row in write_plan(plan).splitlines() if row.startswith("missing: ")]
    if not place:
        assert said == []
        return
    where = place if place.startswith("dataset.") else f"{tmp_path}/data/{place}"
    (only,) = said
    comes = (
        "a run fetches it where it can, else it says" if line[0] in {"dataset=mnist", "dataset=svhn"} else "a run says"
    )
    assert only.startswith(f"missing: {where} of {line[0]}: {comes} what to put there") and only.endswith(more)


def test_times_are_those_of_the_same_line(cells: list[Cell], tmp_path: Path) -> None:
    """One seed finished, the other at 20 of 40 annotations: two cycles of three parts of two seconds are left."""
    run_of(cells[0], tmp_path, 4)
    run_of(cells[1], tmp_path, 2)
    random, asal = planned(cells, tmp_path).lines
    assert (list(random.progress.finished), dict(random.progress.begun), random.cycles) == ([0], {1: 20}, 2)
    assert random.seconds == pytest.approx(2 * 3 * EFFORT["seconds"])
    assert random.size is not None and random.size > 0 and not random.from_other
    assert (asal.cycles, asal.seconds) == (8, None)
    text = write_plan(planned(cells, tmp_path))
    runs = stored_of({cell.id: cell.label for cell in cells}, tmp_path, tmp_path / "cells").runs
    rows = tabulate_cells(arrange_lines("none", LINE, cells), runs).rows
    assert [row[-1] for row in rows] == ["12.0 s", "not known"]
    assert "seed 1 at 20" in text
    assert "4 cells, 1 finished: of what is known about 12.0 s of computing" in text


def test_what_is_finished_needs_nothing(cells: list[Cell], tmp_path: Path) -> None:
    for cell in cells:
        run_of(cell, tmp_path, 4)
    plan = planned(cells, tmp_path)
    assert (plan.finished, plan.seconds, plan.size, list(plan.artifacts)) == (4, 0.0, 0.0, [])
    assert "4 cells, 4 finished: nothing is left to do" in write_plan(plan)


def test_of_many_begun_seeds_some_are_named_and_no_disk_is_asked_of_what_is_finished() -> None:
    """Also where nothing tells how large a run is, as an exported one does not."""
    begun = LineProgress("random", 12, [], dict.fromkeys(range(12), 100), "python run.py")
    done = LineProgress("entropy", 3, [0, 1, 2], {}, "")
    lines = [LinePlan(begun, 24, 60.0, None, False), LinePlan(done, 0, 0.0, None, False)]
    rows = write_plan(SweepPlan(lines, [], [])).splitlines()
    assert "seed 0 at 100, seed 1 at 100, seed 2 at 100, 9 more" in rows[2] and "not known" in rows[2]
    assert rows[3].split()[-4:] == ["-", "0", "-", "-"]


def test_an_artifact_is_found_by_its_part(cells: list[Cell], tmp_path: Path) -> None:
    (gan,) = [node for node in [cells[2].identity["strategy"]["gan"]] if node["part"].startswith("gan/")]
    for spec, stored in (({**gan, "iterations": 1}, False), (gan, True)):
        store_artifact(tmp_path, {"gan": spec, "images": "0" * 16})
        (one,) = planned(cells, tmp_path).artifacts
        assert (one.stored, one.seconds) == (stored, 7.0)
    assert "gan/wgan_gp@2: stored" in write_plan(planned(cells, tmp_path))


def test_a_judge_is_found_by_what_it_was_trained_by(tmp_path: Path) -> None:
    """Its artifact names the learner and the seed, and not the part that it is of."""
    (cell,) = cells_of_line(["method=alcg/rand", "dataset=digits", "seed=0"])
    judge = cell.identity["evaluator"]["judge"]
    plain = {"images": "0" * 16, "labels": "0" * 16}
    for learner, stored in (({**judge["learner"], "epochs": 1}, False), (judge["learner"], True)):
        store_artifact(tmp_path, {"learner": learner, "seed": judge["seed"], **plain}, kind="oracle")
        (one,) = planned([cell], tmp_path).artifacts
        assert (one.part, one.stored, one.seconds) == (judge["part"], stored, 7.0)


def store_artifact(outputs: Path, spec: dict[str, object], kind: str = "gan") -> None:
    from al_bench.active.part import hash_of

    record = {
        "kind": kind, "sha256": digest(b""), "commit": "abc", "made": "2026-01-01 00:00:00",
        "effort": {**EFFORT, "seconds": 7.0}, "spec": spec, "losses": {},
    }  # fmt: skip
    path = outputs / "artifacts" / kind / f"{hash_of(spec)}.json"
    write_json(path, {**record, "sha256_record": record_sum(record)})
