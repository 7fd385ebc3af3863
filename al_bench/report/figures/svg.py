"""Pictures as SVG for an <img>: their text and axes take the page's ink, dark or light; lines keep their colors."""

import base64
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from al_bench.report.figures.ahead import draw_ahead

INK = "#010203"  # stands for the page's ink until the SVG is written
LETTER = 6.6  # CSS pixels, about

_FONT = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Arial, sans-serif"
_THEME = "<style>svg{color:#2b2d31}@media(prefers-color-scheme:dark){svg{color:#d4d4d0}}</style>"
_STYLE: dict[Any, Any] = {
    "text.parse_math": False,  # a label is text, whatever it holds
    "svg.fonttype": "none",
    "svg.hashsalt": "al_bench",  # the same runs make the same page, byte for byte
    "font.family": "DejaVu Sans",
    "font.size": 8.25,  # points: 11 pixels
    "axes.labelsize": 8.25,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "text.color": INK,
    "lines.linewidth": 1.5,
}


@dataclass(frozen=True)
class Picture:
    """uri: of the image at its size in CSS pixels; narrow: of one drawn for a small screen, "" where one will do."""

    uri: str
    alt: str
    width: int
    height: int
    narrow: str = ""


def draw_svg(
    draw: Callable[[Axes], None], width: int, height: int, left: float = 62, bottom: float = 46, again: bool = False
) -> str:
    """An SVG of so many CSS pixels as a data URI, or inside `drawing_ahead` maybe a name for it. draw: can be pickled.
    left, bottom: margins in pixels; matplotlib's own layout would take three times as long and fails on long names.
    again: on the axes of the picture before, emptied; `draw` has to add lines and areas alone, one with a value among
    them, and set what else of axes it ever changes."""
    return draw_ahead(partial(_draw_now, draw, width, height, left, bottom, again))


def _draw_now(draw: Callable[[Axes], None], width: int, height: int, left: float, bottom: float, again: bool) -> str:
    with mpl.rc_context(_STYLE):
        axes = _emptied(_axes_of_all()) if again else _new_axes()
        figure = axes.get_figure(root=True)
        assert figure is not None
        figure.set_size_inches(width / 96, height / 96)
        draw(axes)
        left = max(left, _room_for_values(axes))
        right = _room_for_last_tick(axes)
        figure.subplots_adjust(left / width, bottom / height, 1 - right / width, 1 - 8 / height)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue().replace(INK, "currentColor").replace("'DejaVu Sans'", _FONT)
    text = re.sub(r"<metadata>.*?</metadata>|<!DOCTYPE.*?>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = text.replace("<defs>", _THEME + "<defs>", 1)
    return "data:image/svg+xml;base64," + base64.b64encode(text.encode()).decode()


def _new_axes() -> Axes:
    FigureCanvasSVG(figure := Figure())
    return figure.add_subplot()


@cache
def _axes_of_all() -> Axes:
    """Those that pictures are drawn on one after the other, which only `_emptied` gives out."""
    return _new_axes()


def _emptied(axes: Axes) -> Axes:
    for artist in [*axes.lines, *axes.collections, *axes.patches]:
        artist.remove()
    axes.relim()
    axes.autoscale()
    return axes


def _room_for_values(axes: Axes) -> float:
    """The left margin in pixels of a y axis that has a label: for it and the longest value."""
    values = axes.yaxis.get_major_formatter().format_ticks(list(axes.yaxis.get_majorticklocs()))
    return 22 + LETTER * max(map(len, values), default=0) if axes.get_ylabel() else 0


def _room_for_last_tick(axes: Axes) -> float:
    """The right margin in pixels: half of what stands below the last tick, which may be at the axis' end; of a name,
    which is turned or stands in the middle of its place, no more than of a number."""
    low, high = sorted(axes.get_xlim())
    ticks = [float(one) for one in axes.xaxis.get_majorticklocs()]
    names = axes.xaxis.get_major_formatter().format_ticks(ticks)
    letters = max((len(name) for tick, name in zip(ticks, names, strict=True) if low <= tick <= high), default=0)
    return max(12.0, min(26.0, 2 + LETTER * letters / 2))
