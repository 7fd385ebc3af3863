"""`labels.jsonl` of a labeling run: every answer that a person gave, one JSON object a line, never changed.

It is the one thing that the run and the page where a person labels both hold on to: the page appends to it, the run
reads it, and either may end at any moment. What holds now is the fold of all lines, see `Answers`. A line that a kill
cut short was never said to be kept; the next line that is appended takes its place.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from al_bench.errors import UserError
from al_bench.files import parse_json
from al_bench.storage.lines import append_lines, read_lines

LABELS = "labels.jsonl"

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$")]
Position = Annotated[int, Field(ge=0, lt=1 << 53)]


def now() -> str:
    """This moment, as the lines have it: UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class _Line(BaseModel):
    """when: as `now` gives it. who: the person's name for themselves, maybe empty."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    when: Annotated[str, Field(max_length=40)]
    who: Annotated[str, Field(max_length=200)] = ""


class Answer(_Line):
    """What a person said of one picture.

    position: in the run's pool, which it keeps for good; file: the name that it had, below the folder of pictures;
    content: the first 16 hexadecimal digits of the SHA-256 of the file, None where nobody read it. label: the name of a
    class, None: cannot tell. seconds: from when the picture was shown; None of what was not given on the page. audit:
    whether it is of the audit set, which no model is trained on. asked_by: the cycle whose model asked for it, guess
    and probability: what that model, or the last one that looked at it before the answer, took it for, a class and from
    0 to 1; all None where none did. guess_shown: whether the person saw that.
    """

    event: Literal["answer"] = "answer"
    position: Position
    file: str
    content: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")] | None = None
    label: Name | None
    seconds: Annotated[float, Field(ge=0)] | None = None
    audit: bool = False
    asked_by: Position | None = None
    guess: Name | None = None
    probability: Annotated[float, Field(ge=0, le=1)] | None = None
    guess_shown: bool = False


class TakenBack(_Line):
    """The last answer to a picture that still held holds no more; an earlier one, if there is one, holds again."""

    event: Literal["back"] = "back"
    position: Position
    file: str


class Later(_Line):
    """A picture is to be asked for again after all others that are asked for now."""

    event: Literal["later"] = "later"
    position: Position
    file: str


class NewClass(_Line):
    """A class more, after those that there are; or of one that there is, another key. key: that gives it, None: any."""

    event: Literal["class"] = "class"
    name: Name
    key: Annotated[str, Field(min_length=1, max_length=20)] | None = None


Line = Answer | TakenBack | Later | NewClass
_LINE: TypeAdapter[Line] = TypeAdapter(Annotated[Line, Field(discriminator="event")])


class Answers:
    """What holds after some lines: fold them in by `add`, in order.

    classes: the names added, in order, each with its key or None. later: positions to ask for again, in order; an
    answer takes a position out. num_lines: how many were folded in.
    """

    def __init__(self, lines: Iterable[Line] = ()) -> None:
        self.classes: dict[str, str | None] = {}
        self.later: dict[int, None] = {}
        self.num_lines = 0
        self._of: dict[int, list[tuple[int, Answer]]] = {}  # by position: answers that were not taken back, with lines
        for line in lines:
            self.add(line)

    def add(self, line: Line) -> None:
        """Folds one line in."""
        match line:
            case Answer():
                self._of.setdefault(line.position, []).append((self.num_lines, line))
                self.later.pop(line.position, None)
            case TakenBack():
                if stack := self._of.get(line.position):
                    stack.pop()
            case Later():
                self.later.pop(line.position, None)
                self.later[line.position] = None
            case NewClass():
                self.classes[line.name] = line.key
        self.num_lines += 1

    def answer(self, position: int) -> Answer | None:
        """The answer that holds for a picture."""
        stack = self._of.get(position)
        return stack[-1][1] if stack else None

    def taken_back(self) -> list[int]:
        """Positions of pictures that were answered and have no answer any more."""
        return sorted(position for position, stack in self._of.items() if not stack)

    def given(self) -> list[Answer]:
        """All that hold, one a picture, in the order in which they were given."""
        held = sorted((stack[-1] for stack in self._of.values() if stack), key=lambda one: one[0])
        return [answer for _, answer in held]

    def last(self) -> Answer | None:
        """The answer that was given last of all that hold: what is taken back next."""
        held = max((stack[-1] for stack in self._of.values() if stack), key=lambda one: one[0], default=None)
        return None if held is None else held[1]


class LabelLog:
    """The file of lines, to read from where one was and to append to.

    path: of the file, which may not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read_to = 0  # bytes
        self._num_lines = 0

    def read_new(self) -> list[Line]:
        """The lines that were not read yet. Raises UserError for one that is none, naming it by its number."""
        found = read_lines(self.path, self._read_to)
        lines = [self._parse(line, number) for number, line in enumerate(found, self._num_lines + 1)]
        self._read_to += sum(map(len, found))
        self._num_lines += len(lines)
        return lines

    def append(self, *lines: Line) -> None:
        """Adds lines; when this returns they are on the disk. Raises UserError where the disk does not take them."""
        append_lines(self.path, [json.dumps(line.model_dump(), allow_nan=False) for line in lines], "labels")

    def _parse(self, line: bytes, number: int) -> Line:
        try:
            return _LINE.validate_python(parse_json(line))
        except (ValidationError, ValueError) as error:
            raise UserError(f"{self.path}, line {number} is no answer: put the file back from a copy") from error
