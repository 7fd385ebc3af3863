"""What the queries of a run picked of its pool: each picture with the model's guess before it had the answer."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from al_bench.analysis.reading import Run
from al_bench.analysis.second_look import GuessedAnswers
from al_bench.storage.record import CycleRecord


@dataclass(frozen=True)
class Picked:
    """A row of a query. place: in its query; position: in the pool; label: -1 where it could not be told, None where
    labels are no classes; guess, of_guess, of_answer: see `QueryRecord`; what is not known is None."""

    cycle: int
    place: int
    position: int
    label: int | None
    guess: int | None
    of_guess: float | None
    of_answer: float | None
    score: float | None


def picked(run: Run) -> Iterator[Picked]:
    """Everything that a run's queries asked for in the pool, the initial labels included."""
    for record in run.cycles:
        yield from picked_in(record)


def picked_in(record: CycleRecord) -> Iterator[Picked]:
    """The same of one cycle, in the order of its query; nothing where it asked for synthetic inputs."""
    query = record.query
    measured = [rows or () for rows in (query.guesses, query.of_guess, query.of_answer, query.scores)]
    for place, position in enumerate(query.indices or ()):
        label = query.labels[place] if query.labels is not None else None
        known: list[Any] = [rows[place] if place < len(rows) else None for rows in measured]
        yield Picked(record.index, place, position, None if isinstance(label, list) else label, *known)


def guessed(run: Run) -> list[Picked]:
    """Those of a run with an answer that is a class and with a guess."""
    rows = (pick for record in run.cycles if record.query.guesses for pick in picked_in(record))
    known = (pick for pick in rows if pick.label is not None and pick.label >= 0)
    return [pick for pick in known if None not in (pick.guess, pick.of_guess, pick.of_answer)]


def answers_of_picks(picks: Sequence[Picked]) -> GuessedAnswers:
    """Of picks that are `guessed`."""
    return GuessedAnswers(
        np.array([pick.label for pick in picks], dtype=np.int64),
        np.array([pick.guess for pick in picks], dtype=np.int64),
        np.array([pick.of_guess for pick in picks], dtype=float),
        np.array([pick.of_answer for pick in picks], dtype=float),
    )


def count_confusions(picks: Iterable[Picked], num_classes: int) -> np.ndarray:
    """(K, K) int64: how many of `guessed` picks were answered by the row's class and taken for the column's."""
    counts = np.zeros((num_classes, num_classes), dtype=np.int64)
    for pick in picks:
        counts[pick.label, pick.guess] += 1
    return counts
