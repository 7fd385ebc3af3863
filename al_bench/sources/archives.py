"""Archives of data unpacked into a folder: whole or not at all, nothing outside of it, and no more than is allowed.

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
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from al_bench.errors import UserError, amount, of_files, printable, room
from al_bench.files import hold, named, open_file, sync_folder
from al_bench.progress import progress

logger = logging.getLogger(__name__)

_BLOCK_BYTES = 4096  # that even the smallest file takes on a disk
_SPARE_BYTES = 1 << 28
_ALWAYS_BYTES = 1 << 30  # whatever the archive's own size
_HEADER_BYTES = 1 << 16  # tarfile reads one whole, and takes the square of its length to look through it
_MOST_DEEP = 200  # folders in each other, which are made by as many calls in each other
_CORRUPTED = (tarfile.TarError, EOFError, lzma.LZMAError, zlib.error, KeyError, ValueError, OverflowError)


@dataclass(frozen=True)
class Limits:
    """What an archive may be unpacked to, more than published data sets are: ImageNet has 1.4 million files of 150 GB.

    gigabytes: in all; files: folders and links among them; times: as large as itself, from 1 GiB on.
    """

    gigabytes: float = 1000
    files: int = 10_000_000
    times: float = 200

    def __post_init__(self) -> None:
        """Raises UserError for a limit that is none."""
        for name, value in {"gb": self.gigabytes, "files": self.files, "times": self.times}.items():
            if not value > 0:  # nor nan
                raise UserError(f"--most-{name}={value:g} must be more than 0")

    def bytes_of(self, archive: Path) -> float:
        """How many it may be unpacked to."""
        return min(self.gigabytes * 1e9, max(_ALWAYS_BYTES, self.times * archive.stat().st_size))

    def check(self, archive: Path, count: int, needed: float) -> None:
        """Raises UserError for more than is allowed."""
        allowed = self.bytes_of(archive)
        if count > self.files or needed > allowed:
            raise UserError(
                f"{archive} would be more than {self.files:,} files or {allowed / 1e9:,.1f} GB, {self.times:,g} times "
                "its size: nothing is unpacked; if it is to be trusted, allow more by --most-files, --most-gb and "
                "--most-times"
            )


def unpack(archive: Path, into: Path, limits: Limits | None = None) -> tuple[Path, bool]:
    """The folder that an archive (tar; gz, bz2, xz) holds, below `into`, and whether it had to be unpacked.

    All is unpacked beside its place, which it takes only when it is complete: a folder that is there is whole.

    Raises UserError for an archive that is absent, corrupted, truncated, larger than `limits`, has more than one folder
    at its top or names anything outside of it, for names that the disk does not take, and for a disk without room.
    """
    if not archive.is_file():
        raise UserError(f"{archive} is not a file: name an archive such as cifar10_jpeg.tar.xz")
    with _reading(archive), named(into):
        reader = _Archive(archive, limits or Limits())
        top = reader.top()
        target = into / top
        with hold(into / f".{top}.lock", str(target)):
            if target.is_dir():
                return target, False
            if target.is_symlink() or target.exists():
                raise UserError(f"{target} is no folder, and {archive} has one of this name: move it away")
            partial = into / f".{top}.partial"
            shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed: the lock is ours
            try:
                reader.unpack(top, partial)
                (partial / top).rename(target)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
            sync_folder(into)
    return target, True


@contextmanager
def _reading(archive: Path) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except tarfile.FilterError as error:
        raise UserError(f"{archive} is not unpacked, for it reaches outside of its folder: {error}") from error
    except OSError as error:
        if error.errno is None:  # gzip and bz2 say so of their content
            raise _corrupted(archive, error) from error
        if (known := of_files(error)) is not None:
            raise known from error
        name = f" ({str(error.filename)[:200]})" if error.filename else ""
        raise UserError(
            f"{archive} is not unpacked: {error.strerror}{name}; mend that, or name another folder by --into"
        ) from error
    except _CORRUPTED as error:
        raise _corrupted(archive, error) from error


def _corrupted(archive: Path, error: Exception) -> UserError:
    why = " ".join(str(error).split())  # tarfile says it in a line for each kind of packing
    return UserError(f"{archive} is corrupted, truncated or no tar archive ({why}): get it anew")


@dataclass(frozen=True)
class _Archive:
    path: Path
    limits: Limits

    @contextmanager
    def _open(self) -> Iterator[tarfile.TarFile]:
        def refuse(end: float) -> None:
            self.limits.check(self.path, 0, end)

        with open_file(self.path) as file, _Tar.open(fileobj=file, refuse=refuse) as opened:  # type: ignore[call-overload]
            yield opened

    def top(self) -> str:
        """The one folder that the archive is said to hold, by its first member."""
        with self._open() as opened:
            first = opened.next()
        parts = [part for part in Path(first.name).parts if part != "."] if first else []
        if not parts or parts[0] in ("..", "/"):
            raise UserError(f"{self.path} does not begin with a folder: unpack it by hand")
        return parts[0]

    def unpack(self, top: str, into: Path) -> None:
        """Raises UserError, and OSError and those of `_CORRUPTED`."""
        count, needed = self._measure(top)
        logger.info(f"{printable(self.path)} holds {amount(count, 'file')} of together {room(needed)}")
        into.mkdir()
        free = shutil.disk_usage(into).free
        if needed + _SPARE_BYTES > free:
            raise UserError(
                f"{self.path} takes {room(needed)} unpacked and {into.parent} has {room(free)} free: "
                "name a folder on a larger disk"
            )
        with self._open() as opened, progress(f"unpacking {printable(self.path.name)}", count, "files") as bar:
            for member in opened:
                opened.extract(member, into, filter="data")
                bar.advance()
        if (into / top).is_symlink() or not (into / top).is_dir():
            raise UserError(f"{self.path} holds no folder {top} but a file of this name: unpack it by hand")

    def _measure(self, top: str) -> tuple[int, int]:
        """How many members the archive has, and how many bytes they take on a disk. Raises UserError for a second top,
        and for more than is allowed."""
        count = needed = 0
        with self._open() as opened:
            for member in opened:
                parts = [part for part in Path(member.name).parts if part != "."]
                if parts and parts[0] != top:
                    raise UserError(f"{self.path} holds {member.name} beside the folder {top}: unpack it by hand")
                if len(parts) > _MOST_DEEP:
                    raise UserError(f"{self.path} holds a name of {len(parts):,} parts, {_MOST_DEEP} are taken")
                count += 1
                needed += max(1, -(-member.size // _BLOCK_BYTES)) * _BLOCK_BYTES
                self.limits.check(self.path, count, needed)
        return count, needed


class _Tar(tarfile.TarFile):
    """Reads through `_Bounded`."""

    def __init__(self, name: Any, mode: Any, fileobj: Any, *, refuse: Any, **more: Any) -> None:
        super().__init__(name, mode, _Bounded(fileobj, refuse), **more)  # type: ignore[arg-type]  # nothing is written


@dataclass(frozen=True)
class _Bounded:
    """What an archive holds, unpacked as it is read. refuse: called with the place that is read up to.

    Whatever an archive says of itself, no more of it is unpacked than that.
    """

    file: IO[bytes]
    refuse: Any

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        self.refuse(self.file.tell() + size)
        return self.file.read(size)

    def seek(self, place: int) -> int:
        self.refuse(place)
        return self.file.seek(place)

    def tell(self) -> int:
        return self.file.tell()

    def close(self) -> None:
        self.file.close()
