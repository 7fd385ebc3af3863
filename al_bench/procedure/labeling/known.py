"""What a person is told of the run so far: how good its model is, what more it takes, what to look at again."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from al_bench.analysis.forecast import MeasuredCycle, forecast, measured
from al_bench.analysis.second_look import GuessedAnswers, look_again
from al_bench.errors import amount
from al_bench.procedure.labeling.session import Session
from al_bench.storage.asked import Measured, SecondLook
from al_bench.storage.record import CycleRecord

_MOST_LOOKS = 100  # answers to look at again


def second_looks(records: Sequence[CycleRecord], session: Session) -> list[SecondLook]:
    """The answers to look at again, the most doubtful first: what the model that chose a picture said of it, which it
    would agree with once it has learned the answer; an answer that was changed since is not among them."""
    names, gone = session.class_names, session.list.gone
    number = {name: label for label, name in enumerate(names)}
    held = {one.position: one for one in session.answers.given() if one.label is not None and one.position not in gone}
    found = [
        (held[row.position], row)
        for row in _guessed(records)
        if row.position in held and number[held[row.position].label or ""] == row.label
    ]
    columns = [
        np.array(column)
        for column in zip(*((r.label, r.guess, r.of_guess, r.of_answer) for _, r in found), strict=True)
    ]
    if not found:
        return []
    return [
        SecondLook(
            position=answer.position,
            file=session.list.names[answer.position],
            answer=answer.label or "",
            when=answer.when,
            probability=row.of_answer,
            guess=names[row.guess],
            guess_probability=row.of_guess,
        )
        for answer, row in (found[place] for place in look_again(GuessedAnswers(*columns)).order[:_MOST_LOOKS].tolist())
    ]


class _Row(NamedTuple):
    position: int
    label: int
    guess: int
    of_guess: float
    of_answer: float


def _guessed(records: Sequence[CycleRecord]) -> list[_Row]:
    """Of each picture the row of its first answer, where a model had guessed at it: later ones had learned that."""
    rows, seen = [], set[int]()
    for query in (record.query for record in records):
        columns = (query.indices, query.labels, query.guesses, query.of_guess, query.of_answer)
        for position, label, guess, of_guess, of_answer in zip(*(column or () for column in columns), strict=False):
            known = isinstance(label, int) and label >= 0 and of_guess is not None and of_answer is not None
            if known and position not in seen:
                rows.append(_Row(position, label, guess, min(1.0, of_guess), min(1.0, of_answer)))
        seen.update(query.indices or ())
    return rows


def curve_of(records: Sequence[CycleRecord]) -> list[Measured]:
    """How many of the audit set's pictures each model had right."""
    return [Measured(annotations=one.annotations, correct=one.correct, images=one.count) for one in measured(records)]


def forecast_sentence(records: Sequence[CycleRecord], pool_size: int, goal: float) -> str | None:
    """How many labels an accuracy of `goal` will take, those of the audit set apart; None where nothing can be said.

    pool_size: pictures that can be labeled and trained on.
    """
    curve = [MeasuredCycle(one.annotations - one.count, one.correct, one.count) for one in measured(records)]
    found = forecast([one for one in curve if one.annotations > 0], goal, pool_size)
    wanted = f"{100 * goal:g} % on the audit set"
    if found.reason:
        return None
    if found.reached and found.annotations is not None:
        return f"{wanted} was measured first with {amount(found.annotations, 'label')} to train on."
    if found.annotations is None:
        return f"{wanted} is not likely with {amount(found.most, 'label')} to train on ({100 * found.chance:.0f} %)."
    low, high = found.intervals[0.95]
    end = f"{high:,}" if high is not None else f"more than {found.most:,}"
    return (
        f"{wanted} will take about {amount(found.annotations, 'label')} to train on (95 % interval: {low:,} to {end})."
    )
