import pytest
from made_runs import TRACE, made_record, made_run

from al_bench.analysis.grouping import sections
from al_bench.analysis.reading import stored
from al_bench.report.figures.charts import Charts
from al_bench.report.figures.palette import looks
from al_bench.report.paper.asal import derive_means, show_assumptions


def test_what_follows_from_several_traces():
    rows = {"entropy_after": [0.5, 0.7, None, 0.6], "entropy_of_match": [0.4, 0.8, 0.1, 0.2]}
    found = derive_means(made_record(query={"indices": [4, 5, 6, 7], "labels": None, "ranks": [0, 3, 1, 0]}), rows)
    assert found["entropy_gap"] == pytest.approx((0.1 + 0.1 + 0.4) / 3), "of |differences|, which do not cancel"
    assert (found["rank"], found["taken"]) == (1.0, 0.5)
    assert derive_means(made_record(query={"ranks": None}), {}) == {}


def made(tmp_path):
    (section,) = sections(stored(tmp_path, tmp_path / "cells").runs)
    return show_assumptions(Charts(section, looks(section.groups), "range"), [])


def test_what_was_not_measured_is_not_shown(tmp_path):
    made_run(tmp_path, "random", 0)
    assert made(tmp_path) is None
    made_run(tmp_path, "gaal", 0, trace={name: TRACE[name] for name in ("entropy_before", "entropy_after")})
    first, *others = made(tmp_path).plots
    assert [panel.name for panel in first.panels] == ["gaal"]
    assert [panel.name for one in others for panel in one.panels] == ["Collisions"], "made_runs' ranks"


def test_each_assumption_has_a_plot_of_each_method_and_numbers(tmp_path):
    trace = {**TRACE, "pool_best_entropy": [0.6, 0.5], "distance_to_match": [2.0, 4.0]}
    for strategy in ("asal_auto", "asal_disc"):
        for seed in (0, 1):
            made_run(tmp_path, strategy, seed, trace=trace)
    found = made(tmp_path)
    assert [len(one.panels) for one in found.plots] == [2, 3, 2]
    assert [line.name for line in found.plots[0].panels[0].lines] == ["start", "synthetic", "pool's best"]
    assert [line.name for line in found.plots[2].panels[0].lines] == ["synthetic", "match"]
    assert "asal_auto 0.50 → 1.50 nats (pool's best 0.55)" in found.plots[0].found
    assert "asal_disc 50 %" in found.plots[1].found
    assert "asal_auto 33 %" in found.plots[2].found
    row = dict(zip(found.table.columns, found.table.rows[0], strict=True))
    assert row["distance to the match"] == 3.0
    assert row["nearest taken, %"] == 50.0
    assert row["|H synthetic - H match|, nats"] == 1.0
