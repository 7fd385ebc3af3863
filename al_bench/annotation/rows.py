"""What a file from elsewhere says of one picture: checked in itself, and not yet held against a run."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from al_bench.errors import UserError
from al_bench.files import open_file
from al_bench.storage.answers import Name

_MOST_BYTES: Final = 1 << 29  # of a file: some million answers
_LONGEST_WHO: Final = 200
_NO_TEXT: Final = re.compile("[\ud800-\udfff]")  # halves of characters, which no file can hold
_NAME: TypeAdapter[str] = TypeAdapter(Name)


@dataclass(frozen=True)
class Row:
    """One answer of a file.

    place: where it stands, for a person, such as "labels.csv, line 3". file: the picture, as the file names it. label:
    None: cannot tell. when: as `answers.now` gives it, None: not said. seconds: None: not said.
    """

    place: str
    file: str
    label: str | None
    who: str = ""
    when: str | None = None
    seconds: float | None = None


def checked_row(place: str, file: object, label: object, who: object, when: object, seconds: object) -> Row:
    """The row, where each value is one of its kind; "" and None: not said. Raises UserError, with the place."""
    if not isinstance(file, str) or not file:
        raise UserError(f"{place} names no picture: give its file, below the folder of pictures")
    return Row(place, file, _label(place, label), _who(place, who), _when(place, when), _seconds(place, seconds))


def quoted(value: object) -> str:
    """A value of a file in a sentence, the beginning of a long one."""
    text = str(value)
    return f"'{text}'" if len(text) <= 80 else f"'{text[:80]}...'"


def read_bounded(path: Path) -> bytes:
    """All of a file from elsewhere. Raises UserError where there is none, or it is too large to be one of answers."""
    if not path.is_file():
        raise UserError(f"{path} is no file: name a CSV file, or one that Label Studio exports as JSON or JSON-MIN")
    with open_file(path) as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise UserError(f"{path} is larger than {_MOST_BYTES >> 20} MiB: divide it, and take one part after the other")
    return content


def _label(place: str, label: object) -> str | None:
    if label is None:
        return None
    try:
        name = _NAME.validate_python(label, strict=True)
    except ValidationError:
        name = ""
    if not name.strip() or _NO_TEXT.search(name):
        right = "give 1 to 200 characters, none of them a control"
        raise UserError(f"{place} has the label {quoted(label)}: {right}")
    return name


def _who(place: str, who: object) -> str:
    text = "" if who is None else str(who)
    if len(text) > _LONGEST_WHO or _NO_TEXT.search(text):
        raise UserError(f"{place} says {quoted(text)} of who answered: give at most {_LONGEST_WHO} characters")
    return text


def _when(place: str, when: object) -> str | None:
    """In UTC; a time without a zone is taken for one."""
    if when is None or when == "":
        return None
    try:
        time = datetime.fromisoformat(str(when))
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        right = "give it as 2026-05-31T14:59:00+00:00, or leave it out"
        raise UserError(f"{place} says {quoted(when)} of when it was answered: {right}") from error
    return time.isoformat(timespec="milliseconds")


def _seconds(place: str, seconds: object) -> float | None:
    if seconds is None or seconds == "":
        return None
    try:
        value = float(str(seconds))
    except ValueError:
        value = -1.0
    if not isfinite(value) or value < 0:
        raise UserError(f"{place} says {quoted(seconds)} of the seconds it took: give 0 or more, or leave it out")
    return value
