"""The kept lines of MNIST two, of which several have one name."""

from collections.abc import Mapping
from functools import cache

from kept_cells import Curves, accuracies_of, kept_runs

from al_bench.analysis.reading import Run


@cache
def runs_of(line: str, kind: str = "wgan_gp") -> Mapping[int, Run]:
    """By seed. kind: the GAN of ASAL and GAAL, or what ADBA's learner is told; their cells have one name whatever it
    is."""
    runs = [run for run in kept_runs(f"mnist_two-asal-{line}-seed=*") if _is_of(run, kind)]
    of = {run.seed: run for run in runs}
    assert len(of) == len(runs), "two lines under one name"
    assert sorted(of) == list(range(len(of)))
    return of


def _is_of(run: Run, kind: str) -> bool:
    """With the step size of all experiments but that of the step size itself."""
    line = run.label[1]
    if "boundary" in line:
        learner = run.config["learner"]
        padded, joint = learner.get("pad", False), learner.get("without_points") == "joint"
        return f"{learner['loss']}{', padded' * padded}{', joint' * joint}" == kind
    if line.startswith(("asal_", "gaal")):
        return bool(run.choices["gan"] == kind and run.config["strategy"]["optimizer"]["lr"] == 0.01)
    return True


def curves(line: str, kind: str = "wgan_gp") -> Curves:
    """Accuracy in percent by seed and annotations."""
    return {seed: accuracies_of(run) for seed, run in runs_of(line, kind).items()}
