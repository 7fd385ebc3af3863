"""ASAL's assumptions (Sec. 5.4), as what was measured inside its queries shows them.

Any strategy that searches for synthetic images and keeps the traces of ASAL's names is shown so.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from al_bench.analysis.curves import Point
from al_bench.analysis.grouping import Group
from al_bench.analysis.reading import Problem
from al_bench.analysis.traces import Rows, mean_of, trace_curves
from al_bench.errors import amount
from al_bench.report.figures.charts import ANNOTATIONS, Charts, alt_text, over_annotations
from al_bench.report.figures.palette import Look
from al_bench.report.figures.plots import line_chart
from al_bench.report.measures import Measure, listed, measure
from al_bench.report.paper import Addition, Panel, Paper
from al_bench.report.tables import Table
from al_bench.storage.record import CycleRecord

Curves = Mapping[str, Sequence[Point]]
Means = Mapping[str, float]

_IN_WORDS = {  # traces with their names and dashes in a plot
    "entropy_before": ("start", "1.5 1.5"),
    "entropy_after": ("synthetic", ""),
    "entropy_of_match": ("match", "4 2"),
    "pool_best_entropy": ("pool's best", "6 2 1.5 2"),
    "distance_to_match": ("distance", ""),
    "taken": ("share", ""),
}
_DERIVED = {"entropy_gap": "|H synthetic - H match|, nats", "taken": "nearest taken, %", "rank": "mean rank"}
_COLUMNS = (  # of the table; what is not derived is headed as the strategy declares it
    "entropy_before", "entropy_after", "pool_best_entropy", "entropy_of_match", "entropy_gap", "distance_to_match",
    "taken", "rank", "norm_before", "norm_after",
)  # fmt: skip
_FACTORS = {"taken": 100}
_SCANNED = "pool_best_entropy"  # the trace that a scan of the pool is made for


@dataclass(frozen=True)
class Assumption:
    """title: what is assumed; shows: how its plots read; found: what they come to."""

    title: str
    shows: str
    found: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Assumptions:
    """All of a section; empty where nothing was searched for."""

    plots: Sequence[Assumption]
    table: Table


def show_assumptions(charts: Charts, problems: list[Problem]) -> Assumptions | None:
    """None where no group of the section measured anything inside its queries."""
    found = [(group, trace_curves(group.runs, problems, derive_means)) for group in charts.section.groups]
    searched = [(group, curves) for group, curves in found if "entropy_after" in curves]
    if not searched:
        return None
    return Assumptions([one for one in _plots(charts, searched) if one.panels], _table(charts, searched))


def _plots(charts: Charts, found: Sequence[tuple[Group, Curves]]) -> list[Assumption]:
    largest = math.log(len(found[0][0].first.cycles[0].class_counts)) * 1.05
    nats, distance = measure("entropy"), Measure("distance to the match", "", 1.0, 2, True)

    def panels(names: Sequence[str], needed: str, shown: Measure, top: float | None) -> list[Panel]:
        return [_panel(charts, group, curves, names, shown, top) for group, curves in found if needed in curves]

    return [
        Assumption(
            "(i) The GAN makes images of high entropy",
            "Entropy of the images that a search starts from and of those it comes to, and of as many images of the "
            "pool that the model is least sure of: the nearer “synthetic” is to the top (log K) and to “pool's best”, "
            "the less it is the generator that keeps the method from the most uncertain images.",
            _sentence("mean entropy from start to synthetic", found, "entropy_after", _format_rise),
            panels(("entropy_before", "entropy_after", "pool_best_entropy"), "entropy_after", nats, largest),
        ),
        Assumption(
            "(ii) A real image lies near each synthetic one",
            "Mean distance from a synthetic image to its match, in the units of the method's own feature space, which "
            "are not comparable between methods, and the fraction of synthetic images whose nearest real one was "
            "labeled or taken already: where either rises, the near images are being used up.",
            _sentence("nearest image taken", found, "taken", _format_taken),
            [*panels(("distance_to_match",), "distance_to_match", distance, None), *_plot_taken(charts, found)],
        ),
        Assumption(
            "(iii) Near in feature space means near in entropy",
            "Entropy of the synthetic images against that of their matches: the gap between both lines is the "
            "uncertainty that is lost by asking for a real image in place of the synthetic one.",
            _sentence(
                "entropy of the matches in that of the synthetic images", found, "entropy_of_match", _format_kept
            ),
            panels(("entropy_after", "entropy_of_match"), "entropy_of_match", nats, largest),
        ),
    ]


def _panel(
    charts: Charts, group: Group, curves: Curves, names: Sequence[str], shown: Measure, top: float | None
) -> Panel:
    color = charts.looks[group.method, group.variant].color
    lines = [
        over_annotations(_IN_WORDS[name][0], Look(color, "", _IN_WORDS[name][1]), curves[name], shown, charts.band)
        for name in names
        if name in curves
    ]
    about = f"{group.name}: {'mean entropy, nats' if shown.unit else shown.words}"
    chart = line_chart(lines, ANNOTATIONS, shown.axis, alt_text(about, lines), span=None if top is None else (0.0, top))
    return Panel(group.name, chart, lines if len(lines) > 1 else [])


def _plot_taken(charts: Charts, found: Sequence[tuple[Group, Curves]]) -> list[Panel]:
    shown = measure("share")
    lines = [
        over_annotations(group.name, charts.looks[group.method, group.variant], curves["taken"], shown, charts.band)
        for group, curves in found
        if "taken" in curves
    ]
    about = "nearest taken, % of the synthetic images"
    return [Panel("Collisions", line_chart(lines, ANNOTATIONS, about, alt_text(about, lines)), lines)] if lines else []


def _sentence(about: str, found: Sequence[tuple[Group, Curves]], needed: str, words: Callable[[Means], str]) -> str:
    """A sentence on every group that has what it needs, by means over all its cycles."""
    each = [f"{group.name} {words(_means(curves))}" for group, curves in found if needed in curves]
    return f"{about}: {listed(each)}."


def _format_rise(means: Means) -> str:
    best = f" (pool's best {means['pool_best_entropy']:.2f})" if "pool_best_entropy" in means else ""
    return f"{means['entropy_before']:.2f} → {means['entropy_after']:.2f} nats{best}"


def _format_taken(means: Means) -> str:
    return f"{means['taken']:.0f} %"


def _format_kept(means: Means) -> str:
    kept = means["entropy_of_match"] / means["entropy_after"] if means["entropy_after"] else 0.0
    return f"{100 * kept:.0f} %"


def _means(curves: Curves) -> Means:
    return {name: _FACTORS.get(name, 1) * fmean(at.mean for at in points) for name, points in curves.items()}


def _table(charts: Charts, found: Sequence[tuple[Group, Curves]]) -> Table:
    """Means over all cycles of the means over seeds; "-" where a method does not measure it."""
    shown = [name for name in _COLUMNS if any(name in curves for _, curves in found)]
    rows = []
    for group, curves in found:
        rows.append([group.name, *(_means(curves).get(name) for name in shown)])
    about = f"{charts.section.title}: inside the queries, means over a cycle's images, then cycles, then seeds"
    return Table("assumptions", about, ["method", *(_heading(name, found) for name in shown)], rows)


def _heading(name: str, found: Sequence[tuple[Group, Curves]]) -> str:
    if name in _DERIVED:
        return _DERIVED[name]
    return next(group.first.recorded[name].heading for group, curves in found if name in curves)


def derive_means(record: CycleRecord, rows: Rows) -> dict[str, float]:
    """What follows from several traces of a cycle, and from the ranks of its matches:

    entropy_gap: of |H(synthetic) - H(match)|; rank: of the match among its synthetic image's neighbors, 0 the nearest;
    taken: the fraction of rows whose nearest neighbor was taken, so that another was asked for.
    """
    found: dict[str, float] = {}
    if "entropy_after" in rows and "entropy_of_match" in rows:
        pairs = zip(rows["entropy_after"], rows["entropy_of_match"], strict=True)
        gap = mean_of([abs(a - b) for a, b in pairs if a is not None and b is not None])
        found.update({} if gap is None else {"entropy_gap": gap})
    if ranks := record.query.ranks:
        found.update(rank=fmean(ranks), taken=sum(rank > 0 for rank in ranks) / len(ranks))
    return found


def add_assumptions(charts: Charts, problems: list[Problem]) -> Addition | None:
    """To a section of which a group kept ASAL's traces."""
    found = show_assumptions(charts, problems)
    return Addition("assumptions", "Assumptions", "asal.html", found, [found.table]) if found else None


def entropies_of_pair(rows: Rows, row: int) -> list[str]:
    """Of a synthetic image and of its match, in nats."""
    after, of_match = (_at(rows.get(name), row) for name in ("entropy_after", "entropy_of_match"))
    if after is None:
        return []
    return [f"H {after:.2f}" + (f" → {of_match:.2f}" if of_match is not None else "")]


def _at(rows: Sequence[float | None] | None, row: int) -> float | None:
    return rows[row] if rows is not None and row < len(rows) else None


def tell_scanned(group: Group) -> Iterator[str]:
    """Says so where a scan of the pool, which ASAL is there to save, is in the seconds of its queries."""
    held = [
        run
        for run in group.runs
        if any(_SCANNED in (one.trace or {}) and "scan" not in one.costs for one in run.cycles)
    ]
    if held:
        yield (
            f"the query's seconds hold a scan of the whole pool in {amount(len(held), 'run')} from before it was "
            "measured apart; it is made for the record alone and grows with the pool, which ASAL's own query does not."
        )


PAPER = Paper(of_section=add_assumptions, of_pair=entropies_of_pair, of_group=tell_scanned)
