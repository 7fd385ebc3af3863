"""Lines over several data sets: their mean ranks, and how far apart these have to be; from five data sets on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from al_bench.analysis.curves import headline, is_better_higher
from al_bench.analysis.grouping import Group, Section
from al_bench.analysis.lines import areas, common_width
from al_bench.analysis.statistics.ranks import FEWEST_SETS, mean_ranks
from al_bench.report.figures.palette import line_looks
from al_bench.report.figures.plots import Line, dot_chart
from al_bench.report.figures.svg import Picture
from al_bench.report.measures import listed
from al_bench.report.tables import Cell, Table


@dataclass(frozen=True)
class Across:
    """table: a row a line, the best first; picture: the same with half of the critical difference to each side, so that
    lines whose whiskers do not meet are apart."""

    table: Table
    picture: Picture


def rank_across(sections: Sequence[Section]) -> Across | None:
    """By the area under the curve over the annotations that all lines have, the mean over seeds. None where no metric
    is the headline of five data sets that have three lines in common: of two sections of a data set the first counts,
    of those whose lines have annotations in common."""
    first = {section.groups[0].first.choices.get("dataset"): section for section in reversed(sections)}
    by_metric: dict[str, list[Section]] = {}
    for section in reversed(first.values()):
        by_metric.setdefault(headline(section.groups[0].first), []).append(section)
    name, own = max(by_metric.items(), key=lambda one: len(one[1]), default=("", []))
    lines, short = _common(own)
    found_areas = {id(section): _areas(_by_name(section), lines, name) for section in own}
    own = [section for section in own if found_areas[id(section)]]
    if len(own) < FEWEST_SETS or not lines:
        return None
    values = [found_areas[id(section)] for section in own]
    found = mean_ranks(np.array(values), is_better_higher(own[0].groups[0].first, name))
    if found is None:
        return None
    return _show(lines, short, own, name, found.ranks.tolist(), found.p, found.difference)


def _areas(groups: Mapping[str, Group], lines: Sequence[str], name: str) -> list[float]:
    """Of each line; empty where they have no annotations in common."""
    asked = [groups[line] for line in lines]
    width = common_width(asked, asked[0], name) if asked else None
    if width is None or len(width.lines) < len(asked):
        return []
    return [fmean(areas(group, name, width).values()) for group in asked]


def _by_name(section: Section) -> dict[str, Group]:
    """Its lines that ask for labels, and so have a curve; other configurations of one have a number, which stands for
    another on each data set."""
    first = [group for group in section.groups if group.variant == 0]
    return {group.name: group for group in first if any(len(run.cycles) > 1 for run in group.runs)}


def _common(sections: Sequence[Section]) -> tuple[list[str], list[str]]:
    """The lines that all have, which ranks need, and those that some lack, in the order in which they come."""
    known = [_by_name(section) for section in sections]
    every = list(dict.fromkeys(name for one in known for name in one))
    common = [name for name in every if all(name in one for one in known)]
    return common, [name for name in every if name not in common]


def _show(
    lines: Sequence[str], short: Sequence[str], sections: Sequence[Section], name: str, ranks: Sequence[float],
    p: float, difference: float,
) -> Across:  # fmt: skip
    """short: lines that are not ranked, as not all sections have them."""
    ordered = sorted(zip(ranks, lines, strict=True))
    sets = ", ".join(section.title for section in sections)
    unranked = f"; {listed(short)}, which not all of them have, {'is' if len(short) == 1 else 'are'} not ranked"
    about = (
        f"Mean ranks by the area under the curve of {name.replace('_', ' ')} on {len(sections)} data sets ({sets}): two"
        f" lines are apart where their ranks are by {difference:.2f} (Nemenyi, 5 %); that all are alike has p = {p:.3g}"
        f" (Friedman){unranked if short else ''}"
    )
    rows: list[list[Cell]] = [[line, rank] for rank, line in ordered]
    half = difference / 2
    shown = [rank for rank, _ in ordered]
    dots = Line(
        "mean rank", line_looks(1)[0], [], shown, [rank - half for rank in shown], [rank + half for rank in shown]
    )
    picture = dot_chart([dots], [line for _, line in ordered], [], "mean rank, 1 the best", about)
    return Across(Table("ranks", about, ["line", "mean rank"], rows), picture)
