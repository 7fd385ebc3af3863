"""Where a run's numbers are from: the code that computed them, and the machine."""

from collections.abc import Sequence

from al_bench.analysis.ending import name_seeds
from al_bench.analysis.reading import Run
from al_bench.storage.hardware import name_machine


def commits_of(run: Run) -> list[str]:
    """All that its records were computed under, in order."""
    return list(dict.fromkeys(str(record.commit) for record in run.records))


def hardware_of(run: Run) -> list[str]:
    """All machines that its records were computed on, in order: GPUs, or how many cores of which processor."""
    return list(dict.fromkeys(_by_cycle(run)))


def say_mixed(runs: Sequence[Run]) -> list[str]:
    """A sentence of each run that went on under another commit than it began with, or on another machine."""
    return [
        f"the cycles of run {run.id} ({'/'.join(run.label)}, seed {run.seed}) are of {len(all_of)} {what}: "
        f"{'; '.join(all_of) if what == 'machines' else ', '.join(all_of)}"
        for run in runs
        for what, all_of in (("commits", commits_of(run)), ("machines", hardware_of(run)))
        if len(all_of) > 1
    ]


def machines_of(runs: Sequence[Run]) -> list[str]:
    """What any of them ran on, in order."""
    return list(dict.fromkeys(name for run in runs for name in hardware_of(run)))


def say_machines(first: Sequence[Run], second: Sequence[Run]) -> str:
    """What two lines ran on, of each where that is not the same: equal code rounds otherwise there, and a training of
    many steps comes to another model."""
    own, other = machines_of(first), machines_of(second)
    if set(own) != set(other):
        return f"the first on {' and '.join(own)}; the second on {' and '.join(other)}"
    seeds = on_others(first, second)
    return "; ".join(own) + (f"; not both on the same with {name_seeds(seeds)}" if seeds else "")


def on_others(first: Sequence[Run], second: Sequence[Run]) -> list[int]:
    """The seeds that two lines have, with which they were not on the same machine in all of the cycles of both."""
    own, other = ({run.seed: _by_cycle(run) for run in runs} for runs in (first, second))
    shared = sorted(own.keys() & other.keys())
    return [seed for seed in shared if any(a != b for a, b in zip(own[seed], other[seed], strict=False))]


def _by_cycle(run: Run) -> list[str]:
    known = name_machine(run.about["hardware"])
    return [record.machine or known for record in run.records]
