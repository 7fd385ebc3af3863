"""Published files: fetched with a time limit, and told apart from what is not them by their MD5."""

import hashlib
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen
from urllib.response import addinfourl

from al_bench.files import written_whole
from al_bench.progress import Progress, progress

logger = logging.getLogger(__name__)

_SECONDS = 10  # without an answer, before the next source: a network that drops packets would keep us for minutes
_BLOCK = 1 << 16


def fetched(url: str) -> bytes:
    """What lies at a URL. Raises OSError or http.client.HTTPException."""
    return b"".join(_blocks(url))


@contextmanager
def streamed(url: str) -> Iterator["Counted"]:
    """What lies at a URL, to be read once from its beginning, as far as the caller wants. Raises as `fetched`."""
    logger.info(f"fetching {url}")
    with urlopen(url, timeout=_SECONDS) as answer, progress("fetching", _length(answer), "bytes") as bar:
        yield Counted(answer, bar)


class Counted(io.RawIOBase):
    """An answer that shows how much of it was read."""

    def __init__(self, answer: addinfourl, bar: Progress) -> None:
        self.answer, self.bar = answer, bar

    def read(self, size: int = -1) -> bytes:
        block: bytes = self.answer.read(size)
        self.bar.advance(len(block))
        return block


def fetch(url: str, path: Path, checksum: str) -> None:
    """Puts what lies at a URL in place, whole or not at all, without ever holding all of it.

    checksum: its MD5. Raises OSError, also where it has another MD5, or http.client.HTTPException.
    """
    state = hashlib.md5(usedforsecurity=False)
    with written_whole(path) as file:
        for block in _blocks(url):
            state.update(block)
            file.write(block)
        if state.hexdigest() != checksum:
            raise OSError(f"what lies at {url} is corrupted or truncated")


def md5(content: bytes) -> str:
    """Its MD5 in hexadecimal, by which the publishers of data sets name their files."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def md5_of_file(path: Path) -> str:
    """`md5` of what a file holds, read block by block. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _blocks(url: str) -> Iterator[bytes]:
    with streamed(url) as stream:
        while block := stream.read(_BLOCK):
            yield block


def _length(answer: addinfourl) -> int:
    return int(answer.headers.get("Content-Length", 0))
