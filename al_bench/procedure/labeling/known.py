"""What a person is told of the run so far: how good its model is, what more it takes, what to look at again."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from al_bench.analysis.forecast import Measured as Point
from al_bench.analysis.forecast import forecast, measured
from al_bench.analysis.second_look import answers_of, look_again
from al_bench.procedure.labeling.session import Session
from al_bench.storage.asked import Measured, SecondLook
from al_bench.storage.record import CycleRecord

_MOST_LOOKS = 100  # answers to look at again


class Doubts:
    """What models said of pictures before they learned the answers, which they would agree with afterwards."""

    def __init__(self) -> None:
        self._said: dict[int, list[float]] = {}

    def add(self, positions: Sequence[int], probabilities: Tensor) -> None:
        """Keeps (Q, K) probabilities of pictures whose answers the model had not seen."""
        self._said.update(zip(positions, probabilities.tolist(), strict=True))

    def queue(self, session: Session) -> list[SecondLook]:
        """The answers to look at again, the most doubtful first."""
        names, number = session.class_names, {name: label for label, name in enumerate(session.class_names)}
        held = [one for one in session.answers.given() if one.position in self._said and one.label is not None]
        held = [one for one in held if one.position not in session.list.gone]
        if not held:
            return []
        said = np.zeros((len(held), len(names)))  # a model that knew fewer classes gives the others nothing
        for row, one in enumerate(held):
            said[row, : len(self._said[one.position])] = self._said[one.position]
        answers = answers_of(said, [number[one.label or ""] for one in held])
        return [
            SecondLook(
                position=held[row].position,
                file=session.list.names[held[row].position],
                answer=held[row].label or "",
                probability=min(1.0, float(answers.of_answer[row])),
                guess=names[int(answers.guesses[row])],
                guess_probability=min(1.0, float(answers.of_guess[row])),
            )
            for row in look_again(answers).order[:_MOST_LOOKS].tolist()
        ]


def curve_of(records: Sequence[CycleRecord]) -> list[Measured]:
    """How many of the audit set's pictures each model had right."""
    return [Measured(annotations=one.annotations, correct=one.correct, images=one.count) for one in measured(records)]


def forecast_sentence(records: Sequence[CycleRecord], audit_size: int, pool_size: int, goal: float) -> str | None:
    """How many labels an accuracy of `goal` will take, those of the audit set apart; None where nothing can be said.

    pool_size: pictures that can be labeled and trained on.
    """
    curve = [Point(one.annotations - audit_size, one.correct, one.count) for one in measured(records)]
    found = forecast([one for one in curve if one.annotations > 0], goal, pool_size)
    wanted = f"{100 * goal:g} % on the audit set"
    if found.reason:
        return None
    if found.reached:
        return f"{wanted} was measured first with {found.annotations:,} labels to train on."
    if found.annotations is None:
        return f"{wanted} is not likely with {found.most:,} labels to train on ({100 * found.chance:.0f} %)."
    low, high = found.intervals[0.95]
    end = f"{high:,}" if high is not None else f"more than {found.most:,}"
    return f"{wanted} will take about {found.annotations:,} labels to train on (95 % interval: {low:,} to {end})."
