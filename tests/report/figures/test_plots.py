"""Plots hold what they say."""

import base64
import re
from functools import partial
from itertools import permutations

import pytest

from al_bench.report.figures import plots
from al_bench.report.figures.palette import Look
from al_bench.report.figures.plots import Line, line_chart
from al_bench.report.figures.svg import draw_svg


def texts(low: float, high: float, end: float = 2) -> dict[str, float]:
    """What the texts of a chart say, and their place on the x axis in points."""
    line = Line("one", Look("#112233", "o", ""), [1, end], [low, high])
    picture = line_chart([line], "annotations", "IS-own", "a line")
    svg = base64.b64decode(picture.uri.partition(",")[2]).decode()
    return {said: float(x) for x, said in re.findall(r'<text [^>]* x="([-\d.]+)"[^>]*>([^<]+)</text>', svg)}


@pytest.mark.parametrize(
    ("low", "high", "shown"), [(1.0002, 1.0022, "1.0005"), (2e-6, 6e-6, "0.000002"), (0.0, 1.0, "0.2")]
)
def test_values_are_written_out_beside_the_label(low: float, high: float, shown: str) -> None:
    """No offset or power of ten, which would be cut off above the plot; the label is on the picture."""
    said = texts(low, high)
    assert shown in said and not any("e" in words and words[0].isdigit() for words in said), said
    assert said["IS-own"] > 5
    assert said[shown] - said["IS-own"] > 5 * len(shown) * 0.75, "beside the longest value"


@pytest.mark.parametrize("end", [10_000, 60_000, 1_000_000])
def test_the_number_below_the_last_tick_is_on_the_picture(end: float) -> None:
    """It stands in its middle, which is at the end of the axis."""
    said = texts(0.0, 1.0, end)
    words = f"{end:,}"
    assert words in said
    assert said[words] + 0.5 * 5 * len(words) < 380 * 0.75, "a letter has five points, the picture 380 pixels"


def test_rounding_is_drawn_flat() -> None:
    """Its differences would fill the plot."""
    ticks = [float(words) for words in texts(1.0000001, 1.0000003) if "." in words]
    assert len(ticks) > 2 and min(ticks) < 0.9998 < 1.0002 < max(ticks)


@pytest.mark.parametrize(("lines", "opacity"), [(1, 0.16), (6, 0.16), (12, 0.08)])
def test_bands_of_many_lines_do_not_cover_them(lines: int, opacity: float) -> None:
    line = Line("one", Look("#112233", "o", ""), [1, 2], [0.5, 0.6], [0.4, 0.5], [0.6, 0.7])
    picture = line_chart([line] * lines, "annotations", "accuracy", "lines")
    svg = base64.b64decode(picture.uri.partition(",")[2]).decode()
    found = re.findall(r"fill-opacity: ([0-9.]+)", svg)
    assert [float(one) for one in found] == [opacity] * lines


def charts_on_used_axes() -> list[partial[object]]:
    look, x = Look("#112233", "o", "4 2"), [10.0, 20.0, 30.0]
    line = Line("one", look, x, [0.2, 0.5, 0.9], [0.1, 0.4, 0.8], [0.3, 0.6, 1.0])
    marked = Line("two", Look("#332211", "", ""), x, [4e5, 3e5, 2e5], tick=3e5, dashed_from=20, rings=[(20, 4e5)])
    level = Line("full", look, x, [0.7], [0.6], [0.8], level=True)
    return [
        partial(line_chart, [line, level], "annotations", "accuracy", "large", large=True, span=(0.0, 3.0)),
        partial(line_chart, [marked], "annotations", "", "no label"),
        partial(line_chart, [Line("part", look, [0.1, 0.75], [1.0, 1.0])], "logit", "share of images", "flat"),
        partial(line_chart, [Line("log", look, [1.0, 10.0], [1.0, 1e4])], "number", "share", "logarithmic", log=True),
        partial(line_chart, [level], "annotations", "accuracy", "a level alone"),
        partial(line_chart, [], "annotations", "nothing", "empty"),
    ]


def test_a_chart_has_nothing_of_those_drawn_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte for byte as on axes of its own, whatever was drawn on the same ones."""
    charts = charts_on_used_axes()
    with monkeypatch.context() as patch:
        patch.setattr(plots, "draw_svg", lambda *arguments, again: draw_svg(*arguments, again=False))
        alone = [chart() for chart in charts]
    assert len({one.uri for one in alone}) == len(charts)
    for before, place in permutations(range(len(charts)), 2):
        charts[before]()
        assert charts[place]() == alone[place], f"chart {place} after {before}"
