"""Time and compute of the parts of a run."""

from pathlib import Path

from made_runs import cycle, made_run, write_cycle

from al_bench.analysis.cost import costs, costs_apart
from al_bench.analysis.grouping import sections
from al_bench.analysis.reading import stored
from al_bench.report.notes import notes
from al_bench.report.results import cost

COST = {"seconds": 2.0, "optimizer_steps": 0, "images_seen": 0, "peak_memory": 3 * 2**20}
BEST = {"pool_best_entropy": [0.6, 0.5]}


def test_what_was_measured_apart_stands_beside_the_parts_of_the_method(tmp_path: Path) -> None:
    folder = made_run(tmp_path, "asal_auto", 0, (0.5, 0.6, 0.7), trace=BEST)
    for index in (1, 2):
        effort = {**cycle(index, 0.6)["effort"], "scan": COST}
        write_cycle(folder, {**cycle(index, 0.6), "trace": BEST, "effort": effort})
    (section,) = sections(stored(tmp_path, tmp_path / "cells").runs)
    (group,) = section.groups
    assert [part.part for part in costs(group)] == ["training", "query", "evaluation"]
    (scan,) = costs_apart(group)
    assert (scan.seconds, scan.seconds_per_cycle) == (4.0, 4.0 / 3)
    rows = {row[1]: row for row in cost(section, []).rows}
    assert list(rows) == ["training", "query", "evaluation", "scan of the pool for the record"]
    assert rows["scan of the pool for the record"][2] == 4.0
    assert notes(section) == []


def test_whatever_stands_apart_is_shown(tmp_path: Path) -> None:
    folder = made_run(tmp_path, "random", 0)
    for index in (0, 1):
        effort = {**cycle(index, 0.5)["effort"], "gan_train": COST, "another": COST}
        write_cycle(folder, {**cycle(index, 0.5), "effort": effort})
    (section,) = sections(stored(tmp_path, tmp_path / "cells").runs)
    found = {part.part: part.seconds for part in costs_apart(section.groups[0])}
    assert found == {"training on samples (GAN-train)": 4.0, "another": 4.0}


def test_queries_from_before_that_hold_a_scan_are_shown_and_said(tmp_path: Path) -> None:
    for seed in (0, 1):
        made_run(tmp_path, "asal_auto", seed, trace=BEST)
    made_run(tmp_path, "waal", 0, trace={"critic": [0.5, 0.5]})
    (section,) = sections(stored(tmp_path, tmp_path / "cells").runs)
    assert [row[1] for row in cost(section, []).rows] == 2 * ["training", "query", "evaluation"]
    (sentence,) = notes(section)
    assert sentence.startswith("asal_auto: the query's seconds hold a scan of the whole pool in 2 runs")
