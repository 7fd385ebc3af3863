"""Plots of lines, dots and bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, MaxNLocator, NullLocator, ScalarFormatter

from al_bench.report.figures.palette import Look
from al_bench.report.figures.svg import INK, LETTER, Picture, draw_svg

Span = tuple[float, float]

LARGE = (960, 420)  # CSS pixels

_SMALL = (380, 253)  # of plots beside each other, and as wide as a small screen
_NARROW = 350  # CSS pixels, of a large picture on a small screen
_MOST_TICKS = 25
_LEAST_SPAN = 1e-3  # of a y axis, in parts of its values: what differs less is rounding, and drawn flat
_CROWD = 6  # lines whose bands are drawn in full
_DASHED = (0, (4, 2))  # of what goes on by calculation
FADES = (1.0, 0.5, 0.25)  # of the parts of a bar, from left to right


@dataclass(frozen=True)
class Line:
    """x, y; low, high: the band, empty for none; level: one value that is drawn across the whole plot; tick: a value
    that is marked at the right edge; dashed_from: the x from which it goes on dashed; rings: points around which a ring
    is drawn."""

    name: str
    look: Look
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    level: bool = False
    tick: float | None = None
    dashed_from: float | None = None
    rings: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True)
class Bar:
    """One horizontal bar: parts in the order of the legend."""

    name: str
    look: Look
    parts: Sequence[float]


def line_chart(
    lines: Sequence[Line],
    x_label: str,
    y_label: str,
    alt: str,
    large: bool = False,
    span: Span | None = None,
    log: bool = False,
) -> Picture:
    """Lines with their bands. span: where the y axis begins and ends; None: where the lines do. log: both axes are
    logarithmic."""
    draw = partial(_draw_lines, lines, x_label, y_label, span, log)
    width, height = LARGE if large else _SMALL
    values = [value for line in lines if not line.level for value in line.y]
    again = not log and any(map(isfinite, values))  # else axes of before would keep their limits
    narrow = draw_svg(draw, _NARROW, 280, again=again) if large else ""
    return Picture(draw_svg(draw, width, height, again=again), alt, width, height, narrow)


def dot_chart(lines: Sequence[Line], ticks: Sequence[str], levels: Sequence[float], y_label: str, alt: str) -> Picture:
    """A dot with a whisker per line and tick, beside each other; levels: a dashed line across each tick's dots."""
    every = max(1, -(-len(ticks) // _MOST_TICKS))
    names = [_cut(tick, 16) for tick in ticks]
    letters = max(map(len, names))
    pictures = []
    for width, height in ((LARGE[0], 320), (_NARROW, 280)):
        crowded = letters * len(names[::every]) * LETTER > width - 80
        draw = partial(_draw_dots, lines, names, every, 40 if crowded else 0, levels, y_label)
        pictures.append(draw_svg(draw, width, height, bottom=26 + crowded * 4 * letters))
    return Picture(pictures[0], alt, LARGE[0], 320, pictures[1])


def bar_chart(bars: Sequence[Bar], x_label: str, alt: str) -> Picture:
    """Horizontal bars of parts that fade from left to right."""
    height, pictures = 60 + 26 * len(bars), []
    for width in (LARGE[0], _NARROW):
        names = [_cut(bar.name, width // 22) for bar in bars]
        left = 16 + LETTER * max(map(len, names))
        pictures.append(draw_svg(partial(_draw_bars, bars, names, x_label), width, height, left=left))
    return Picture(pictures[0], alt, LARGE[0], height, pictures[1])


def _cut(name: str, letters: int) -> str:
    return name if len(name) <= letters else name[: letters - 1] + "…"


def _draw_lines(lines: Sequence[Line], x_label: str, y_label: str, span: Span | None, log: bool, axes: Axes) -> None:
    faint = min(1.0, _CROWD / max(1, len(lines)))  # bands of many lines would cover the lines
    for line in lines:
        if line.level:
            _draw_level(line, axes)
        else:
            _draw_line(line, faint, axes)
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.margins(x=0.02)
    if span is not None:
        axes.set_ylim(*span)
    elif not log:
        _widen(axes)
    _style_values(axes)
    if log:
        _scale_by_logarithm(axes)
        return
    whole = all(float(x).is_integer() for line in lines for x in line.x)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=whole, steps=[1, 2, 5, 10]))
    words = FuncFormatter(lambda value, _: f"{value:,.0f}") if whole else ScalarFormatter()
    axes.xaxis.set_major_formatter(words)


def _widen(axes: Axes) -> None:
    """Gives the y axis its least span."""
    low, high = axes.get_ylim()
    more = (_LEAST_SPAN * max(abs(low), abs(high)) - (high - low)) / 2
    if more > 0:
        axes.set_ylim(low - more, high + more)


def _draw_level(line: Line, axes: Axes) -> None:
    axes.axhline(line.y[0], color=line.look.color, linestyle=line.look.pattern, linewidth=1.1)
    if line.low:
        axes.axhspan(line.low[0], line.high[0], color=line.look.color, alpha=0.13, linewidth=0)


def _draw_line(line: Line, faint: float, axes: Axes) -> None:
    color = line.look.color
    if line.low and len(line.x) > 1:
        axes.fill_between(line.x, line.low, line.high, color=color, alpha=0.16 * faint, linewidth=0)
    style: dict[str, Any] = {
        "color": color, "marker": line.look.marker, "markersize": 4, "markeredgewidth": 0,
        "markevery": max(1, len(line.x) // 10), "solid_capstyle": "round",
    }  # fmt: skip
    points = list(zip(line.x, line.y, strict=True))
    turn = line.dashed_from
    solid = [(x, y) for x, y in points if turn is None or x <= turn]
    if solid:
        axes.plot(*zip(*solid, strict=True), linestyle=line.look.pattern, label=line.name, **style)
    if turn is not None:
        rest = [(x, y) for x, y in points if x >= turn]
        axes.plot(*zip(*rest, strict=True), linestyle=_DASHED, **style)
    if line.rings:
        axes.plot(*zip(*line.rings, strict=True), "o", color=color, markersize=7, markerfacecolor="none")
    if line.tick is not None:
        axes.plot([1.0, 1.03], [line.tick] * 2, color=color, transform=axes.get_yaxis_transform(), clip_on=False)


def _scale_by_logarithm(axes: Axes) -> None:
    """Powers of ten in figures, and what lies between them where there are few."""
    axes.set(xscale="log", yscale="log")
    words = (EngFormatter(sep=""), FuncFormatter(lambda value, _: f"{value:g}"))
    for axis, formatter in zip((axes.xaxis, axes.yaxis), words, strict=True):
        low, high = axis.get_view_interval()
        axis.set_major_locator(LogLocator(10, (1, 2, 5) if high < 100 * low else (1,), numticks=12))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(formatter)


def _draw_dots(
    lines: Sequence[Line],
    ticks: Sequence[str],
    every: int,
    rotation: float,
    levels: Sequence[float],
    y_label: str,
    axes: Axes,
) -> None:
    for place, level in enumerate(levels):
        axes.hlines(level, place - 0.5, place + 0.5, color=INK, alpha=0.6, linestyle=(0, (3, 2)), linewidth=0.9)
    step = 0.7 / max(len(lines), 1)
    for number, line in enumerate(lines):
        offset = (number - (len(lines) - 1) / 2) * step
        x = [position + offset for position in range(len(line.y))]
        axes.vlines(x, line.low, line.high, color=line.look.color, linewidth=1.6, alpha=0.45)
        axes.plot(x, line.y, line.look.marker, color=line.look.color, markersize=4.6, markeredgewidth=0)
    axes.set(ylabel=y_label, ylim=(0, None), xlim=(-0.6, len(ticks) - 0.4))
    axes.set_xticks(range(0, len(ticks), every), ticks[::every], rotation=rotation)
    axes.tick_params(axis="x", length=0)
    _style_values(axes)


def _draw_bars(bars: Sequence[Bar], names: Sequence[str], x_label: str, axes: Axes) -> None:
    for row, bar in enumerate(bars):
        left = 0.0
        for number, part in enumerate(bar.parts):
            axes.barh(row, part, left=left, height=0.62, color=bar.look.color, alpha=FADES[number], linewidth=0)
            left += part
    axes.set_yticks(range(len(bars)), names)
    axes.invert_yaxis()
    axes.set(xlabel=x_label, xlim=(0, None))
    axes.tick_params(axis="y", length=0)
    axes.spines.left.set_visible(False)
    axes.grid(axis="x", color=INK, alpha=0.12, linewidth=0.6)
    axes.set_axisbelow(True)


def _style_values(axes: Axes) -> None:
    axes.grid(axis="y", color=INK, alpha=0.12, linewidth=0.6)
    axes.spines.left.set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_axisbelow(True)
    axes.yaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 2.5, 5, 10]))
    values = ScalarFormatter(useOffset=False)  # an offset or a power of ten would stand above the plot, and be cut
    values.set_scientific(False)
    axes.yaxis.set_major_formatter(values)
