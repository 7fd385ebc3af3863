"""Where models and answers differ: which classes are taken for which, and which answers are worth a second look."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from al_bench.analysis.grouping import Group, Section
from al_bench.analysis.picked import Picked, answers_of_picks, count_confusions, guessed
from al_bench.analysis.reading import Run
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.analysis.second_look import SecondLooks, look_again
from al_bench.report.picks import MOST_METHODS, MOST_PICTURES, Album, Shown
from al_bench.report.queries import MOST_CLASSES
from al_bench.report.tables import Cell, Table

_MOST_ROWS = 500  # of a method's queue in the table


@dataclass(frozen=True)
class Confusion:
    """Of one method, all its runs. counts: (K, K), rows answers and columns guesses; of: how many picks."""

    group: Group
    counts: Sequence[Sequence[int]]
    of: int

    def share(self, row: int, column: int) -> float:
        """Of the answers of a class, in [0, 1]."""
        total = sum(self.counts[row])
        return self.counts[row][column] / total if total else 0.0


@dataclass(frozen=True)
class Queue:
    """Of one run. shown: its first pictures; length: of it; of: how many answers."""

    group: Group
    run: Run
    shown: Sequence[Shown]
    length: int
    of: int


@dataclass(frozen=True)
class Doubts:
    """confusions: of each method with guesses, none where there are too many classes for a table of their own; queues:
    of as many methods as have pictures; more: how many others; tables: all pairs of classes, and all of the queues."""

    confusions: Sequence[Confusion]
    queues: Sequence[Queue]
    more: int
    tables: Sequence[Table]


def show_doubts(section: Section, rebuilder: Rebuilder, classes: Sequence[str]) -> Doubts | None:
    """None where no cycle holds guesses, as those from before they were kept do not. classes: names of all."""
    picks = [(group, [(run, guessed(run)) for run in group.runs]) for group in section.groups]
    known = [(group, [(run, found) for run, found in runs if found]) for group, runs in picks]
    known = [(group, runs) for group, runs in known if runs]
    if not known:
        return None
    confusions = [_confusion(group, [pick for _, found in runs for pick in found], classes) for group, runs in known]
    queues, rows = [], []
    for place, (group, runs) in enumerate(known):
        run, found = runs[0]
        look, album = look_again(answers_of_picks(found)), Album(run, rebuilder, classes)
        rows += [[group.name, run.seed, *row] for row in _rows(found, look, album)]
        if place < MOST_METHODS and len(look.order):
            first = [found[at] for at in look.order[:MOST_PICTURES]]
            notes = [f"doubt {score:.2f}, cycle {pick.cycle}" for pick, score in zip(first, look.scores, strict=False)]
            queues.append(Queue(group, run, album.show(first, notes), len(look.order), len(found)))
    tables = [_pairs(section, confusions, classes), _tabulate(section, rows)]
    few = confusions if len(classes) <= MOST_CLASSES else []
    return Doubts(few, queues, max(0, len(known) - MOST_METHODS), tables)


def _confusion(group: Group, picks: Sequence[Picked], classes: Sequence[str]) -> Confusion:
    return Confusion(group, count_confusions(picks, len(classes)).tolist(), len(picks))


def _pairs(section: Section, confusions: Sequence[Confusion], classes: Sequence[str]) -> Table:
    """Every two classes of which one was taken for the other, the most frequent first."""
    rows: list[list[Cell]] = []
    for one in confusions:
        counts = np.array(one.counts)
        np.fill_diagonal(counts, 0)
        for place in np.argsort(-counts, axis=None, kind="stable")[: np.count_nonzero(counts)]:
            answer, guess = divmod(int(place), len(classes))
            rows.append([one.group.name, classes[answer], classes[guess], int(counts[answer, guess])])
    about = f"{section.title}: pictures that were answered by one class and taken for another when they were picked"
    return Table("confused", about, ["method", "answer", "guess", "pictures"], rows)


def _rows(picks: Sequence[Picked], look: SecondLooks, album: Album) -> list[list[Cell]]:
    found: list[list[Cell]] = []
    for rank, (at, score) in enumerate(zip(look.order[:_MOST_ROWS].tolist(), look.scores.tolist(), strict=False)):
        pick = picks[at]
        words = [album.name(pick.position), album.class_of(pick.label), album.class_of(pick.guess)]
        found.append([rank + 1, pick.cycle, pick.position, *words, score])
    return found


def _tabulate(section: Section, rows: Sequence[list[Cell]]) -> Table:
    columns = ["method", "seed", "rank", "cycle", "position", "name", "answer", "guess", "doubt"]
    about = f"{section.title}: answers to look at again, of one run of each method, the most doubtful first"
    return Table("second-look", about, columns, rows)
