"""What the two criteria of MAL's query do: the share of picks that each alone would have chosen, and the answers of the
discriminator on what is labeled and what is not. VAAL's discriminator is shown in the same way.

Any strategy that keeps traces of MAL's names is shown so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from al_bench.analysis.checking import UnreadableError
from al_bench.analysis.curves import Point
from al_bench.analysis.grouping import Group
from al_bench.analysis.reading import Problem, Run
from al_bench.analysis.traces import Rows, rows_of, trace_curves
from al_bench.report.figures.charts import ANNOTATIONS, Charts, alt_text, over_annotations
from al_bench.report.figures.palette import Look
from al_bench.report.figures.plots import Line, line_chart
from al_bench.report.measures import Measure
from al_bench.report.paper import Addition, Panel, Paper
from al_bench.report.tables import Cell, Table
from al_bench.storage.record import CycleRecord

Curves = Mapping[str, Sequence[Point]]

_OF_LABELED, _OF_POOL, _AUROC = "labeledness_of_labeled", "labeledness_of_pool", "auroc"
_SHARES = {"by_entropy": ("entropy alone", ""), "by_labeledness": ("discriminator alone", "4 2")}
_KINDS = {_OF_LABELED: ("labeled", ""), _OF_POOL: ("unlabeled", "4 2")}
_SHARE = Measure("share of the picks", "%", 100.0, 1, False)
_MOST_BINS = 20


@dataclass(frozen=True)
class Criteria:
    """Of a section. shares: a plot for each group that has any; histograms: of each group's first run, its last query,
    whose cycle its name says."""

    shares: Sequence[Panel]
    histograms: Sequence[Panel]
    table: Table


def show_criteria(charts: Charts, problems: list[Problem]) -> Criteria | None:
    """None where no group of the section recorded answers of a discriminator over its pool."""
    every = [(group, trace_curves(group.runs, problems, _auroc_of)) for group in charts.section.groups]
    found = [(group, curves) for group, curves in every if _OF_POOL in curves]
    if not found:
        return None
    shares = [_shares(charts, group, curves) for group, curves in found if any(name in curves for name in _SHARES)]
    histograms = [one for group, _ in found if (one := _histogram(charts, group)) is not None]
    return Criteria(shares, histograms, _table(charts, found))


def auroc(labeled: Sequence[float], unlabeled: Sequence[float]) -> float:
    """AUROC, 0 to 1: the probability that a labeled input's answer is above an unlabeled one's, half of it at ties."""
    own, others = np.asarray(labeled), np.sort(np.asarray(unlabeled))
    below, up_to = np.searchsorted(others, own, "left").sum(), np.searchsorted(others, own, "right").sum()
    return float((below + up_to) / (2 * len(own) * len(others)))


def _auroc_of(record: CycleRecord, rows: Rows) -> Mapping[str, float]:
    labeled, unlabeled = (_finite(rows, name) for name in (_OF_LABELED, _OF_POOL))
    return {_AUROC: auroc(labeled, unlabeled)} if labeled and unlabeled else {}


def _finite(rows: Rows, name: str) -> list[float]:
    return [value for value in rows.get(name, ()) if value is not None and np.isfinite(value)]


def _shares(charts: Charts, group: Group, curves: Curves) -> Panel:
    look = charts.looks[group.method, group.variant]
    lines = [
        over_annotations(words, replace(look, dash=dash), curves[name], _SHARE, charts.band)
        for name, (words, dash) in _SHARES.items()
        if name in curves
    ]
    alt = alt_text(f"{group.name}: {_SHARE.words}", lines)
    return Panel(group.name, line_chart(lines, ANNOTATIONS, _SHARE.axis, alt, span=(-4, 104)), lines)


def _histogram(charts: Charts, group: Group) -> Panel | None:
    """Of the first run that has the answers of a query, its last one; None where none has."""
    for run in group.runs:
        for record in reversed(run.cycles[1:]):
            answers = {name: _finite(_rows(run, record), name) for name in _KINDS}
            if all(answers.values()):
                name = f"{group.name}, cycle {record.index}"
                return _panel(charts.looks[group.method, group.variant], name, answers)
    return None


def _rows(run: Run, record: CycleRecord) -> Rows:
    try:
        return rows_of(run, record)
    except UnreadableError:
        return {}  # said where the curves were made


def _panel(look: Look, name: str, answers: Mapping[str, Sequence[float]]) -> Panel:
    every = np.concatenate([np.asarray(values) for values in answers.values()])
    edges = np.histogram_bin_edges(every, bins=min(_MOST_BINS, max(5, len(every) // 8)))
    lines = []
    for kind, (words, dash) in _KINDS.items():
        counts, _ = np.histogram(answers[kind], bins=edges)
        heights = (100 * counts / len(answers[kind])).tolist()
        x = np.repeat(edges, 2)[1:-1].tolist()
        lines.append(
            Line(words, replace(look, marker="", dash=dash), x, [height for height in heights for _ in range(2)])
        )
    found = auroc(*(answers[kind] for kind in _KINDS))
    alt = f"{name}: histograms of the discriminator's logits; one of a labeled image is higher in {100 * found:.0f} %"
    picture = line_chart(lines, "logit of being labeled", "share of the images, %", alt)
    return Panel(name, picture, lines)


def _table(charts: Charts, found: Sequence[tuple[Group, Curves]]) -> Table:
    """A row for each number of annotations: means over a cycle's picks, then over seeds."""
    names = (_OF_LABELED, _OF_POOL, "labeledness", _AUROC, *_SHARES)
    rows: list[list[Cell]] = []
    for group, curves in found:
        points = [{one.at: one.mean for one in curves.get(name, ())} for name in names]
        for one in curves[_OF_POOL]:
            *answers, area, entropy, labeledness = (by_number.get(one.at) for by_number in points)
            shares = [None if value is None else 100 * value for value in (area, entropy, labeledness)]
            rows.append([group.name, one.at, *answers, *shares])
    headings = [
        "method", "annotations", "mean logit, labeled", "unlabeled", "chosen", "AUROC, labeled above unlabeled, %",
        "chosen by entropy alone, %", "chosen by the discriminator alone, %",
    ]  # fmt: skip
    return Table("criteria", f"{charts.section.title}: what each criterion does in each query", headings, rows)


def add_criteria(charts: Charts, problems: list[Problem]) -> Addition | None:
    """To a section of which a group kept MAL's traces."""
    found = show_criteria(charts, problems)
    return Addition("criteria", "Criteria", "mal_query.html", found, [found.table]) if found else None


PAPER = Paper(of_section=add_criteria)
