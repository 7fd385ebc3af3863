"""What was answered, kept in step with `labels.jsonl`."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from al_bench.storage.answers import LABELS, Answer, Answers, LabelLog, Later, Line, NewClass, TakenBack
from al_bench.storage.asked import AskedPicture

_PAUSE = 60  # seconds between answers after which a person was elsewhere
_WINDOW = 300  # seconds of work over which a pace is taken
_MOST = 400  # answers, of which a pace is taken at most
_FEWEST = 5


class Ledger:
    """The lines of a run's log, folded in.

    answers: what holds. counts: answers that hold, by label; num_audit: of the audit set. taken_back: pictures without
    an answer since it was taken back, the last one last.
    """

    def __init__(self, folder: Path) -> None:
        self._log = LabelLog(folder / LABELS)
        self.answers = Answers()
        self.counts: Counter[str | None] = Counter()
        self.num_audit = 0
        self.taken_back: dict[int, None] = {}
        self._given: dict[int, Answer] = {}  # by line: answers that were not taken back
        self._timed: dict[int, Answer] = {}  # those of them that were given on the page
        self._lines_of: dict[int, list[int]] = {}  # by position: those lines
        self._pictures: dict[int, AskedPicture] = {}
        self._known: set[tuple[str, int | str, str]] = set()

    def read_new(self) -> int:
        """Folds in what was appended since, by whom ever; returns how many lines. Raises UserError for one that is
        none."""
        lines = self._log.read_new()
        for line in lines:
            self._add(line)
        return len(lines)

    def append(self, lines: list[Line]) -> None:
        """Keeps lines and folds them in. Raises UserError where the disk does not take them."""
        if lines:
            self._log.append(*lines)
        self.read_new()

    def knows(self, line: Line) -> bool:
        """Whether a line is there already: a browser that heard nothing back sends it again."""
        return _identity(line) in self._known

    def picture(self, position: int) -> AskedPicture | None:
        """A picture as its last answer has it."""
        return self._pictures.get(position)

    def num_answers(self, position: int) -> int:
        """How many answers to a picture were not taken back."""
        return len(self._lines_of.get(position, ()))

    def latest(self) -> Iterator[Answer]:
        """Answers that were not taken back, in the order in which they would be."""
        return iter(reversed(self._given.values()))

    def pace(self) -> float | None:
        """Labels a minute in the last minutes of work, pauses left out; None of too few."""
        times: list[datetime] = []
        worked = 0.0
        for answer in reversed(self._timed.values()):
            times.append(datetime.fromisoformat(answer.when))
            if len(times) > 1 and (gap := (times[-2] - times[-1]).total_seconds()) <= _PAUSE:
                worked += max(0.0, gap)
            if worked > _WINDOW or len(times) == _MOST:
                break
        steps = sum((later - sooner).total_seconds() <= _PAUSE for later, sooner in pairwise(times))
        return 60 * steps / worked if steps >= _FEWEST and worked else None

    def _add(self, line: Line) -> None:
        self._known.add(_identity(line))
        if isinstance(line, NewClass):
            self.answers.add(line)
            return
        number, before = self.answers.num_lines, self.answers.answer(line.position)
        self.answers.add(line)
        after = self.answers.answer(line.position)
        for answer, sign in ((before, -1), (after, 1)):
            if answer is not None:
                self.counts[answer.label] += sign
                self.num_audit += sign * answer.audit
        self.taken_back.pop(line.position, None)
        if isinstance(line, Answer):
            self._given[number] = line
            if line.seconds is not None:
                self._timed[number] = line
            self._lines_of.setdefault(line.position, []).append(number)
            self._pictures[line.position] = _asked(line)
        elif isinstance(line, Later):
            self._pictures.setdefault(line.position, AskedPicture(position=line.position, file=line.file))
        elif isinstance(line, TakenBack):
            if lines := self._lines_of.get(line.position):
                del self._given[taken := lines.pop()]
                self._timed.pop(taken, None)
            if after is None:
                self.taken_back[line.position] = None


def _identity(line: Line) -> tuple[str, int | str, str]:
    return line.event, line.name if isinstance(line, NewClass) else line.position, line.when


def _asked(answer: Answer) -> AskedPicture:
    kept = set(AskedPicture.model_fields) & set(Answer.model_fields)
    return AskedPicture.model_validate(answer.model_dump(include=kept))
