"""Copies of one picture on both sides of a split: what a model was trained on it answers right, whatever it learned."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from al_bench.dataset.class_folders import ByClass
from al_bench.errors import amount, printable
from al_bench.files import digest, open_file
from al_bench.sources.listing import PictureFile
from al_bench.sources.looking import is_only_looking

logger = logging.getLogger(__name__)

_MOST = 200  # pictures of a split that are looked at, evenly spaced
_MOST_BESIDE = 20_000  # of those for training that have their sizes: where pictures are not compressed, all have


def say_copies(root: Path, splits: Mapping[str, ByClass]) -> None:
    """Warns of pictures for validation and for the test whose files are those of pictures for training, byte for byte.
    Files that cannot be read are no copies here: who decodes them says so. Nothing where pictures are only shown."""
    if is_only_looking():
        return
    train = [file for members in splits["train"].values() for file in members]
    for name in sorted(splits.keys() - {"train"}):
        files = [file for members in splits[name].values() for file in members]
        looked = _some(files, _MOST)
        if copies := find_copies(root, looked, train):
            some = "" if len(looked) == len(files) else " that were looked at"
            first, other = next(iter(copies.items()))
            logger.warning(
                f"{len(copies):,} of {amount(len(looked), 'picture')}{some} of the split {name} are copies of pictures "
                f"for training, {printable(first)} of {printable(other)}: what is measured on them is no word on new "
                "pictures; leave copies out, or put them on one side"
            )


def find_copies(root: Path, files: Iterable[PictureFile], others: Iterable[PictureFile]) -> dict[str, str]:
    """The names of the files that have the content of another one, and its name. Only files of equal size are read."""
    by_size = defaultdict(list)
    for file in files:
        by_size[file.size].append(file)
    beside: dict[tuple[int, str], str] = {}
    for other in _some([other for other in others if other.size in by_size], _MOST_BESIDE):
        if content := _content(root / other.name):
            beside.setdefault((other.size, content), other.name)
    sizes = {size for size, _ in beside}
    found = {}
    for size, members in by_size.items():
        for file in members if size in sizes else ():
            content = _content(root / file.name)
            if content and (copied := beside.get((size, content))) is not None:
                found[file.name] = copied
    return found


def _some(files: Sequence[PictureFile], most: int) -> Sequence[PictureFile]:
    """Evenly spaced ones."""
    return files[:: max(1, -(-len(files) // most))]


def _content(path: Path) -> str | None:
    try:
        with open_file(path) as file:
            return digest(file.read())
    except OSError:
        return None
