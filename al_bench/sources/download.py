"""Published files: fetched by pooch, whole or not at all, and told apart from what is not them by their MD5."""

import gzip
import logging
import re
import shutil
import tarfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from hashlib import md5
from http.client import HTTPException
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pooch
import requests

from al_bench.errors import UserError
from al_bench.files import hold, named
from al_bench.progress import progress
from al_bench.sources.looking import is_only_looking

logger = logging.getLogger(__name__)

SECONDS = 10  # without an answer, before the next source: a network that drops packets would keep us for minutes
MOST_BYTES = 1 << 32  # of a published file, unpacked: STL10's largest has 2.8 GB
_BLOCK = 1 << 16
_BROKEN = (EOFError, zlib.error, tarfile.TarError, HTTPException)  # content that is cut, beside OSError


def complete(
    folder: Path, checksums: Mapping[str, str], get: Callable[[Path, Mapping[str, str]], None], remedy: str
) -> None:
    """Puts every absent file of a folder in place; a second process waits for the first and finds them.

    checksums: name of each file to its MD5. get: called with the folder and those that are absent. remedy: what a
    person can do instead. Raises UserError where one can neither be found nor fetched, and leaves no folder then.
    """
    if all((folder / name).exists() for name in checksums):
        return
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        with hold(folder / ".lock", f"the files of {folder}"):
            absent = {name: checksum for name, checksum in checksums.items() if not (folder / name).exists()}
            if absent:
                get(folder, absent)
    except (OSError, *_BROKEN) as error:
        with suppress(OSError):  # as where another process has begun to fetch
            for one in made:
                (one / ".lock").unlink(missing_ok=True)
                one.rmdir()
        why = "nothing is fetched to be looked at" if is_only_looking() else error  # which names each address
        raise UserError(f"{folder} lacks files that could not be had ({why}): {remedy}") from error


def refuse_network(url: str) -> None:
    """Raises OSError inside `only_looking`, but for a file that is here."""
    if is_only_looking() and not url.startswith("file:"):
        raise OSError(f"{url} is not asked, for what only looks fetches nothing")


def fetch(urls: Sequence[str], path: Path, checksum: str) -> None:
    """Puts a published file in place, from the first URL that has it; what lies there as .gz is unpacked.

    checksum: MD5 of the file itself. Raises OSError, which names what was wrong with each URL.
    """
    problems = []
    for url in urls:
        try:
            refuse_network(url)
            with named(path):
                pooch.get_logger().setLevel("WARNING")  # it would print beside our own line
                pooch.retrieve(url, f"md5:{checksum}", path.name, path.parent, downloader=_download)
            return
        except (OSError, *_BROKEN) as error:
            problems.append(f"{url}: {_say(error)}")
        except ValueError:  # pooch's word for another MD5
            problems.append(f"{url} is corrupted or truncated")
    raise OSError("; ".join(problems))


def complete_by_name(url: str, folder: Path) -> Path:
    """The file at a URL whose name ends in the beginning of its SHA-256, as torch.hub names weights, in a folder.

    It is fetched where it is absent. Raises UserError where it can neither be found nor fetched, or is corrupted.
    """
    path = folder / url.rsplit("/", 1)[-1]
    if not path.exists():
        remedy = f"put {path.name} there, which {url} has"
        complete(folder, {path.name: ""}, lambda _folder, _absent: _fetch_by_name(url, path), remedy)
    status = path.stat()
    if not _has_its_name(path, status.st_size, status.st_mtime_ns):
        raise _corrupted(path)
    return path


def _fetch_by_name(url: str, path: Path) -> None:
    partial = path.with_name(f".{path.name}.partial")  # of one process, for the folder is locked
    partial.unlink(missing_ok=True)
    try:
        refuse_network(url)
        with named(path):
            pooch.get_logger().setLevel("WARNING")
            pooch.retrieve(url, None, partial.name, partial.parent, downloader=_download)
        if not pooch.file_hash(str(partial)).startswith(_sum_in_name(path)):
            raise OSError(f"{url} is corrupted or truncated")
        partial.replace(path)
    except requests.RequestException as error:
        raise OSError(f"{url}: {_say(error)}") from error
    finally:
        partial.unlink(missing_ok=True)


@lru_cache(maxsize=8)  # half a gigabyte is read in half a second, and weights are asked for in every cycle
def _has_its_name(path: Path, size: int, changed: int) -> bool:
    found: str = pooch.file_hash(str(path))
    return found.startswith(_sum_in_name(path))


def _sum_in_name(path: Path) -> str:
    found = re.search(r"-([0-9a-f]{8,64})$", path.stem)
    assert found is not None, f"{path.name} does not end in its sum"
    return found[1]


def _say(error: BaseException) -> str:
    """What was wrong, in few words: of a connection that fails requests tells every layer."""
    if isinstance(error, requests.Timeout):
        return "timed out"
    return "the server cannot be reached" if isinstance(error, requests.ConnectionError) else str(error)


def check(path: Path, checksum: str) -> None:
    """Raises UserError for a file that has not this MD5, by which the publishers of data sets name their files."""
    status = path.stat()
    if _md5(path, status.st_size, status.st_mtime_ns) != checksum:
        raise _corrupted(path)


@lru_cache(maxsize=16)  # a page reads a data set once for each of its settings
def _md5(path: Path, size: int, changed: int) -> str:
    return str(pooch.file_hash(str(path), "md5"))


def read_checked(path: Path, checksum: str) -> bytes:
    """What a file holds, which is the same that was checked; else as `check`."""
    content = path.read_bytes()
    if md5(content, usedforsecurity=False).hexdigest() != checksum:
        raise _corrupted(path)
    return content


def _corrupted(path: Path) -> UserError:
    return UserError(f"{path} is corrupted or truncated: remove it, and it is fetched again")


def _download(url: str, output_file: str, _pooch: pooch.Pooch | None) -> None:
    """Writes what lies at a URL, as pooch asks its downloaders to: over HTTP, or a file's."""
    logger.info(f"fetching {url}")
    path = Path(output_file)
    path.unlink()  # pooch makes it for nobody else to read
    if url.startswith("file:"):
        shutil.copyfile(unquote(urlsplit(url).path), path)
    else:
        with progress("fetching", 0, "bytes") as bar:
            plain = {"Accept-Encoding": "identity"}  # else a server may pack it, and another MD5 is found
            download = pooch.HTTPDownloader(progressbar=bar, chunk_size=_BLOCK, timeout=SECONDS, headers=plain)
            download(url, output_file, None)
    if url.endswith(".gz"):
        packed = path.rename(path.with_name(f"{path.name}.gz"))
        try:
            _unpack(packed, path)
        finally:
            packed.unlink()


def _unpack(packed: Path, path: Path) -> None:
    """Raises OSError, EOFError or zlib.error for what is corrupted, or more than any published file."""
    with gzip.open(packed) as file, path.open("wb") as place:
        while part := file.read(_BLOCK):
            place.write(part)
            if place.tell() > MOST_BYTES:
                raise OSError(f"it has more than {MOST_BYTES:,} bytes unpacked, and no such file has")
