"""What queries asked for: how many of each class, and which pictures first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from al_bench.analysis.grouping import Group, Section, group_by
from al_bench.analysis.reading import Run
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.report.figures.svg import Picture
from al_bench.report.images import class_names, describe_label, picture, smaller, spread
from al_bench.report.measures import listed
from al_bench.report.tables import Cell, Table
from al_bench.storage.record import CycleRecord

MOST_CLASSES = 20  # that have a column of their own
_MOST_QUERIES = 12  # of a method on the page
_PICKS = 10
_WIDEST = 96  # pixels of a pick


@dataclass(frozen=True)
class Query:
    """How often one query asked for each class, mean over seeds. asked_for: how many classes it asked for, mean over
    seeds; left_out: those that no seed's asked for."""

    cycle: int
    annotations: int
    seeds: int
    counts: Sequence[float]
    asked_for: float
    left_out: Sequence[str]

    @property
    def shares(self) -> list[float]:
        """Of the most asked class, in [0, 1]."""
        most = max(self.counts)
        return [count / most if most else 0.0 for count in self.counts]


@dataclass(frozen=True)
class ClassCounts:
    """queries: of each method that made any, all of them; table: the same. classes: names of the columns, none where
    they are too many."""

    queries: Sequence[tuple[Group, Sequence[Query]]]
    classes: Sequence[str]
    table: Table

    def shown(self, queries: Sequence[Query]) -> list[Query]:
        """The first, the last and evenly spaced ones between."""
        return [queries[place] for place in spread(len(queries), _MOST_QUERIES)]


def count_classes(section: Section, classes: Sequence[str]) -> ClassCounts | None:
    """None where labels are no classes, or nothing but initial labels was asked for. classes: their names."""
    every = [(group, _queries(group, classes)) for group in section.groups]
    found = [(group, queries) for group, queries in every if queries]
    if not found:
        return None
    columns = classes if len(classes) <= MOST_CLASSES else ()
    rows: list[list[Cell]] = [
        [
            group.name, query.cycle, query.annotations, query.seeds, *(query.counts if columns else ()),
            query.asked_for, len(query.left_out), listed(query.left_out) if query.left_out else None,
        ]
        for group, queries in found for query in queries
    ]  # fmt: skip
    about = f"{section.title}: labels that each query brought, by class, mean over seeds"
    headings = ["method", "cycle", "annotations", "seeds", *columns, "classes asked for", "classes left out", "which"]
    return ClassCounts(found, columns, Table("asked", about, headings, rows))


def _queries(group: Group, classes: Sequence[str]) -> list[Query]:
    records = [record for run in group.runs for record in run.cycles[1:] if record.query.labels is not None]
    cycles = group_by(records, lambda record: record.index)
    return [_query(cycles[index], classes) for index in sorted(cycles)]


def _query(records: Sequence[CycleRecord], classes: Sequence[str]) -> Query:
    """What nobody could label is of no class; a line of images counts each of them."""
    found = [
        [label for row in record.query.labels or () for label in np.ravel(row) if label >= 0] for record in records
    ]
    each = np.array([np.bincount(np.array(labels, dtype=int), minlength=len(classes)) for labels in found])
    counts = each.sum(0)
    left_out = [name for name, count in zip(classes, counts, strict=True) if count == 0]
    means, asked_for = (counts / len(records)).tolist(), float((each > 0).sum(1).mean())
    return Query(records[0].index, records[0].annotations, len(records), means, asked_for, left_out)


Shots = Sequence[tuple[Picture, Sequence[str]]]  # pictures with what to say below each


@dataclass(frozen=True)
class Ends:
    """Both ends of a ranking. first: the pictures that a query asked for first, in its own order; last: those of lowest
    score, lowest first, none in records from before they were kept."""

    group: Group
    first: Shots
    last: Shots


@dataclass(frozen=True)
class Picks:
    """One cycle's queries of methods that rank, all of one seed."""

    seed: int
    cycle: int
    rows: Sequence[Ends]

    @property
    def shows_last(self) -> bool:
        """Whether any row has another end."""
        return any(row.last for row in self.rows)


def show_picks(section: Section, rebuilder: Rebuilder) -> list[Picks]:
    """Of the first seed of which a method ranked the pool: the first query, which methods that share a learner make by
    the same model, and the last. None where the data set cannot be had here."""
    ranking = [(group, run) for group in section.groups for run in group.runs if any(map(_ranks, run.cycles[1:]))]
    if not ranking:
        return []
    seed = min(run.seed for _, run in ranking)
    runs = [(group, run) for group, run in ranking if run.seed == seed]
    found = []
    for cycle in sorted({1, min(run.cycles[-1].index for _, run in runs)}):
        rows = [_ends(group, run, run.cycles[cycle], rebuilder) for group, run in runs if _ranks(run.cycles[cycle])]
        kept = [row for row in rows if row.first]
        found += [Picks(seed, cycle, kept)] if kept else []
    return found


def _ranks(record: CycleRecord) -> bool:
    """Whether a query chose images by a score of their own, and not as matches of synthetic ones."""
    query = record.query
    return query.indices is not None and query.scores is not None and query.ranks is None


def _ends(group: Group, run: Run, record: CycleRecord, rebuilder: Rebuilder) -> Ends:
    indices, names, lowest = (record.query.indices or [])[:_PICKS], class_names(run, rebuilder), record.query.lowest
    first = _shots(run, indices, [_words(record, row, names) for row in range(len(indices))], rebuilder)
    if lowest is None:
        return Ends(group, first, [])
    return Ends(group, first, _shots(run, lowest.indices[:_PICKS], list(map(_say_score, lowest.scores)), rebuilder))


def _shots(run: Run, indices: Sequence[int], words: Sequence[Sequence[str]], rebuilder: Rebuilder) -> Shots:
    """Without those that cannot be had here."""
    images = rebuilder.pool_images(run, indices)
    return [
        (picture(smaller(image, _WIDEST), f"pool image {index}"), said)
        for index, image, said in zip(indices, images, words[: len(indices)], strict=True)
        if image is not None
    ]


def _words(record: CycleRecord, row: int, names: Sequence[str]) -> list[str]:
    scores, labels = record.query.scores or (), record.query.labels
    words = [] if labels is None else [describe_label(labels[row], names)]
    return [*words, *_say_score(scores[row] if row < len(scores) else None)]


def _say_score(score: float | None) -> list[str]:
    return [] if score is None else [f"score {score:.4g}"]
