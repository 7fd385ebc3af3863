"""The plots that a procedure's tables ask for."""

import base64
import re

from made_runs import made_measurement

from al_bench.analysis.reading import stored
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.report.figures.table_plots import plot_table
from al_bench.report.page import write_report

ROWS = [[2.4, 0.6, None], [2.8, 0.3, 2.9], [3.2, 0.6, 3.2]]
PLOT = {"about": "W1", "x": "x0", "y": ["near", "far"]}
TABLE = {"about": "Distances", "columns": ["x0", "near", "far"], "rows": ROWS, "plots": [PLOT]}


def svg(picture):
    return base64.b64decode(picture.uri.split(",")[1]).decode()


def test_columns_are_lines_without_what_is_missing():
    (one,) = plot_table("", TABLE)
    assert [(line.name, line.x, line.y) for line in one.lines] == [
        ("near", [2.4, 2.8, 3.2], [0.6, 0.3, 0.6]),
        ("far", [2.8, 3.2], [2.9, 3.2]),
    ]
    assert one.title == "W1"
    assert one.picture.alt == "W1, over x0: near from 0.6 to 0.6 and far from 2.9 to 3.2"
    looks = [line.look for line in one.lines]
    assert looks[0].dash != looks[1].dash and looks[0].marker != looks[1].marker


def test_ticks_between_whole_numbers_are_written():
    (one,) = plot_table("", TABLE)
    assert ">2.5<" in svg(one.picture) or ">2.6<" in svg(one.picture)
    (whole,) = plot_table("", {**TABLE, "rows": [[10, 0.1, 0.2], [4010, 0.2, 0.2]]})
    assert ">2,000<" in svg(whole.picture)


TIMES = {
    "about": "Seconds",
    "columns": ["method", "images", "seconds", "how"],
    "rows": [
        ["asal", 10, 1.0, "measured"], ["asal", 100, 1.1, "measured"], ["asal", 1000, 1.2, "measured"],
        ["entropy", 10, 0.2, "measured"], ["entropy", 100, 2.0, "measured"], ["entropy", 1000, 20.0, "extrapolated"],
        ["coreset", 10, None, "not measured"], ["random", 10, 0.0, "measured"], ["random", 100, 0.1, "measured"],
    ],
    "plots": [{"about": "seconds to choose", "x": "images", "y": ["seconds"], "scale": "log", "by": "method",
               "dashed": {"how": "extrapolated"}}],
}  # fmt: skip


def test_the_values_of_a_column_are_lines_that_go_on_dashed_where_they_are_not_measured():
    (one,) = plot_table("", TIMES)
    assert [(line.name, line.x, line.y, line.dashed_from) for line in one.lines] == [
        ("asal", [10, 100, 1000], [1.0, 1.1, 1.2], None),
        ("entropy", [10, 100, 1000], [0.2, 2.0, 20.0], 100),
        ("random", [100], [0.1], None),  # 0 has no place on such an axis
    ]
    assert one.title == "seconds to choose (dashed: extrapolated)"
    assert not any(line.look.dash for line in one.lines), "dashes say something else here"
    drawing = svg(one.picture)
    color = one.lines[1].look.color.lower()
    strokes = re.findall(r'<path d="([^"]+)"[^>]*style="fill: none; (stroke-dasharray[^"]*)?stroke: ' + color, drawing)
    assert [(path.count("L"), bool(dash)) for path, dash in strokes] == [(1, False), (1, True)]
    measured = {**TIMES, "rows": TIMES["rows"][:3]}
    assert next(plot_table("", measured)).title == "seconds to choose"


def test_logarithmic_axes_have_figures_for_powers_of_ten():
    (one,) = plot_table("", TIMES)
    for tick in (">10<", ">100<", ">1k<", ">0.1<", ">1<"):
        assert tick in svg(one.picture)
    assert "mathdefault" not in svg(one.picture)
    narrow = {**TIMES, "rows": [["asal", 380_000, 3.0, "measured"], ["asal", 970_000, 4.0, "measured"]]}
    assert ">500k<" in svg(next(plot_table("", narrow)).picture)


def test_what_is_extrapolated_from_the_beginning_is_dashed_from_there():
    rows = [["entropy", 10, 1.0, "extrapolated"], ["entropy", 100, 2.0, "extrapolated"]]
    assert [line.dashed_from for line in next(plot_table("", {**TIMES, "rows": rows})).lines] == [10]


def test_a_table_without_plots_or_values_has_none():
    assert list(plot_table("", {**TABLE, "plots": []})) == []
    assert list(plot_table("", {key: value for key, value in TABLE.items() if key != "plots"})) == []
    assert list(plot_table("", {**TABLE, "rows": [[2.4, None, None]]})) == []


def test_the_page_shows_them_with_their_legend(tmp_path):
    for seed in (0, 1):
        made_measurement(tmp_path / "outputs", {"largest_risk": 0.1}, seed, tables={"distances": TABLE})
    found = stored(tmp_path / "outputs", tmp_path / "cells")
    text = write_report(found, tmp_path / "report", "range", Rebuilder(None)).read_text()
    assert text.count('alt="seed 0: W1, over x0: near from 0.6 to 0.6 and far from 2.9 to 3.2"') == 1
    assert "seed 1: W1" in text
    assert text.count("far</li>") == 2
    assert "largest risk, %" in text
