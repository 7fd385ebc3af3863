"""The plots that a procedure's tables ask for."""

import base64

from made_runs import made_measurement

from al_bench.report.drawn import drawn
from al_bench.report.page import write_report
from al_bench.report.reading import stored
from al_bench.report.sources import Sources

ROWS = [[2.4, 0.6, None], [2.8, 0.3, 2.9], [3.2, 0.6, 3.2]]
PLOT = {"about": "W1", "x": "x0", "y": ["near", "far"]}
TABLE = {"about": "Distances", "columns": ["x0", "near", "far"], "rows": ROWS, "plots": [PLOT]}


def svg(picture):
    return base64.b64decode(picture.uri.split(",")[1]).decode()


def test_columns_are_lines_without_what_is_missing():
    (one,) = drawn("", TABLE)
    assert [(line.name, line.x, line.y) for line in one.lines] == [
        ("near", [2.4, 2.8, 3.2], [0.6, 0.3, 0.6]),
        ("far", [2.8, 3.2], [2.9, 3.2]),
    ]
    assert one.title == "W1"
    assert one.picture.alt == "W1, over x0: near from 0.6 to 0.6 and far from 2.9 to 3.2"
    looks = [line.look for line in one.lines]
    assert looks[0].dash != looks[1].dash and looks[0].marker != looks[1].marker


def test_ticks_between_whole_numbers_are_written():
    (one,) = drawn("", TABLE)
    assert ">2.5<" in svg(one.picture) or ">2.6<" in svg(one.picture)
    (whole,) = drawn("", {**TABLE, "rows": [[10, 0.1, 0.2], [4010, 0.2, 0.2]]})
    assert ">2,000<" in svg(whole.picture)


def test_a_table_without_plots_or_values_has_none():
    assert list(drawn("", {**TABLE, "plots": []})) == []
    assert list(drawn("", {key: value for key, value in TABLE.items() if key != "plots"})) == []
    assert list(drawn("", {**TABLE, "rows": [[2.4, None, None]]})) == []


def test_the_page_shows_them_with_their_legend(tmp_path):
    for seed in (0, 1):
        made_measurement(tmp_path / "outputs", {"largest_risk": 0.1}, seed, tables={"distances": TABLE})
    found = stored(tmp_path / "outputs", tmp_path / "cells")
    text = write_report(found, tmp_path / "report", "range", Sources(None)).read_text()
    assert text.count('alt="seed 0: W1, over x0: near from 0.6 to 0.6 and far from 2.9 to 3.2"') == 1
    assert "seed 1: W1" in text
    assert text.count("far</li>") == 2
    assert "largest risk, %" in text
