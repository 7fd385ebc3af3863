"""`make bench`: each speed claim as a ratio, its goal, met or missed; exit code 1 where one is missed."""

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # `benchmarks` is no part of what is installed

from al_bench.files import output_file, written_whole
from al_bench.training.allocator import keep_freed_memory
from al_bench.training.interruption import as_command
from benchmarks import (
    Measured,
    acgan,
    allocator,
    clustering,
    command,
    composing,
    coreset,
    cycle,
    deepfool,
    fast,
    features,
    fit,
    folder,
    gan,
    gan_quality,
    indexes_gpu,
    labeling,
    mal,
    map_scoring,
    matcher,
    matcher_gpu,
    matcher_mapped,
    matcher_scale,
    million,
    packed,
    reading,
    scoring,
    sweep_start,
    table,
    waal,
)

CLAIMS: Mapping[str, Callable[[], Iterable[Measured]]] = {
    "fit": fit.measure,
    "coreset": coreset.measure,
    "clustering": clustering.measure,
    "deepfool": deepfool.measure,
    "matcher": matcher.measure,
    "matcher16m": matcher_scale.measure,
    "scoring": scoring.measure,
    "reading": reading.measure,
    "map_scoring": map_scoring.measure,
    "cycle": cycle.measure,
    "features": features.measure,
    "gan": gan.measure,
    "gan_quality": gan_quality.measure,
    "waal": waal.measure,
    "mal": mal.measure,
    "acgan": acgan.measure,
    "allocator": allocator.measure,
    "composing": composing.measure,
    "sweep_start": sweep_start.measure,
    "labeling": labeling.measure,
    "folder": folder.measure,
    "help": command.measure,
}
ON_GPU: Mapping[str, Callable[[], Iterable[Measured]]] = {  # only when asked for by name
    "gan_gpu": gan.measure_gpu,
    "matcher_gpu": matcher_gpu.measure,
    "packed_gpu": packed.measure_gpu,
    **{name: partial(indexes_gpu.measure, rival) for name, rival in indexes_gpu.RIVALS.items()},
}
LONG: Mapping[str, Callable[[], Iterable[Measured]]] = {  # by name, too: hours, 20 GB of disk, or pictures
    "million": million.measure,
    "packed": packed.measure,
    "matcher100m": matcher_mapped.measure,
    "fast": fast.measure,
}
PAGE = Path("results/bench.md")
_LACKING = {
    "fast": f"the pictures in {fast.PICTURES}",
    "allocator": "a glibc of which the environment says nothing (MALLOC_..., GLIBC_TUNABLES)",
}


def main(
    arguments: Sequence[str], claims: Mapping[str, Callable[[], Iterable[Measured]]] = CLAIMS, page: Path = PAGE
) -> int:
    """Measures the claims named, or all of them, which also writes `page`; returns the exit code.

    Claims named are written where `--page` says. One that needs a GPU measures nothing without one, and says so.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    known = {**claims, **LONG, **ON_GPU}
    parser.add_argument(
        "claims", nargs="*", help=f"which to measure (all but {', '.join([*LONG, *ON_GPU])}): {', '.join(known)}"
    )
    parser.add_argument("--page", type=Path, help=f"where to write the rows (of all claims: {page})")
    asked = parser.parse_args(arguments)
    chosen = asked.claims
    if unknown := [name for name in chosen if name not in known]:
        parser.error(f"{unknown[0]} is not known: use {', '.join(known)}")
    if not set(chosen) & set(ON_GPU):
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # as run.py does on a CPU; Adam asking for a GPU would dilute ratios
    keep_freed_memory()  # as run.py does
    torch.set_num_threads(1)
    load = os.getloadavg()[0]
    rows: list[Measured] = []
    for name in chosen or claims:
        before = len(rows)
        for row in known[name]():
            rows.append(row)
            print(table.line(row), flush=True)
        if len(rows) == before:
            print(f"{name}: needs {_LACKING.get(name, 'a GPU')} and none is here, so nothing was measured")
    if rows and (target := asked.page or (None if chosen else page)):
        with written_whole(output_file(target)) as file:
            file.write(table.page(rows, shlex.join(["python", "scripts/bench.py", *arguments]), load).encode())
        print(f"written to {target}")
    return int(any(row.missed for row in rows))


if __name__ == "__main__":
    with as_command():
        sys.exit(main(sys.argv[1:]))
