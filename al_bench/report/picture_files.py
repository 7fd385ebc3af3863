"""Pictures of a large page as files beside it: a browser opens a small page at once, and reads what is looked at."""

import base64
import re
from pathlib import Path

from al_bench.files import digest, written_whole

LARGEST = 3_000_000  # characters of a page that keeps its pictures inside, so that it can be sent as one file

_ENDS = {"svg+xml": "svg", "png": "png", "webp": "webp"}
_INSIDE = re.compile(r'(?P<attribute>src|srcset)="data:image/(?P<kind>svg\+xml|png|webp);base64,(?P<data>[\w+/=]+)"')


def take_pictures_out(html: str, folder: Path) -> str:
    """The page with its pictures as files of `folder`, each once, named by content; as it is where it is small.

    folder: beside the page, which refers to it by its name.
    """
    if len(html) <= LARGEST:
        return html
    known: set[str] = set()

    def take(found: re.Match[str]) -> str:
        data = base64.b64decode(found["data"])
        name = f"{digest(data)[:16]}.{_ENDS[found['kind']]}"
        if name not in known and not (folder / name).exists():
            with written_whole(folder / name, lasting=False) as file:
                file.write(data)
        known.add(name)
        lazy = ' loading="lazy"' if found["attribute"] == "src" else ""
        return f'{found["attribute"]}="{folder.name}/{name}"{lazy}'

    return _INSIDE.sub(take, html)
