"""The pictures that each query picked: what they are called, what the model took them for, what was answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from al_bench.analysis.grouping import Group, Section
from al_bench.analysis.picked import Picked, picked, picked_in
from al_bench.analysis.reading import Run
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.errors import printable
from al_bench.report.figures.svg import Picture
from al_bench.report.images import photo, smaller, spread
from al_bench.report.tables import Cell, Table

MOST_METHODS = 12  # of a section with pictures
MOST_CYCLES = 6  # of a method
LEAST_CYCLES = 2  # the first and the last, on a page of many methods
MOST_PICTURES = 12  # of a cycle
_MOST_ROWS = 5_000  # of the table
_MANY = MOST_METHODS * MOST_CYCLES  # queries of a page whose pictures are shown
_WIDEST = 96  # pixels of a picture
_LONGEST = 40  # letters of a name below its picture


@dataclass(frozen=True)
class Shown:
    """A picked picture. picture: None where it cannot be had here; name: in full; words: below it, a line each, the
    name shortened to its end; disagrees: whether guess and answer differ."""

    picture: Picture | None
    name: str
    words: Sequence[str]
    disagrees: bool


@dataclass(frozen=True)
class CyclePicks:
    """The first pictures of one query; more: how many others that are not shown."""

    cycle: int
    annotations: int
    shown: Sequence[Shown]
    more: int


@dataclass(frozen=True)
class RunPicks:
    """Of one run, the first, the last and evenly spaced ones between; more: how many other queries."""

    group: Group
    run: Run
    cycles: Sequence[CyclePicks]
    more: int


@dataclass(frozen=True)
class Gallery:
    """runs: one of each method; more: how many other methods; table: what they picked, the initial labels too."""

    runs: Sequence[RunPicks]
    more: int
    table: Table


class Album:
    """A run's pool to look at: pictures and names by position, words of classes. classes: their names."""

    def __init__(self, run: Run, rebuilder: Rebuilder, classes: Sequence[str]) -> None:
        self._run, self._rebuilder, self._classes = run, rebuilder, classes
        self._names = getattr(rebuilder.dataset(run), "names", None)

    def name(self, position: int) -> str:
        """The file's below the folder of its data set, or its place in the training split."""
        if self._names is None or position >= len(self._names):
            return f"position {position}"
        return printable(self._names[position])

    def class_of(self, label: int | None) -> str | None:
        """A class's name; None for no class."""
        if label is None or label < 0:
            return None
        return self._classes[label] if label < len(self._classes) else f"class {label}"

    def pictures(self, positions: Sequence[int]) -> list[Picture | None]:
        """None for each that cannot be had here."""
        images = self._rebuilder.pool_images(self._run, positions)
        return [
            None if image is None else photo(smaller(image, _WIDEST), self.name(position))
            for position, image in zip(positions, images, strict=True)
        ]

    def show(self, picks: Sequence[Picked], notes: Sequence[str]) -> list[Shown]:
        """notes: the last line below each, "" for none."""
        shots = self.pictures([pick.position for pick in picks])
        return [
            Shown(shot, self.name(pick.position), self._words(pick, note), _disagrees(pick))
            for pick, shot, note in zip(picks, shots, notes, strict=True)
        ]

    def _words(self, pick: Picked, note: str) -> list[str]:
        name, guess = self.name(pick.position), self.class_of(pick.guess)
        words = [name if len(name) <= _LONGEST else f"…{name[1 - _LONGEST :]}"]
        if guess is not None:
            sure = "" if pick.of_guess is None else f", {100 * pick.of_guess:.0f}\N{NO-BREAK SPACE}%"
            words.append(f"model: {guess}{sure}")
        if pick.label is not None:
            words.append(f"answer: {self.class_of(pick.label) or 'cannot tell'}")
        return [*words, *([note] if note else [])]


def cycles_of(methods: int) -> int:
    """Of how many queries of each method a page of so many shows pictures."""
    return max(LEAST_CYCLES, min(MOST_CYCLES, _MANY // max(1, methods)))


def show_gallery(
    section: Section, rebuilder: Rebuilder, classes: Sequence[str], most_cycles: int = MOST_CYCLES
) -> Gallery | None:
    """None where nothing was picked from a pool. classes: names of the section's classes; most_cycles: of a method."""
    runs = [(group, run) for group in section.groups if (run := next(filter(_picks_any, group.runs), None)) is not None]
    if not runs:
        return None
    shown = [_run_picks(group, run, Album(run, rebuilder, classes), most_cycles) for group, run in runs[:MOST_METHODS]]
    kept = [one for one in shown if one.cycles]
    return Gallery(kept, max(0, len(runs) - MOST_METHODS), _tabulate(section, runs, rebuilder, classes))


def _picks_any(run: Run) -> bool:
    return any(record.query.indices for record in run.cycles[1:])


def _run_picks(group: Group, run: Run, album: Album, most_cycles: int) -> RunPicks:
    asked = [record for record in run.cycles[1:] if record.query.indices]
    cycles = []
    for record in (asked[place] for place in spread(len(asked), most_cycles)):
        first = list(islice(picked_in(record), MOST_PICTURES))
        more = len(record.query.indices or ()) - len(first)
        notes = ["" if pick.score is None else f"score {pick.score:.4g}" for pick in first]
        cycles.append(CyclePicks(record.index, record.annotations, album.show(first, notes), more))
    return RunPicks(group, run, cycles, len(asked) - len(cycles))


def _tabulate(
    section: Section, runs: Sequence[tuple[Group, Run]], rebuilder: Rebuilder, classes: Sequence[str]
) -> Table:
    rows: list[list[Cell]] = []
    for group, run in runs:
        album = Album(run, rebuilder, classes)
        for pick in islice(picked(run), _MOST_ROWS - len(rows)):
            rows.append([group.name, run.seed, *_row(pick, album)])
    which = f"the first {_MOST_ROWS:,} pictures" if len(rows) == _MOST_ROWS else "every picture"
    about = f"{section.title}: {which} that one run of each method asked for, cycle 0 without a model"
    columns = [
        "method", "seed", "cycle", "place", "position", "name", "guess", "its probability", "answer",
        "its probability to the model", "score",
    ]  # fmt: skip
    return Table("picks", about, columns, rows)


def _row(pick: Picked, album: Album) -> list[Cell]:
    answer = None if pick.label is None else album.class_of(pick.label) or "cannot tell"
    return [
        pick.cycle, pick.place, pick.position, album.name(pick.position), album.class_of(pick.guess), pick.of_guess,
        answer, pick.of_answer, pick.score,
    ]  # fmt: skip


def _disagrees(pick: Picked) -> bool:
    return pick.guess is not None and pick.label is not None and pick.label >= 0 and pick.guess != pick.label
