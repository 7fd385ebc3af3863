"""Many tests at once: p values that count all of a table's."""

import gc
from collections.abc import Sequence
from dataclasses import dataclass

from al_bench.analysis.statistics.paired import LEVEL, PairedTest


@dataclass(frozen=True)
class CorrectedTest:
    """A test among others. p: after Holm's correction over all of these; None where the test has none. level: that p
    alone has to be below where it is the smallest of them."""

    test: PairedTest
    p: float | None
    level: float = 1 - LEVEL

    @property
    def better(self) -> bool | None:
        """What the test says of the first line where it still says it among the others."""
        return self.test.better if self.p is not None and self.p < 1 - LEVEL else None


def holm(p: Sequence[float]) -> list[float]:
    """Holm's correction (1979): each p value raised so that all those below 5 % are so together, in their order.

    p: in [0, 1].
    """
    from statsmodels.stats.multitest import multipletests

    if not p:
        return []
    gc.freeze()  # it collects garbage first, a third of a second where a report's objects are all looked at
    try:
        raised = multipletests(list(p), method="holm")[1]
    finally:
        gc.unfreeze()
    return [float(value) for value in raised]


def correct(tests: Sequence[PairedTest]) -> list[CorrectedTest]:
    """Each among all of them, in their order."""
    known = [test.p for test in tests if test.p is not None]
    raised, level = iter(holm(known)), (1 - LEVEL) / max(1, len(known))
    return [CorrectedTest(test, None if test.p is None else next(raised), level) for test in tests]
