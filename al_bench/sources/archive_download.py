"""Published files that come in one archive: taken out of it while it is fetched, and no more of it than they need."""

import tarfile
import zlib
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path

from filelock import FileLock

from al_bench.errors import UserError
from al_bench.files import written_whole
from al_bench.sources.download import md5, streamed


def complete(folder: Path, checksums: Mapping[str, str], source: str) -> None:
    """Puts every absent file of a folder in place, from the archive beside the folder or from `source`.

    checksums: name of each file to its MD5; source: URL of a tar archive with a folder of the same name, of which
    nothing but these files is kept. A second process waits for the first and finds them.

    Raises UserError where one can neither be found nor fetched.
    """
    if all((folder / name).exists() for name in checksums):
        return
    archive = folder.resolve().parent / source.rsplit("/", 1)[-1]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            absent = {name: checksum for name, checksum in checksums.items() if not (folder / name).exists()}
            if absent:
                _put(folder, archive.as_uri() if archive.exists() else source, absent)
    except (OSError, EOFError, zlib.error, tarfile.TarError, HTTPException) as error:
        raise UserError(
            f"{folder} lacks files that could not be had ({error}): put {archive.name} into {archive.parent}, or set "
            "paths.data to where it lies"
        ) from error


def _put(folder: Path, url: str, absent: dict[str, str]) -> None:
    """Puts files of a packed archive in place. Raises OSError for one that is not in it as published."""
    with streamed(url) as stream, tarfile.open(fileobj=stream, mode="r|*") as opened:
        for member in opened:
            name = member.name.removeprefix(f"{folder.name}/")
            if name not in absent or not (file := opened.extractfile(member)):
                continue
            content = file.read()
            if md5(content) != absent.pop(name):
                raise OSError(f"{name} in the archive is corrupted")
            with written_whole(folder / name) as place:
                place.write(content)
            if not absent:
                return  # without the rest: of STL10's archive, most is images that nobody asked for
    raise OSError(f"the archive lacks {', '.join(absent)}")
