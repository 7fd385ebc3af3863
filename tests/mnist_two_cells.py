"""What is kept of MNIST two, by line, for the tests of what is written of it."""

from collections.abc import Mapping
from functools import cache

from al_bench.analysis.reading import Run, Stored, add_runs
from al_bench.analysis.statistics.areas import area_under_curve
from al_bench.analysis.statistics.paired import Interval, interval
from al_bench.config.groups import CONF

ROOT = CONF.parent
Curves = Mapping[int, Mapping[int, float]]  # by seed and annotations
RESULTS = " ".join((ROOT / "results" / "README.md").read_text().split())


@cache
def runs_of(line: str, kind: str = "wgan_gp") -> Mapping[int, Run]:
    """By seed. kind: the GAN of ASAL and GAAL, or ADBA's loss; their cells have one name whatever it is."""
    found = Stored()
    add_runs(sorted((ROOT / "results" / "cells").glob(f"mnist_two-asal-{line}-seed=*.cell.xz")), found)
    runs = [run for run in found.runs if _is_of(run, kind)]
    of = {run.seed: run for run in runs}
    assert len(of) == len(runs), "two lines under one name"
    assert sorted(of) == list(range(len(of))) and not found.problems
    return of


def _is_of(run: Run, kind: str) -> bool:
    """With the step size of all experiments but that of the step size itself."""
    line = run.label[1]
    if line.startswith("adba"):
        return bool(run.config["learner"]["loss"] == kind)
    if line.startswith(("asal_", "gaal")):
        return bool(run.choices["gan"] == kind and run.config["strategy"]["optimizer"]["lr"] == 0.01)
    return True


def curves(line: str, kind: str = "wgan_gp") -> Curves:
    """Accuracy in percent by seed and annotations."""
    return {
        seed: {one.annotations: 100 * float(one.metrics["accuracy"]) for one in run.cycles}
        for seed, run in runs_of(line, kind).items()
    }


def apart(one: Curves, other: Curves) -> dict[int, Interval]:
    """Of the differences over seeds at each number of labels after the first ones."""
    found = {at: interval([one[seed][at] - other[seed][at] for seed in one]) for at in sorted(one[0])[1:]}
    return {at: value for at, value in found.items() if value is not None}


def area(one: Curves, other: Curves) -> Interval:
    """Of the difference, over all sizes."""
    sizes = sorted(one[0])
    found = interval([area_under_curve(sizes, [one[seed][at] - other[seed][at] for at in sizes]) for seed in one])
    assert found is not None
    return found


def words_of(found: Interval) -> str:
    """ "+0.16 [0.02, 0.29]" """
    return f"{found.mean:+.2f} [{found.low:.2f}, {found.high:.2f}]"
