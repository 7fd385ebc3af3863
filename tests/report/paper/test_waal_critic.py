"""What the critic says: of each query the mean of g over the pool, what is labeled and what was chosen."""

from pathlib import Path

import pytest
from made_runs import made_run

from al_bench.analysis.grouping import sections
from al_bench.analysis.reading import stored
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.report.figures.charts import Charts
from al_bench.report.figures.palette import looks
from al_bench.report.page import write_report
from al_bench.report.paper.waal_critic import Critics, show_critics


def trace(shift: float) -> dict[str, list[float]]:
    return {
        "critic": [0.8 + shift, 0.9 + shift],
        "critic_of_pool": [0.6 + shift] * 2,
        "critic_of_labeled": [0.5 + shift] * 2,
        "uncertainty": [2.0, 4.0],
        "by_uncertainty": [1.0, 0.0],
    }


def shown(outputs: Path) -> Critics | None:
    (section,) = sections(stored(outputs, outputs / "cells").runs)
    return show_critics(Charts(section, looks(section.groups), "range"), [])


def test_means_over_images_then_seeds_and_how_far_they_are_from_the_pools(tmp_path: Path) -> None:
    made_run(tmp_path, "random", 0)
    for seed, shift in ((0, 0.0), (1, 0.02)):
        made_run(tmp_path, "waal", seed, trace=trace(shift))
    found = shown(tmp_path)
    assert found is not None
    (panel,) = found.panels
    assert (panel.name, [line.name for line in panel.lines]) == ("waal", ["pool", "labeled", "chosen"])
    assert [line.y for line in panel.lines] == [pytest.approx([0.61]), pytest.approx([0.51]), pytest.approx([0.86])]
    (row,) = found.table.rows
    assert row[:2] == ["waal", 20]
    assert row[2:] == pytest.approx([0.61, -0.1, 0.25, 3.0, 50.0, 2])


def test_a_query_that_did_not_record_what_the_uncertainty_alone_asks_for_says_nothing_of_it(tmp_path: Path) -> None:
    made_run(tmp_path, "waal", 0, trace={name: kept for name, kept in trace(0.0).items() if name != "by_uncertainty"})
    found = shown(tmp_path)
    assert found is not None
    assert found.table.rows[0][-2:] == [None, None]
    made_run(tmp_path, "waal", 1, trace=trace(0.0))
    found = shown(tmp_path)
    assert found is not None
    assert found.table.rows[0][-2:] == [50.0, 1], "one of two seeds"


def test_what_has_no_critic_shows_none(tmp_path: Path) -> None:
    made_run(tmp_path, "random", 0)
    assert shown(tmp_path) is None


def test_the_page_has_it(tmp_path: Path) -> None:
    made_run(tmp_path, "waal", 0, trace=trace(0.0))
    page = write_report(stored(tmp_path, tmp_path / "cells"), tmp_path / "to", "range", Rebuilder(None))
    assert "What the critic says</h3>" in page.read_text()
    assert [path.name for path in (tmp_path / "to" / "tables").glob("critic*.csv")] == ["critic-digits.csv"]
