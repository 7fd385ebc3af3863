"""What is written of a bench: one row per claim, and what it was measured on."""

import os
import platform
import re
import time
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from tabulate import tabulate

from al_bench.storage.commit import current_commit
from benchmarks import Measured

HEADERS = ("claim", "measured", "goal", "verdict", "how")
LIBRARIES = (
    "torch",
    "faiss-cpu",
    "faiss-gpu",
    "faiss-gpu-cuvs",
    "triton",
    "scipy",
    "numpy",
    "pytorch-lightning",
    "hydra-core",
)


def line(row: Measured) -> str:
    """One row for the terminal."""
    name, value, goal, verdict, how = row.cells
    return f"{name:62} {value:>9}  {goal:17} {verdict:6}  {how}"


def page(rows: Sequence[Measured], command: str, load: float) -> str:
    """The Markdown of all rows; load: the machine's mean number of running processes before the bench began."""
    found = Counter(row.cells[3] for row in rows)
    about = [
        ("command", f"`{command}`"),
        ("date", time.strftime("%Y-%m-%d %H:%M")),
        ("commit", current_commit()),
        ("hardware", hardware()),
        ("load before", f"{load:.1f}; the bench itself takes one thread"),
        ("versions", versions()),
    ]
    return "\n".join(
        [
            "# Bench",
            "",
            "Ratios are ours over the other side's, measured one after the other in one process on one thread; medians",
            f"over pairs. Goals met: {found['met']}, missed: {found['missed']}; rows without one: {found['-']}.",
            "",
            tabulate([row.cells for row in rows], HEADERS, tablefmt="github", disable_numparse=True),
            "",
            tabulate(about, ("", ""), tablefmt="github", disable_numparse=True),
            "",
        ]
    )


def hardware() -> str:
    """Processor, cores and memory, and the GPU that is used."""
    listed = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", listed.read_text()) if listed.exists() else None
    gibibytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name = found.group(1) if found else platform.processor() or platform.machine()
    card = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{name}, {os.cpu_count()} cores, {gibibytes:.0f} GiB, {platform.system()}{card}"


def versions() -> str:
    """Python and the libraries that are measured or measured against."""
    found = [f"Python {platform.python_version()}"]
    for library in LIBRARIES:
        try:
            found.append(f"{library} {version(library)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
