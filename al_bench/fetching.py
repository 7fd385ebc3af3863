"""Published files: fetched with a time limit, and told apart from what is not them by their MD5."""

import hashlib
import logging
from urllib.request import urlopen
from urllib.response import addinfourl

from al_bench.progress import progress

logger = logging.getLogger(__name__)

_SECONDS = 10  # without an answer, before the next source: a network that drops packets would keep us for minutes


def fetched(url: str) -> bytes:
    """What lies at a URL. Raises OSError or http.client.HTTPException."""
    logger.info(f"fetching {url}")
    parts = []
    with urlopen(url, timeout=_SECONDS) as answer, progress("fetching", _length(answer), "bytes") as bar:
        while part := answer.read(1 << 16):
            parts.append(part)
            bar.advance(len(part))
    return b"".join(parts)


def md5(content: bytes) -> str:
    """Its MD5 in hexadecimal, by which the publishers of data sets name their files."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _length(answer: addinfourl) -> int:
    return int(answer.headers.get("Content-Length", 0))
