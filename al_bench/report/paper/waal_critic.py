"""What WAAL's critic says in each query: the mean of g over the pool, over what is labeled and over what was chosen.

Beside these, the share of the picks that the uncertainty alone would have made.

A critic that tells both sets apart has another mean on each; where all are alike, g moves no score past another. Any
strategy that keeps the traces of WAAL's names is shown so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from al_bench.analysis.curves import Point
from al_bench.analysis.grouping import Group
from al_bench.analysis.reading import Problem
from al_bench.analysis.traces import trace_curves
from al_bench.report.figures.charts import ANNOTATIONS, Charts, alt_text, over_annotations
from al_bench.report.figures.plots import line_chart
from al_bench.report.measures import Measure
from al_bench.report.paper import Addition, Panel, Paper
from al_bench.report.tables import Cell, Table

Curves = Mapping[str, Sequence[Point]]

_SHOWN = {"critic_of_pool": ("pool", ""), "critic_of_labeled": ("labeled", "4 2"), "critic": ("chosen", "1.5 1.5")}
_OF_UNCERTAINTY = ("uncertainty", "by_uncertainty")
_MEAN = Measure("mean g", "", 1.0, 3, False)


@dataclass(frozen=True)
class Critics:
    """Of a section."""

    panels: Sequence[Panel]
    table: Table


def show_critics(charts: Charts, problems: list[Problem]) -> Critics | None:
    """None where no group of the section recorded the mean of a critic over its pool."""
    every = [(group, trace_curves(group.runs, problems, lambda record, rows: {})) for group in charts.section.groups]
    found = [(group, curves) for group, curves in every if "critic_of_pool" in curves]
    if not found:
        return None
    return Critics([_panel(charts, group, curves) for group, curves in found], _table(charts, found))


def _panel(charts: Charts, group: Group, curves: Curves) -> Panel:
    look = charts.looks[group.method, group.variant]
    lines = [
        over_annotations(words, replace(look, dash=dash), curves[name], _MEAN, charts.band)
        for name, (words, dash) in _SHOWN.items()
        if name in curves
    ]
    chart = line_chart(lines, ANNOTATIONS, _MEAN.axis, alt_text(f"{group.name}: {_MEAN.words}", lines))
    return Panel(group.name, chart, lines)


def _table(charts: Charts, found: Sequence[tuple[Group, Curves]]) -> Table:
    """A row for each number of annotations: means over a cycle's images, then over seeds."""
    rows: list[list[Cell]] = []
    for group, curves in found:
        points = {name: {one.at: one.mean for one in curves.get(name, ())} for name in (*_SHOWN, *_OF_UNCERTAINTY)}
        seeds = {one.at: one.seeds for one in curves.get("by_uncertainty", ())}
        for at in points["critic_of_pool"]:
            pool, labeled, chosen, uncertainty, alone = (by_number.get(at) for by_number in points.values())
            apart = [None if one is None or pool is None else one - pool for one in (labeled, chosen)]
            share = None if alone is None else 100 * alone
            rows.append([group.name, at, pool, *apart, uncertainty, share, seeds.get(at)])
    headings = [
        "method", "annotations", "g of the pool", "labeled minus pool", "chosen minus pool", "U of the chosen",
        "chosen by U alone, %", "seeds that say so",
    ]  # fmt: skip
    return Table("critic", f"{charts.section.title}: what the critic says in each query", headings, rows)


def add_critics(charts: Charts, problems: list[Problem]) -> Addition | None:
    """To a section of which a group kept WAAL's traces."""
    found = show_critics(charts, problems)
    return Addition("critic", "Critic", "waal_critic.html", found, [found.table]) if found else None


PAPER = Paper(of_section=add_critics)
