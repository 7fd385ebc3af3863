"""What is stored of a query."""

from typing import ClassVar

from al_bench.storage.stored import Count, Stored


class LowestRecord(Stored):
    """As `Lowest`."""

    indices: list[Count]
    scores: list[float | None]


class QueryRecord(Stored):
    """What was asked for, a row per annotation; each None where it is not known or does not apply.

    indices: places in the pool; labels: integers, or lists of them where a row has several; scores: what it was chosen
    by; ranks: of the match among the neighbors of its synthetic image, 0 the nearest; entropies: predictive, in nats.
    guesses: the most likely class, where a label is one, by the model that chose the row, which had not seen the label;
    of_guess, of_answer: its probability, and that of the label, None where that is -1. They are in no initial labels
    and in no records from before they were kept. lowest: no rows of the query, the other end of its ranking; in no
    records from before it was kept.

    A cell that would be too large has fewer of what was measured than rows (`measured`).
    """

    measured: ClassVar[tuple[str, ...]] = ("scores", "entropies", "guesses", "of_guess", "of_answer")

    indices: list[Count] | None
    labels: list[int | list[int]] | None
    scores: list[float | None] | None
    ranks: list[Count] | None
    entropies: list[float | None] | None
    guesses: list[Count] | None = None
    of_guess: list[float | None] | None = None
    of_answer: list[float | None] | None = None
    lowest: LowestRecord | None = None
