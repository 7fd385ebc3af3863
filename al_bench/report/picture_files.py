"""Pictures of a large page as files beside it: a browser opens a small page at once, and reads what is looked at."""

import base64
import re
from pathlib import Path

from al_bench.files import digest, named

LARGEST = 3_000_000  # characters of a page that keeps its pictures inside, so that it can be sent as one file

_ENDS = {"svg+xml": "svg", "png": "png", "webp": "webp"}
_INSIDE = re.compile(r'(?P<attribute>src|srcset)="data:image/(?P<kind>svg\+xml|png|webp);base64,(?P<data>[\w+/=]+)"')


def take_pictures_out(html: str, folder: Path) -> str:
    """The page with its pictures as files of `folder`, each once, named by content; as it is where it is small.

    folder: beside the page, which refers to it by its name.
    """
    if len(html) <= LARGEST:
        return html
    folder.mkdir(parents=True, exist_ok=True)

    def take(found: re.Match[str]) -> str:
        data = base64.b64decode(found["data"])
        name = f"{digest(data)[:16]}.{_ENDS[found['kind']]}"
        if not _is_whole(folder / name, len(data)):
            with named(folder / name):
                (folder / name).write_bytes(data)  # thousands of waits for the disk would take longer than the page
        lazy = ' loading="lazy"' if found["attribute"] == "src" else ""
        return f'{found["attribute"]}="{folder.name}/{name}"{lazy}'

    return _INSIDE.sub(take, html)


def _is_whole(file: Path, size: int) -> bool:
    """Whether a file named by its content is there to its last byte."""
    try:
        return file.stat().st_size == size
    except FileNotFoundError:
        return False
