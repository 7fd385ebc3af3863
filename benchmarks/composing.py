"""Composing the cells of a sweep, which its start and a report wait for: files read once, beside Hydra's own way."""

from al_bench.config.composing import as_yaml, composing
from al_bench.config.resolvers import register_resolvers
from benchmarks import Goal, Measured, interleaved

CELLS = (
    ("dataset=digits", "strategy=random"),
    ("dataset=mnist_two", "strategy=asal_auto", "scale=smoke"),
    ("experiment=waal/fashion_mnist", "strategy=waal"),
    ("experiment=mal/tiny_imagenet", "method=mal/vaal"),
    ("dataset=digits", "method=alcg/as", "gan=ac_sngan"),
)


def measure(pairs: int = 3) -> list[Measured]:
    """Five cells of different groups, each as Hydra would hand it to a run."""
    register_resolvers()
    runs = interleaved(lambda _: _once(), lambda _: _anew(), pairs)
    first, second = runs.results[-1]
    ours, plain = (seconds / len(CELLS) for seconds in runs.medians)
    how = f"{len(CELLS)} cells: {1000 * ours:.0f} ms each, Hydra's own {1000 * plain:.0f} ms"
    return [Measured("composing a cell / Hydra's own", runs.ratio, Goal(0.65), how, first == second)]


def _once() -> list[str]:
    with composing():
        return _anew()


def _anew() -> list[str]:
    return [as_yaml(cell) for cell in CELLS]
