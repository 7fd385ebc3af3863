"""Published files that come in one archive: taken out of it while it is fetched, and no more of it than they need.

pooch fetches an archive whole, and of STL10's 2.6 GB most is images that nobody asked for; so this is our own.
"""

import logging
import tarfile
from collections.abc import Mapping
from functools import partial
from hashlib import md5
from pathlib import Path
from urllib.request import urlopen

from tqdm.utils import CallbackIOWrapper

from al_bench.files import written_whole
from al_bench.progress import progress
from al_bench.sources.download import MOST_BYTES, SECONDS, complete, refuse_network

logger = logging.getLogger(__name__)

_PART_BYTES = 1 << 20


def complete_from_archive(folder: Path, checksums: Mapping[str, str], source: str) -> None:
    """Puts every absent file of a folder in place, from the archive beside the folder or from `source`.

    checksums: name of each file to its MD5; source: URL of a tar archive with a folder of the same name, of which
    nothing but these files is kept. Raises UserError where one can neither be found nor fetched.
    """
    archive = folder.resolve().parent / source.rsplit("/", 1)[-1]
    remedy = f"put {archive.name} into {archive.parent}, or set paths.data to where it lies"
    url = archive.as_uri() if archive.exists() else source
    complete(folder, checksums, partial(_take, url), remedy)


def _take(url: str, folder: Path, absent: Mapping[str, str]) -> None:
    """Puts files of an archive in place. Raises OSError for one that is not in it as published."""
    refuse_network(url)
    logger.info(f"fetching {url}")
    with urlopen(url, timeout=SECONDS) as answer:
        total = int(answer.headers.get("Content-Length", 0))
        with (
            progress("fetching", total, "bytes") as bar,
            tarfile.open(fileobj=CallbackIOWrapper(bar.advance, answer), mode="r|*") as opened,
        ):
            _put(opened, folder, dict(absent))


def _put(opened: tarfile.TarFile, folder: Path, absent: dict[str, str]) -> None:
    for member in opened:
        name = member.name.removeprefix(f"{folder.name}/")
        if name not in absent or not (file := opened.extractfile(member)):
            continue
        if member.size > MOST_BYTES:
            raise OSError(f"{name} in the archive has {member.size:,} bytes, and no such file has")
        found = md5(usedforsecurity=False)
        with written_whole(folder / name) as place:
            while part := file.read(_PART_BYTES):
                found.update(part)
                place.write(part)
            if found.hexdigest() != absent.pop(name):
                raise OSError(f"{name} in the archive is corrupted")
        if not absent:
            return
    raise OSError(f"the archive lacks {', '.join(absent)}")
