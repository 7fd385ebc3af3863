"""Folders of runs that were refused before anything of them was stored."""

import shutil
from contextlib import suppress
from pathlib import Path

from filelock import Timeout

from al_bench.files import lock_of

_OF_A_START = ("run.log", "hydra", "config.json", "lock", "owner")  # what a run has before anything is computed


def discard_unstarted(folder: Path, outputs: Path, *others: str) -> None:
    """Removes a run's folder that holds nothing that was computed, and the folders above it that it leaves empty, those
    of `outputs` included. One that another process holds, or that cannot be removed, stays.

    others: names of files in it that may go too.
    """
    with suppress(OSError, Timeout):
        with lock_of(folder / "lock", timeout=0):
            kept = [
                path for path in folder.rglob("*") if path.relative_to(folder).parts[0] not in (*_OF_A_START, *others)
            ]
            if any(not path.is_dir() for path in kept):
                return
            shutil.rmtree(folder)
        while folder != outputs.absolute() and outputs.absolute() in folder.parents:
            folder = folder.parent
            folder.rmdir()
