"""The one kind of failure that a user can mend, and how a failure of the file system becomes one."""

import errno
import io
import os
from pathlib import Path
from traceback import walk_tb
from unicodedata import category

_ELSEWHERE = "or choose another place for it"
_FULL = (
    "the disk is full: {path} could not be written; free some space (or files, `df -i`) and start the same command "
    "again, everything finished before it is kept"
)
_DENIED = f"{{path}} may not be used: change its owner or its mode, {_ELSEWHERE}"
_UNLOCKED = "the disk of {path} has no locks, which keep two processes apart: choose a place on another disk"
_CROWDED = "too many files are open for {path}: raise the limit (`ulimit -n`), or run fewer cells at once"
_OBSTRUCTED = "{path}: {obstacle}: move it away, " + _ELSEWHERE
_SENTENCES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: "{path} cannot be written, its disk is read-only: choose a place on another disk",
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.ENOTDIR: _OBSTRUCTED,
    errno.EEXIST: _OBSTRUCTED,
    errno.ENOENT: "{path}: {obstacle}: put it back, " + _ELSEWHERE,
    errno.EISDIR: f"{{path}} is a folder where a file should be: move it away, {_ELSEWHERE}",
    errno.ENOTEMPTY: f"{{path}} is a folder with something in it: move it away, {_ELSEWHERE}",
    errno.ESTALE: "{path} is no longer what was opened, its server has lost it: mount that disk again",
    errno.ELOOP: f"{{path}} is a link that leads to itself, or where none may be: remove it, {_ELSEWHERE}",
    errno.ENAMETOOLONG: "the name {path} is too long for its disk: choose a shorter one",
    errno.EMFILE: _CROWDED,
    errno.ENFILE: _CROWDED,
    errno.ENOLCK: _UNLOCKED,
    errno.EOPNOTSUPP: _UNLOCKED,
    errno.ENOSYS: _UNLOCKED,
    errno.EFBIG: "{path} is larger than its disk, or a limit (`ulimit -f`), takes: choose another disk or limit",
    errno.EBUSY: "{path} is in use by something else: end that, or choose another place",
    errno.EIO: "the disk of {path} fails at reading or writing: look after it, or choose another disk",
}

_ESCAPED = ("Cc", "Cs", "Zl", "Zp")  # controls, lone surrogates, which stand for such bytes, separators of lines


class WordedError(ValueError):
    """An error whose message is for a person, whatever it cites of files."""

    def __str__(self) -> str:
        return printable(super().__str__())


class UserError(WordedError):
    """Something asked for cannot be done: one sentence that names the value and what would be right.

    Commands print the sentence without a traceback and exit with code 2; every other exception is a defect of ours and
    keeps its traceback, but for an OSError that `of_files` has a sentence for.
    """


class Pause(WordedError):  # noqa: N818  # no error: a command ends here and goes on later
    """A command ends in its order and the same one goes on later, once a person has done something: one sentence that
    says what. Commands print it and exit with code 0."""


def printable(text: object) -> str:
    """Some text, such as the name of a file, with an escape for what a terminal or a page does not take: bytes that are
    no UTF-8, ends of lines."""
    return "".join(one.encode("unicode_escape").decode() if category(one) in _ESCAPED else one for one in str(text))


def amount(count: int, word: str) -> str:
    """ "1 seed", "3 seeds"."""
    return f"{count:,} {word}" + ("" if count == 1 else "s")


def room(num_bytes: float) -> str:
    """Bytes on a disk: "1.1 GB", "40.2 MB", "5.8 KB"."""
    size, unit = next(one for one in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")) if num_bytes >= one[0] or one[0] == 1e3)
    return f"{num_bytes / size:,.1f} {unit}"


def of_files(error: OSError, path: Path | None = None) -> UserError | None:
    """A failure of the file system in a sentence that names the path and what to do; None where it is none.

    path: that was used, where the error does not say it itself.
    """
    place = path or error.filename2 or error.filename or _open_file(error)
    sentence = _SENTENCES.get(error.errno or 0)
    if sentence is None or not isinstance(place, str | bytes | Path):
        return None
    place = Path(os.fsdecode(place))
    return UserError(sentence.format(path=place, obstacle=_obstacle(place)))


def _open_file(error: OSError) -> str | None:
    """The file that was open where an error was raised: one of a write does not name it."""
    for frame, _ in reversed(list(walk_tb(error.__traceback__))):
        for value in frame.f_locals.values():
            if isinstance(value, io.IOBase) and isinstance(name := getattr(value, "name", None), str):
                return name
    return None


def _obstacle(path: Path) -> str:
    """What stands in the way of a path, in words."""
    for place in [*reversed(path.parents), path]:
        try:
            if place.is_symlink() and not place.exists():
                return f"{place} is a link that leads nowhere"
            if place.exists() and not place.is_dir():  # a device, too
                return f"{place} is a file where a folder should be"
        except OSError:
            break
    return "it is not there" if not os.path.lexists(path) else "it is there already"
