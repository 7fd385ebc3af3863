"""Archives of data unpacked into a folder: whole or not at all, and nothing outside of it.

pooch unpacks too, but in place, so that a folder may be half there, and on Python 3.11 without the filter that keeps
members inside of it.
"""

import logging
import lzma
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from al_bench.errors import UserError
from al_bench.files import hold, name_full_disk, sync_folder
from al_bench.progress import progress

logger = logging.getLogger(__name__)

_BLOCK_BYTES = 4096  # that even the smallest file takes on a disk
_SPARE_BYTES = 1 << 28
_CORRUPTED = (tarfile.ReadError, EOFError, lzma.LZMAError, zlib.error)


def unpack(archive: Path, into: Path) -> tuple[Path, bool]:
    """The folder that an archive (tar; gz, bz2, xz) holds, below `into`, and whether it had to be unpacked.

    All is unpacked beside its place, which it takes only when it is complete: a folder that is there is whole.

    Raises UserError for an archive that is absent, corrupted, truncated, has more than one folder at its top or names
    anything outside of it, and for a disk without room.
    """
    if not archive.is_file():
        raise UserError(f"{archive} is not a file: name an archive such as cifar10_jpeg.tar.xz")
    with _reading(archive), name_full_disk(into):
        top = _top(archive)
        target = into / top
        with hold(into / f".{top}.lock", str(target)):
            if target.exists():
                return target, False
            partial = into / f".{top}.partial"
            shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed: the lock is ours
            try:
                _unpack(archive, top, partial)
                (partial / top).rename(target)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
            sync_folder(into)
    return target, True


@contextmanager
def _reading(archive: Path) -> Iterator[None]:
    try:
        yield
    except _CORRUPTED as error:
        why = " ".join(str(error).split())  # tarfile says it in a line for each kind of packing
        raise UserError(f"{archive} is corrupted, truncated or no tar archive ({why}): get it anew") from error
    except tarfile.FilterError as error:
        raise UserError(f"{archive} is not unpacked, for it reaches outside of its folder: {error}") from error


def _top(archive: Path) -> str:
    """The one folder that the archive is said to hold, by its first member."""
    with tarfile.open(archive) as opened:
        first = opened.next()
    parts = [part for part in Path(first.name).parts if part != "."] if first else []
    if not parts or parts[0] in ("..", "/"):
        raise UserError(f"{archive} does not begin with a folder: unpack it by hand")
    return parts[0]


def _unpack(archive: Path, top: str, into: Path) -> None:
    count, needed = _measure(archive, top)
    into.mkdir()
    free = shutil.disk_usage(into).free
    if needed + _SPARE_BYTES > free:
        raise UserError(
            f"{archive} takes {needed / 1e9:,.2f} GB unpacked and {into.parent} has {free / 1e9:,.2f} GB free: "
            "name a folder on a larger disk"
        )
    with tarfile.open(archive) as opened, progress(f"unpacking {archive.name}", count, "files") as bar:
        for member in opened:
            opened.extract(member, into, filter="data")
            bar.advance()


def _measure(archive: Path, top: str) -> tuple[int, int]:
    """How many members the archive has, and how many bytes they take on a disk. Raises UserError for a second top."""
    count = needed = 0
    with tarfile.open(archive) as opened:
        for member in opened:
            parts = [part for part in Path(member.name).parts if part != "."]
            if parts and parts[0] != top:
                raise UserError(f"{archive} holds {member.name} beside the folder {top}: unpack it by hand")
            count += 1
            needed += -(-member.size // _BLOCK_BYTES) * _BLOCK_BYTES
    return count, needed
