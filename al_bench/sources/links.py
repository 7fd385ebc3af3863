"""Pictures of a folder that lie elsewhere, where links lead to them."""

import os
from functools import cache
from pathlib import Path

from al_bench.sources.listing import Listing


def leading_out(root: Path, listing: Listing) -> list[str]:
    """The pictures, by name, that are no files below `root` itself, but links that lead out of it, or below such."""
    inside = os.path.realpath(root)
    real = cache(os.path.realpath)  # of the folders that links lead into: of a million links few

    def leads_out(name: str) -> bool:
        link = root / name
        target = link.parent / link.readlink()
        return not Path(real(target if link.is_dir() else target.parent)).is_relative_to(inside)

    out = {name for name in listing.links if leads_out(name)}
    if not out:
        return []
    below = {name for name in listing.folders if _lies_in(name, out)}
    return [one.name for one in listing.pictures if one.name in out or one.name.rpartition("/")[0] in below]


def _lies_in(folder: str, folders: set[str]) -> bool:
    """Whether it is one of them, or lies in one."""
    parts = folder.split("/")
    return any("/".join(parts[:count]) in folders for count in range(1, len(parts) + 1))
