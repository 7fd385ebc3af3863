import json
import re
from pathlib import Path

import pytest
from made_picks import section_of
from made_runs import made_run
from scipy.stats import binomtest

from al_bench.analysis.reading import stored
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.report.outlook import tabulate_forecasts, tabulate_standings
from al_bench.report.page import write_report

RISING = (0.5, 0.6, 0.65, 0.7, 0.72, 0.75)
SOME = {"test_images": 100, "unlabeled": 500}


def test_an_accuracy_has_wilson_s_interval(tmp_path):
    made_run(tmp_path, "margin", 0, RISING, more=SOME)
    rows = tabulate_standings(section_of(tmp_path)).rows
    expected = binomtest(75, 100).proportion_ci(method="wilson")
    assert rows[-1] == ["margin", 60, 75.0, f"{100 * expected.low:.1f} to {100 * expected.high:.1f}", 100, 0]
    assert [row[1] for row in rows] == [10, 20, 30, 40, 50, 60], "of a single run every cycle"


def test_of_several_runs_the_last_cycle_has_one(tmp_path):
    made_run(tmp_path, "margin", 0, RISING, more=SOME)
    made_run(tmp_path, "margin", 1, RISING, more=SOME)
    made_run(tmp_path, "random", 0, RISING)
    rows = tabulate_standings(section_of(tmp_path)).rows
    assert [(row[0], row[1], row[-1]) for row in rows] == [("margin", 60, 0), ("margin", 60, 1)], (
        "of random's it is not known"
    )


def test_the_next_accuracies_that_people_ask_for_are_forecast(tmp_path):
    made_run(tmp_path, "margin", 0, RISING, more=SOME)
    made_run(tmp_path, "margin", 1, RISING, more=SOME)
    table = tabulate_forecasts(section_of(tmp_path))
    assert [(row[0], row[-1]) for row in table.rows] == [("margin", 0)] * 2
    assert [row[1] for row in table.rows] == pytest.approx([80, 90])
    near, far = (row[2] for row in table.rows)
    assert 60 < near < 200 and far == "more than 560"
    assert table.rows[0][5] == 560, "all that is left in the pool"


def test_what_a_run_was_asked_for_is_forecast_too(tmp_path):
    folder = made_run(tmp_path, "margin", 0, RISING, more=SOME)
    about = json.loads((folder / "config.json").read_text())
    about["config"]["loop"]["stop_at"] = {"accuracy": 0.85}
    (folder / "config.json").write_text(json.dumps(about))
    assert [row[1] for row in tabulate_forecasts(section_of(tmp_path)).rows] == pytest.approx([80, 85, 90])


def test_a_short_curve_has_no_forecast(tmp_path):
    made_run(tmp_path, "margin", 0, RISING[:3], more=SOME)
    assert tabulate_forecasts(section_of(tmp_path)).rows == []


def test_the_page_has_both(tmp_path):
    made_run(tmp_path, "margin", 0, RISING, more=SOME)
    write_report(stored(tmp_path, tmp_path / "cells"), tmp_path / "report", "range", Rebuilder(None))
    text = (tmp_path / "report" / "index.html").read_text()
    assert "65.7 to 82.5" in text and "How many labels a higher accuracy will take" in text
    assert (tmp_path / "report" / "tables" / "forecast-digits.csv").exists()
    made_run(tmp_path / "other", "margin", 0, RISING)
    write_report(stored(tmp_path / "other", tmp_path / "cells"), tmp_path / "page", "range", Rebuilder(None))
    assert "How sure the accuracy is" not in (tmp_path / "page" / "index.html").read_text()
    assert not (tmp_path / "page" / "tables" / "standing-digits.csv").exists()


def test_the_page_says_how_often_intervals_held_as_it_was_scored():
    root = Path(__file__).parents[2]
    rows = [line.split("|")[1:-1] for line in (root / "results" / "forecast.md").read_text().splitlines()]
    overall = [[cell.strip() for cell in row] for row in rows if row and row[0].strip() == "all"]
    held = [sorted(int(row[column]) for row in overall) for column in (5, 6)]
    said = re.search(
        r"80 % intervals held what came in (\d+) to (\d+) % of the cases, the 95 % ones in (\d+) to (\d+) %",
        (root / "al_bench" / "report" / "page" / "section.html").read_text(),
    )
    assert [int(one) for one in said.groups()] == [held[0][0], held[0][-1], held[1][0], held[1][-1]]
