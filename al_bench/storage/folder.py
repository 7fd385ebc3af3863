"""What lies in a run's folder, and in which folders runs lie: links are followed, what no run wrote is told apart."""

import logging
import os
import re
from collections import deque
from pathlib import Path

from al_bench.errors import of_files

logger = logging.getLogger(__name__)

SUFFIXES = (".json", ".safetensors", ".model.safetensors")  # of a cycle's files, the record first
_ASIDE = re.compile(r"\.(?:corrupted|cut)-\d+$")
_WITHOUT_RUNS = frozenset({"artifacts", "cycles", "decoded", "hydra", "scratch", "wandb"})


def cycle_file(folder: Path, index: int, suffix: str) -> Path:
    """Where a run's folder has a file of a cycle."""
    return folder / "cycles" / f"{index:03d}{suffix}"


def cycle_records(folder: Path) -> dict[int, Path]:
    """The records that a run's folder has, by their cycle, in order."""
    found = [path for path in _listed(folder / "cycles") if path.suffix == ".json" and path.stem.isdecimal()]
    records = {int(path.stem): path for path in found if path.is_file()}
    return {index: path for index, path in sorted(records.items()) if path == cycle_file(folder, index, ".json")}


def files_from(folder: Path, index: int) -> list[Path]:
    """What lies among a run's cycles under the number of this cycle or a later one, but for what was set aside."""
    numbers = {path: re.match(r"[0-9]{3,}(?=\.)", path.name) for path in _listed(folder / "cycles")}
    found = [path for path, number in numbers.items() if number and int(number[0]) >= index]
    return [path for path in found if not _ASIDE.search(path.name)]


def strays(folder: Path) -> list[Path]:
    """What lies among a run's cycles that no run wrote there under its name, or was set aside: copies, backups, what
    other programs leave, a folder in a file's place, half a file of a process that was killed."""
    return [path for path in _listed(folder / "cycles") if not (_ASIDE.search(path.name) or _is_cycles(path))]


def _is_cycles(path: Path) -> bool:
    number, dot, rest = path.name.partition(".")
    named = number.isdecimal() and number == f"{int(number):03d}" and dot + rest in SUFFIXES
    return named and path.is_file()


def run_folders(place: Path) -> list[Path]:
    """Every folder in or below a place that looks like a run's, by name; through links too, which come last, so that
    what several paths lead to counts once, where it lies. What cannot be read is named in the log."""
    found, seen, links = [], set(), deque[Path]()
    waiting = deque([place] if place.is_dir() else [])
    while waiting or links:
        folder = (waiting or links).popleft()
        try:
            status = folder.stat()
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            logger.warning(f"passed over: {of_files(error, folder) or error}")
            continue
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        if {"config.json", "cycles"} & {entry.name for entry in entries}:
            found.append(folder)
        for entry in entries:
            if entry.name not in _WITHOUT_RUNS and (below := Path(entry.path)).is_dir():
                (links if entry.is_symlink() else waiting).append(below)
    return sorted(found)


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
