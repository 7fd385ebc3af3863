"""A queue of answers to look at again: those that a model disagrees with most, the most doubtful first.

Only what a model said of a picture before it learned the answer counts: a model that was trained on a wrong answer
agrees with it. Guesses that cycles store are such ones, since the model that chose a picture had not seen its answer.

Numpy alone, so that a page for labeling can have it too: scores are cleanlab's, which would bring pandas along and
more than a second of import. Its cut between issues and the rest (confident learning) is not drawn: it takes
probabilities to be of all kinds of pictures, and queries ask for those that a model is unsure of.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class GuessedAnswers:
    """Answers and what a model made of the same pictures before it had them; (N,) each.

    labels: of the answers, -1 where the picture could not be told; guesses: the most likely class; of_guess, of_answer:
    the probabilities of both, in [0, 1], NaN of an answer that there is not.
    """

    labels: np.ndarray
    guesses: np.ndarray
    of_guess: np.ndarray
    of_answer: np.ndarray


@dataclass(frozen=True)
class SecondLooks:
    """order: (D,) places in the N answers of all that a model disagrees with, the most doubtful first; scores: (D,) in
    [0, 1], by how much likelier than the answer it finds its guess."""

    order: np.ndarray
    scores: np.ndarray


def answers_of(probabilities: np.ndarray, labels: Sequence[int] | np.ndarray) -> GuessedAnswers:
    """From (N, K) probabilities, each of a model that did not learn from that answer, and (N,) labels, -1 for unknown.

    Raises ValueError where they are not of the same pictures, or a label is of no class.
    """
    known = np.asarray(labels, dtype=np.int64)
    if probabilities.ndim != 2 or len(probabilities) != len(known):
        raise ValueError(f"{probabilities.shape} probabilities are not of {len(known)} answers: use a row for each")
    if len(known) and not -1 <= known.min() <= known.max() < probabilities.shape[1]:
        raise ValueError(f"labels from {known.min()} to {known.max()} are none of {probabilities.shape[1]} classes")
    guesses = probabilities.argmax(1)
    rows = np.arange(len(known))
    of_answer = np.where(known < 0, np.nan, probabilities[rows, known])
    return GuessedAnswers(known, guesses, probabilities[rows, guesses], of_answer)


def look_again(answers: GuessedAnswers) -> SecondLooks:
    """The queue. A score is the probability of a guess minus that of the answer: one minus twice the normalized margin
    that cleanlab ranks by (Northcutt, Jiang and Chuang 2021, "Confident Learning")."""
    differs = np.flatnonzero((answers.labels >= 0) & (answers.guesses != answers.labels))
    scores = answers.of_guess[differs] - answers.of_answer[differs]
    order = np.lexsort((differs, -scores))
    return SecondLooks(differs[order], scores[order])
