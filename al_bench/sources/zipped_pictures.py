"""Pictures in a zip archive, read where they are: nothing is unpacked.

zipfile.Path tells no size and no checksum, by which pictures are known, and opens what is decoded before it is checked.
"""

import io
import lzma
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from al_bench.errors import UserError
from al_bench.files import open_file

MOST_BYTES = 1 << 28

_CORRUPTED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError),
    *(ValueError, KeyError, NotImplementedError, RuntimeError),
)


@dataclass(frozen=True)
class ZippedPicture:
    """One file of an archive; see `decoding.Picture`. size: in bytes, unpacked; checksum: its CRC-32."""

    archive: zipfile.ZipFile
    name: str
    size: int
    checksum: int

    def open(self, mode: Literal["rb"], /) -> IO[bytes]:
        """Raises OSError where its content is not what was packed, or no picture for its size."""
        if self.size > MOST_BYTES:
            raise OSError(f"it has {self.size:,} bytes unpacked, and a picture has {MOST_BYTES:,} at most")
        try:
            return io.BytesIO(self.archive.read(self.name))  # of more than its size no byte is read
        except _CORRUPTED as error:
            raise OSError(str(error)) from error

    def __str__(self) -> str:
        return f"{self.archive.filename}/{self.name}"


def zipped_pictures(path: Path) -> dict[str, ZippedPicture]:
    """The files of an archive by the last part of their names.

    Raises UserError for an archive that is absent, corrupted or truncated.
    """
    try:
        open_file(path).close()
        archive = zipfile.ZipFile(path)
    except (OSError, *_CORRUPTED) as error:
        raise UserError(f"{path} cannot be read as a zip archive ({error}): get it anew") from error
    files = [info for info in archive.infolist() if not info.is_dir()]
    return {
        info.filename.rsplit("/", 1)[-1]: ZippedPicture(archive, info.filename, info.file_size, info.CRC)
        for info in files
    }
