"""One color, marker and dash per method, the same in every plot of a page and, where it can be, of every page."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from al_bench.analysis.grouping import Group
from al_bench.config.groups import members

# Okabe and Ito's colors for all kinds of color vision, without black and yellow, which vanish on a dark or a light
# page; the gray, the brown and the violet are ours. Markers tell apart what is printed in gray.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8A8A8A", "#A0693A", "#8E6BD1")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "h")
# Of areas, by class: Okabe and Ito's, then what a search over the 4,096 colors of four bits a channel found, each as
# far as can be from all before and from NEUTRAL, in normal vision and in three kinds of color blindness (Machado et
# al. 2009): no two of the 21 are nearer than 16 in CIELAB in any of them.
_AREAS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#8800FF", "#552200", "#112288",
    "#AAFF88", "#442255", "#DD0044", "#BB55FF", "#00EE99", "#770033", "#BBAA55", "#994477", "#8811CC", "#446633",
)  # fmt: skip
NEUTRAL = "#D9D9D9"  # of an area without a class
_DASHES = ("", "4 2", "1.5 1.5", "6 2 1.5 2")


@dataclass(frozen=True)
class Look:
    """How a line is drawn. dash: lengths in points, "" for a solid line."""

    color: str
    marker: str
    dash: str

    @property
    def pattern(self) -> tuple[float, tuple[float, ...] | None]:
        """The dash as matplotlib takes it."""
        return 0, tuple(float(length) for length in self.dash.split()) or None


def looks(groups: Iterable[Group]) -> dict[tuple[str, int], Look]:
    """The look of each (method, variant): the method's color and marker, the variant's dash; where that is taken, as by
    the first of five variants, another marker.

    A method prefers the color of its place among the choices of `conf/strategy`, so that it keeps it from page to page;
    where two of a page prefer the same, the later one takes the next that is free.
    """
    listed = list(groups)
    taken = _colors(sorted({group.method for group in listed}))
    found: dict[tuple[str, int], Look] = {}
    for group in sorted(listed, key=lambda one: one.variant):
        look = _look(taken[group.method], group.variant)
        place = _MARKERS.index(look.marker)
        free = (replace(look, marker=marker) for marker in (*_MARKERS[place:], *_MARKERS[:place]))
        used = {one for key, one in found.items() if key != (group.method, group.variant)}
        found[group.method, group.variant] = next((one for one in free if one not in used), look)
    return {(group.method, group.variant): found[group.method, group.variant] for group in listed}


def _colors(methods: list[str]) -> dict[str, int]:
    """A number for each method; those from 9 on share a color with another and have another dash.

    A method in a folder prefers what the strategy of its name does.
    """
    places = {name: place for place, name in enumerate(members("strategy"))}
    taken: dict[str, int] = {}
    own = {method: places.get(method.rpartition("/")[2]) for method in methods}
    for method in sorted(methods, key=lambda name: (own[name] is None, name)):
        number = (own[method] or 0) % len(_COLORS)
        while number in taken.values():
            number = number + 1 if len(taken) >= len(_COLORS) else (number + 1) % len(_COLORS)
        taken[method] = number
    return taken


def _look(number: int, variant: int) -> Look:
    dash = _DASHES[(variant + number // len(_COLORS)) % len(_DASHES)]
    return Look(_COLORS[number % len(_COLORS)], _MARKERS[number % len(_MARKERS)], dash)


def line_looks(count: int) -> list[Look]:
    """A color, a marker and a dash for each line that belongs to no method; lines that coincide are both seen."""
    return [_look(place, place) for place in range(count)]


def solid_looks(count: int) -> list[Look]:
    """As `line_looks` for lines whose dashes say something else."""
    return [_look(place, 0) for place in range(count)]


def class_looks(count: int) -> list[Look]:
    """A color for each class of the data, from the tenth on with a dash."""
    return [Look(_COLORS[place % len(_COLORS)], "", _DASHES[place // len(_COLORS) % 4]) for place in range(count)]


def area_colors(count: int) -> list[str]:
    """A color for each class of label maps, the same for a class of that place everywhere; the 21st has the first's."""
    return [_AREAS[place % len(_AREAS)] for place in range(count)]
