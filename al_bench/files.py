"""Files that are there whole or not at all, and made by one process while others wait."""

import errno
import hashlib
import io
import json
import logging
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Literal, TypeVar

from filelock import FileLock, Timeout

from al_bench.errors import UserError, of_files, printable

logger = logging.getLogger(__name__)

_CORRUPTED = (ValueError, KeyError, TypeError, EOFError, FileNotFoundError)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]..")  # in names of files that are not UTF-8, which JSON has only alone
_Value = TypeVar("_Value")


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Turns a failure of the file system while `path` is written, or is locked, into one sentence for a person. One
    that names a file of another folder is left alone: the block reads that one."""
    try:
        yield
    except OSError as error:
        place = path if error.filename is None else Path(os.fsdecode(error.filename))
        own = place.name.startswith(f".{path.name}.")  # the one that is written before it takes the place
        if place.parent == path.parent and (sentence := of_files(error, path if own else place)):
            raise sentence from error
        raise


class LogFile(logging.FileHandler):
    """A log that ends, which is said once, where its file cannot be written: the terminal says the same and more."""

    def __init__(self, filename: str) -> None:
        super().__init__(filename, encoding="utf-8", delay=True)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            super().emit(record)
        except OSError:  # of the first line, which opens it
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's own name
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            self.emit = lambda record: None  # type: ignore[method-assign]
            with suppress(OSError):
                os.write(2, f"no log is kept: {of_files(error, Path(self.baseFilename)) or error}\n".encode())
        else:
            super().handleError(record)


class Console(logging.StreamHandler):  # type: ignore[type-arg]
    """What a terminal shows, whose controls no name of a file and nothing stored can give. It falls silent where its
    stream cannot be written, as a file on a disk that is full, and what the stream holds by then is no failure of the
    command at its end."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(map(printable, super().format(record).split("\n")))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's own name
        if isinstance(sys.exc_info()[1], OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)
        else:
            super().handleError(record)


@contextmanager
def written_whole(path: Path, lasting: bool = True, remade: bool = False) -> Iterator[IO[bytes]]:
    """A file to write in binary; it replaces `path` when the block ends well and leaves no trace when not.

    lasting: whether its name must outlive a power cut at once; False where another file of the folder, written after
    it, says that it is there. remade: whether the same command makes it again, so that nothing waits for the disk.
    Raises UserError where the disk does not take it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with named(path):
        try:
            with temporary.open("wb") as file:
                yield file
                file.flush()
                if not remade:
                    os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        if lasting and not remade:
            sync_folder(path.parent)


def output_file(path: Path) -> Path:
    """Where a link leads that a user names as a file to write. Raises UserError for a pipe or a device."""
    if (place := path.resolve()).exists() and not place.is_file():
        raise UserError(f"{path} is no file: name one")
    return place


def sync_folder(folder: Path) -> None:
    """Makes a rename inside `folder` last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: Any) -> None:
    """Writes `value` for a person to read; a list of numbers stays on one line."""
    with written_whole(path) as file:
        file.write(as_json(value).encode())


def as_json(value: Any, indent: int = 0) -> str:
    """JSON with one key per line and each list of plain values on one line."""
    pad = "  " * (indent + 1)
    if isinstance(value, dict) and value:
        rows = [f"{pad}{json.dumps(str(key))}: {as_json(item, indent + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(rows) + "\n" + "  " * indent + "}"
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return "[\n" + ",\n".join(pad + as_json(item, indent + 1) for item in value) + "\n" + "  " * indent + "]"
    return json.dumps(value, allow_nan=False)


def open_file(path: Path) -> io.BufferedReader:
    """A regular file to read; a pipe would keep its reader waiting. Raises OSError for all else."""
    kind = path.stat().st_mode
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):  # a folder says itself that it is one
        raise OSError(errno.EINVAL, "no regular file", str(path))
    return path.open("rb")


def read_json(path: Path) -> Any:
    """The value in `path`. Raises ValueError where it is not whole JSON, see `parse_json`, and OSError where it is no
    regular file."""
    with open_file(path) as file:
        return parse_json(file.read())


def parse_json(text: bytes) -> Any:
    """The value of a JSON text. Raises ValueError also for NaN, which is none, and for what is nested too deep to be
    ours."""
    from pydantic_core import from_json

    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError:
        if not _SURROGATE.search(text):
            raise
        from_json(_SURROGATE.sub(rb"\\u0000", text), allow_inf_nan=False)
        return json.loads(text)


def remembered(path: Path, make: Callable[[], Any]) -> Any:
    """The value in `path`; where it is not there whole, `make` makes it and it is written, so that a kill loses no more
    than what is being made."""
    try:
        return read_json(path)
    except (ValueError, FileNotFoundError):
        write_json(path, made := make())
        return made


def lock_of(path: Path, timeout: float = -1) -> FileLock:
    """A lock that the system takes back when its owner dies: on a disk that has none it fails, where filelock would
    take the file's mere existence for it. timeout: in seconds, -1: none."""
    return FileLock(path, timeout, fallback_to_soft=False)


@contextmanager
def hold(lock: Path, what: str) -> Iterator[None]:
    """One process at a time, by a lock file that the system takes back when its owner dies.

    what: is made meanwhile, for the log of those that wait. The folder is made. Raises UserError where the disk does
    not take the file, or has no locks.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    held = lock_of(lock)
    with named(lock):
        lock.touch()  # where no file can be made, waiting for one would not end
        try:
            held.acquire(timeout=0)
        except Timeout:
            logger.info(f"waiting for {what}, which another process is making")
            held.acquire()
    try:
        yield
    finally:
        with named(lock):
            held.release()


def make_once(
    files: Sequence[Path], what: str, read: Callable[[], _Value | None], make: Callable[[], _Value]
) -> _Value:
    """What `read` finds, or else what `make` makes; of two processes that need it, one makes it.

    files: of one folder, that `make` writes whole. what: they are, for the log. read: gives None where something has to
    be made, and raises ValueError, KeyError, TypeError, EOFError or FileNotFoundError for corrupted files, which are
    set aside.
    """
    try:
        found = read()
    except _CORRUPTED:
        found = None  # who has the lock looks again
    if found is not None:
        return found
    with hold(files[0].with_suffix(".lock"), what):
        found = _read_or_set_aside(files, read)
        if found is None:
            for left in [left for file in files for left in file.parent.glob(f".{file.name}.*")]:
                left.unlink()  # of a process that was killed
            found = make()
    return found


def _read_or_set_aside(files: Sequence[Path], read: Callable[[], _Value | None]) -> _Value | None:
    try:
        return read()
    except _CORRUPTED:
        asides = [set_aside(file).name for file in files if file.exists()]
        logger.warning(f"{files[0]} is corrupted: kept as {' and '.join(asides)} and made anew")
        return None


def digest(data: bytes) -> str:
    """SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def set_aside(path: Path, because: Literal["corrupted", "cut"] = "corrupted") -> Path:
    """Renames a file or folder that cannot be used, so that nothing is deleted; returns its new place."""
    number = 1
    while (aside := path.with_name(f"{path.name}.{because}-{number}")).exists():
        number += 1
    return path.rename(aside)
