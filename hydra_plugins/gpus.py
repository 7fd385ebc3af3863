"""Which GPU a cell of a sweep on one machine gets: the one that the fewest cells are on."""

# No `from __future__ import annotations` here, see processes.py.
import re
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence

VISIBLE = "CUDA_VISIBLE_DEVICES"
_ANY = ("auto", "cuda")  # devices that name no GPU
_LISTED = re.compile(r"^(\s*)(?:GPU \d+|MIG .*?Device +\d+): .*?\(UUID: ([^)\s]+)\)", re.MULTILINE)


def visible_gpus(environment: Mapping[str, str]) -> list[str]:
    """The GPUs that cells may be given, as CUDA_VISIBLE_DEVICES names them: by number, UUID or MIG instance. What the
    variable says holds, an empty one too; without it all that the driver lists, and none where no driver answers."""
    if VISIBLE not in environment:
        return listed_gpus(_driver_says())
    found: list[str] = []
    for name in (word.strip() for word in environment[VISIBLE].split(",")):
        if not name or name.startswith("-"):  # CUDA itself reads up to there
            break
        found.append(name)
    return list(dict.fromkeys(found))


def listed_gpus(said: str) -> list[str]:
    """UUIDs in what `nvidia-smi -L` says; of a GPU that is cut into MIG instances these alone, it cannot be used."""
    gpus: list[list[str]] = []
    for indent, uuid in _LISTED.findall(said):
        if indent:
            gpus[-1].append(uuid)
        else:
            gpus.append([uuid])
    return [uuid for whole, *instances in gpus for uuid in instances or [whole]]


def freest(gpus: Sequence[str], taken: Sequence[str]) -> str:
    """The first of those that the fewest cells are on. taken: of each cell that runs, its GPU."""
    cells = Counter(taken)
    return min(gpus, key=lambda gpu: cells[gpu])


def takes_any(device: str) -> bool:
    """Whether a cell leaves it to others which GPU it is on."""
    return device in _ANY


def _driver_says() -> str:
    try:
        said = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout if said.returncode == 0 else ""
