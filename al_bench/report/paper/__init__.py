"""What only one paper's experiments show. A module here is one paper's: the report finds it because it stands here.

The next paper adds `paper/<name>.py` with `PAPER = Paper(...)`, and `paper/<name>.html` for what it shows. Its
functions look at what an experiment asks for or at what a stored run holds, and answer None where that is not the
paper's: nothing asks for the name of a strategy or of an experiment. Its tests stand in `tests/report/paper/`.
"""

import pkgutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from al_bench.analysis.grouping import Group
from al_bench.analysis.reading import Problem, Run
from al_bench.analysis.traces import Rows
from al_bench.analysis.versions import Side
from al_bench.report.figures.charts import Charts, Looks
from al_bench.report.figures.plots import Line
from al_bench.report.figures.svg import Picture
from al_bench.report.tables import Table


@dataclass(frozen=True)
class Panel:
    """One plot. name: of the group, or what is plotted of all; lines: for a legend."""

    name: str
    picture: Picture
    lines: Sequence[Line]


@dataclass(frozen=True)
class Addition:
    """What a paper adds to a section or an experiment. name: of its anchor; title: of the link to it, in a section;
    template: a file beside the paper's module, which finds `content` as `addition.content`; tables: written beside the
    page, those of a section under their names and the section's."""

    name: str
    title: str
    template: str
    content: object
    tables: Sequence[Table]


OfSection = Callable[[Charts, list[Problem]], Addition | None]
OfVersions = Callable[[Sequence[Side], Sequence[Run], Looks, str], Addition | None]
OfPair = Callable[[Rows, int], Sequence[str]]
OfGroup = Callable[[Group], Iterable[str]]


@dataclass(frozen=True)
class Paper:
    """What one paper adds; None: nothing there.

    of_section: to a section, below its images; adds to the problems what cannot be read. of_versions: to an experiment,
    from its versions (empty where there is one only), all stored runs, looks, and "range" or "deviation". of_pair:
    words below a synthetic image and its match, from its cycle's traces and its row among them. of_group: sentences on
    what has to be known of a group's numbers before they are read.
    """

    of_section: OfSection | None = None
    of_versions: OfVersions | None = None
    of_pair: OfPair | None = None
    of_group: OfGroup | None = None


@cache
def papers() -> tuple[Paper, ...]:
    """Every paper's, by the names of their modules."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple(import_module(f"{__name__}.{name}").PAPER for name in names)


def add_to_section(charts: Charts, problems: list[Problem]) -> list[Addition]:
    """What papers add to a section."""
    added = [paper.of_section(charts, problems) for paper in papers() if paper.of_section]
    return [one for one in added if one]


def add_to_experiment(sides: Sequence[Side], stored: Sequence[Run], looks: Looks, band: str) -> list[Addition]:
    """What papers add to an experiment."""
    added = [paper.of_versions(sides, stored, looks, band) for paper in papers() if paper.of_versions]
    return [one for one in added if one]


def add_to_pair(rows: Rows, row: int) -> list[str]:
    """What papers say of a synthetic image and its match."""
    return [word for paper in papers() if paper.of_pair for word in paper.of_pair(rows, row)]


def add_to_group(group: Group) -> list[str]:
    """What papers say of a group before its numbers are read."""
    return [sentence for paper in papers() if paper.of_group for sentence in paper.of_group(group)]
