"""What the criteria of MAL's query do: shares by hand, histograms, and that others show nothing."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from made_runs import made_run

from al_bench.analysis.grouping import sections
from al_bench.analysis.reading import stored
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.report.figures.charts import Charts
from al_bench.report.figures.palette import looks
from al_bench.report.page import write_report
from al_bench.report.paper.mal_query import Criteria, auroc, show_criteria

TRACE = {
    "labeledness": [-2.0, -1.0],
    "by_entropy": [1.0, 0.0],
    "by_labeledness": [1.0, 1.0],
    "labeledness_of_pool": [-1.0, 1.0],
    "labeledness_of_labeled": [0.0, 2.0],
}


def shown(outputs: Path) -> Criteria | None:
    (section,) = sections(stored(outputs, outputs / "cells").runs)
    return show_criteria(Charts(section, looks(section.groups), "range"), [])


def test_shares_are_means_over_picks_and_seeds(tmp_path: Path) -> None:
    made_run(tmp_path, "mal", 0, trace=TRACE)
    made_run(tmp_path, "mal", 1, trace={**TRACE, "by_entropy": [0.0, 0.0]})
    found = shown(tmp_path)
    assert found is not None
    (panel,) = found.shares
    assert [(line.name, line.y) for line in panel.lines] == [
        ("entropy alone", [25.0]),
        ("discriminator alone", [100.0]),
    ]
    (row,) = found.table.rows
    assert row[:2] == ["mal", 20]
    assert row[2:] == pytest.approx([1.0, 0.0, -1.5, 75.0, 25.0, 100.0])


def test_a_histogram_has_every_answer_once(tmp_path: Path) -> None:
    made_run(tmp_path, "mal", 0, trace=TRACE)
    found = shown(tmp_path)
    assert found is not None
    (panel,) = found.histograms
    assert panel.name == "mal, cycle 1"
    for line in panel.lines:
        assert sum(line.y) / 2 == pytest.approx(100.0)
        assert (line.x[0], line.x[-1]) == (-1.0, 2.0)


def test_vaal_has_no_second_criterion_of_its_own(tmp_path: Path) -> None:
    made_run(tmp_path, "vaal", 0, trace={name: TRACE[name] for name in TRACE if name != "by_labeledness"})
    found = shown(tmp_path)
    assert found is not None
    assert [line.name for line in found.shares[0].lines] == ["entropy alone"]
    assert found.table.rows[0][-1] is None


def test_how_well_both_kinds_are_told_apart() -> None:
    assert auroc([1.0, 2.0], [-1.0, 0.0]) == 1.0
    assert auroc([0.0], [0.0]) == 0.5
    assert auroc([0.0, 2.0], [-1.0, 1.0]) == 0.75
    rng = np.random.default_rng(1)
    labeled, unlabeled = (rng.integers(0, 9, count) / 4 for count in (200, 300))  # with ties
    by_pairs = np.mean([(one > other) + 0.5 * (one == other) for one in labeled for other in unlabeled])
    assert auroc(labeled.tolist(), unlabeled.tolist()) == pytest.approx(by_pairs, abs=1e-12)


def test_telling_apart_a_large_pool_needs_no_table_of_all_pairs() -> None:
    """30,000 by 60,000 pairs would be 14 GB."""
    tracemalloc.start()
    try:
        assert auroc(np.arange(30_000.0) + 0.5, np.arange(60_000.0)) == pytest.approx(0.25, abs=1e-4)
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


def test_what_has_no_discriminator_shows_nothing(tmp_path: Path) -> None:
    made_run(tmp_path, "random", 0)
    assert shown(tmp_path) is None


def test_the_page_has_it(tmp_path: Path) -> None:
    made_run(tmp_path, "mal", 0, trace=TRACE)
    page = write_report(stored(tmp_path, tmp_path / "cells"), tmp_path / "to", "range", Rebuilder(None))
    assert "What the criteria do</h3>" in page.read_text()
    assert [path.name for path in (tmp_path / "to" / "tables").glob("criteria*.csv")] == ["criteria-digits.csv"]
