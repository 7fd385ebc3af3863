"""Whether what a browser sends is of the pictures that the run has now: it may have been kept there for days."""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from al_bench.annotation.operations import Give
from al_bench.annotation.pictures import Below, content_of
from al_bench.annotation.stamp import Stamp, stamp_of
from al_bench.errors import UserError
from al_bench.storage.picture_list import PICTURES, PictureList


class UnfitError(UserError):
    """What is refused for good: sent again it would be refused again. status: of HTTP."""

    def __init__(self, sentence: str, status: HTTPStatus) -> None:
        super().__init__(sentence)
        self.status = status


class Fitting:
    """A run's pictures, to hold what comes against.

    folder: of the run. asked: names by position, of what is asked now; all others are looked up in the run's list,
    which is read for them alone: it may have a million lines.
    """

    def __init__(self, folder: Path) -> None:
        self.asked: Mapping[int, str] = {}
        self._path = folder / PICTURES
        self._read: tuple[Stamp | None, PictureList] | None = None

    def name(self, position: int, known: str | None) -> str:
        """What a picture is called now. known: what it was called when it was last heard of, None: it never was. Raises
        UnfitError where the run has no such picture."""
        if (asked := self.asked.get(position)) is not None:
            return asked
        names = self._list.names
        if position < len(names):
            return names[position]
        if known is None:
            sentence = f"the run asked for no picture {position}, which its list does not have: load the page again"
            raise UnfitError(sentence, HTTPStatus.BAD_REQUEST)
        return known

    def refuse_other(self, given: Give, root: Path, name: str) -> None:
        """Raises UnfitError for an answer to another picture than the one at its position now. root: the folder of
        pictures; name: that one's. A picture that was renamed is the same; where no content tells, a name that it once
        had does."""
        position, shown = given.picture.position, given.picture.file
        now = _content(Below(root, name)) if given.content else None
        if now is None and (shown == name or self._list.had(position, shown)):
            return
        if now is None or now != given.content:
            there = "is another picture by now" if shown == name else f"is not what picture {position} is now, {name}"
            said = "cannot tell" if given.label is None else given.label
            raise UnfitError(f"{shown} {there}: the answer ({said}) was to what it was before", HTTPStatus.CONFLICT)

    @property
    def _list(self) -> PictureList:
        stamp = stamp_of(self._path)
        if self._read is None or self._read[0] != stamp:
            self._read = stamp, PictureList(self._path)
        return self._read[1]


def _content(picture: Below) -> str | None:
    """None where the file cannot be read now."""
    try:
        return content_of(picture)
    except (UserError, OSError):
        return None
