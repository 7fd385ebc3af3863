"""Answers of a file into a labeling run, all of them or none: what differs from what holds is appended as lines."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from al_bench.annotation.known_pictures import KnownPictures
from al_bench.annotation.labeling_run import LabelingRun
from al_bench.annotation.rows import Row, quoted
from al_bench.errors import UserError, amount, printable
from al_bench.files import open_file
from al_bench.progress import progress
from al_bench.storage.answers import Answer, Line, NewClass, now
from al_bench.storage.asked import AskedPicture

_SHOWN = 3  # rows that a refusal names, and persons whose answers were replaced
_CLASSES = 20  # that it offers
_AT_START = "to dataset.class_names"  # where a class can be added
_BY_COMMAND = "by `scripts/labels.py import --new-classes`"


@dataclass(frozen=True)
class Taken:
    """What came in. answers: that differ from what held; same: that do not; classes: that are new.

    replaced: answers that held before and hold no more, by who gave them; newer: how many of these were given after
    those that replace them. kept: answers that hold although the file says something else, by who gave them.
    """

    answers: int
    same: int
    classes: tuple[str, ...] = ()
    replaced: tuple[tuple[str, int], ...] = ()
    newer: int = 0
    kept: tuple[tuple[str, int], ...] = ()

    def __str__(self) -> str:
        words = amount(self.answers, "answer") + " taken"
        if self.replaced:
            words += f", {_by_whom(self.replaced, 'of them in place of others')}"
        if self.newer:
            words += f", {self.newer:,} of which had been given after those of the file"
        words += f", {self.same:,} the same as before"
        if self.kept:
            words += f", {_by_whom(self.kept, 'passed over, where others are kept')}"
        return f"{words}; classes added: {', '.join(map(printable, self.classes))}" if self.classes else words


@dataclass(frozen=True)
class AtStart:
    """What a run knows before it has asked. root: the folder of pictures; audit: positions of the audit set."""

    root: Path
    audit: frozenset[int]


class Holder(Protocol):
    """Whose pictures and classes an answer has to be of. root: the folder of the pictures."""

    @property
    def root(self) -> Path: ...

    @property
    def known(self) -> KnownPictures: ...

    @property
    def classes(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Beginning:
    """A run that has written nothing yet, see `Holder`."""

    root: Path
    known: KnownPictures
    classes: Sequence[str]


def refuse_answers(run: Holder, rows: Iterable[Row]) -> None:
    """Raises UserError, as `import_answers` at the start of a run does, for answers that it cannot take."""
    _new_classes(run, _placed(run, rows).values(), _AT_START)


def import_answers(
    folder: Path,
    rows: Iterable[Row],
    new_classes: bool = False,
    guess_shown: bool = False,
    start: AtStart | None = None,
    keep: bool = False,
) -> Taken:
    """Appends what differs from what holds; when this returns it is on the disk.

    new_classes: whether a class that there is not is added. guess_shown: whether who answered saw what the model takes
    a picture for. start: of a run that is being started and has maybe not asked yet. keep: whether pictures that have
    an answer keep it. Raises UserError, and appends nothing, where a row's picture or class is unknown, or two rows say
    different things of a picture.
    """
    run = LabelingRun(folder, start.root if start else None)
    placed = _placed(run, rows)
    held = {position: run.answers.answer(position) for position in placed}
    others = {one: before for one, before in held.items() if before and before.label != placed[one].label}
    differing = [one for one in placed if held[one] is None or (one in others and not keep)]
    taken = (placed[one] for one in differing)
    added = _new_classes(run, taken, None if new_classes else _AT_START if start else _BY_COMMAND)
    lines: list[Line] = [NewClass(when=now(), name=name) for name in added]
    asked = {one.position: one for one in run.asked}
    with progress("reading the answered pictures", len(differing), "pictures") as bar:
        for position in differing:
            known = held[position] or asked.get(position)
            audit = start is not None and position in start.audit
            lines.append(_answer(run, position, placed[position], known, guess_shown, audit))
            bar.advance()
    if lines:
        run.log.append(*lines)
    newer = sum(before.when > (placed[one].when or now()) for one, before in others.items())
    by_whom = tuple(Counter(before.who for before in others.values()).most_common())
    same = len(placed) - len(differing) - (len(others) if keep else 0)
    if keep:
        return Taken(len(differing), same, added, kept=by_whom)
    return Taken(len(differing), same, added, by_whom, newer)


def _by_whom(counts: Sequence[tuple[str, int]], what: str) -> str:
    """How many answers, and who gave how many of them, the first few persons by name."""
    named = [f"{printable(who) or 'somebody without a name'} {count:,}" for who, count in counts[:_SHOWN]]
    rest = sum(count for _, count in counts[_SHOWN:])
    words = ", ".join([*named, *([f"others {rest:,}"] if rest else [])])
    return f"{sum(count for _, count in counts):,} {what} (by {words})"


def _placed(run: Holder, rows: Iterable[Row]) -> dict[int, Row]:
    """The row of each picture, the last of several that agree."""
    placed: dict[int, Row] = {}
    unknown = []
    classes = frozenset(run.classes)
    for row in (_spelled(row, classes) for row in rows):
        position = _position(run, row)
        if position is None:
            unknown.append((row.file, row.place))
        elif placed.setdefault(position, row).label != row.label:
            said = " and ".join(f"{_said(one.label)} at {one.place}" for one in (placed[position], row))
            raise UserError(f"{quoted(row.file)} is {said}: leave one of them out")
        else:
            placed[position] = row
    if unknown:
        raise UserError(f"{_none_of_them(unknown, 'picture')}: name what lies in {run.root}, as it lies there")
    return placed


def _position(run: Holder, row: Row) -> int | None:
    found = sorted(run.known.find(row.file))
    if len(found) > 1:
        names = " or ".join(quoted(run.known.name(position)) for position in found)
        raise UserError(f"{row.place} names {quoted(row.file)}, which may be {names}: write one of these")
    return found[0] if found else None


def _spelled(row: Row, classes: frozenset[str]) -> Row:
    """With spaces around the class only where the class has them."""
    return row if row.label is None or row.label in classes else replace(row, label=row.label.strip())


def _new_classes(run: Holder, rows: Iterable[Row], addable: str | None) -> tuple[str, ...]:
    """In the order of the rows. Raises UserError where there are some and they have to be added first. addable: by
    what; None: they need not be."""
    classes = run.classes
    new = {row.label: row.place for row in rows if row.label is not None and row.label not in classes}
    if new and addable is not None:
        some = ", ".join(map(quoted, classes[:_CLASSES])) + (", ..." if len(classes) > _CLASSES else "")
        right = f"name one of {some}, or add it {addable}"
        raise UserError(f"{_none_of_them(list(new.items()), 'class')}: {right}")
    return tuple(new)


def _answer(
    run: LabelingRun, position: int, row: Row, known: Answer | AskedPicture | None, guess_shown: bool, audit: bool
) -> Answer:
    """known: of the picture by now, which says whether it is of the audit set and what a model takes it for; audit:
    that it is, where nothing is known yet."""
    name = run.known.name(position) or row.file
    of_model = {} if known is None else known.model_dump(include={"asked_by", "guess", "probability"})
    return Answer(
        when=row.when or now(),
        who=row.who,
        position=position,
        file=name.encode(errors="backslashreplace").decode(),
        content=_content(run.root / name),
        label=row.label,
        seconds=row.seconds,
        audit=audit or (known is not None and known.audit),
        guess_shown=guess_shown and of_model.get("guess") is not None,
        **of_model,
    )


def _content(picture: Path) -> str | None:
    """As `Answer.content`; None where the file cannot be read now."""
    try:
        with open_file(picture) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError:
        return None


def _said(label: str | None) -> str:
    return "cannot tell" if label is None else quoted(label)


def _none_of_them(found: Sequence[tuple[str, str]], what: str) -> str:
    """How many values are unknown, and the first of them, each with its place."""
    words = ", ".join(f"{quoted(value)} ({place})" for value, place in found[:_SHOWN])
    more = ", ..." if len(found) > _SHOWN else ""
    plural = "es" if what.endswith("s") else "s"
    count = f"one {what} is" if len(found) == 1 else f"{len(found):,} {what}{plural} are"
    return f"{count} none of the run's, {words}{more}"
