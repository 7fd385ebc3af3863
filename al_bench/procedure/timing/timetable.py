"""Tables of seconds: what was measured, what is extrapolated from it, and when a preparation has paid off."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from al_bench.training.cost import measure_cost

MEASURED, EXTRAPOLATED = "measured", "extrapolated"
Table = dict[str, Any]  # about, columns, rows
Made = TypeVar("Made")


@dataclass
class Seconds:
    """What one method took on pools of several sizes. measured: seconds by number of images. refused: why nothing could
    be measured, "" where it could."""

    measured: dict[int, float] = field(default_factory=dict)
    refused: str = ""

    def at(self, count: int) -> tuple[float | None, str]:
        """Seconds for `count` images and whether they were measured; else those of the largest measured pool times the
        ratio of the sizes, as the paper has them for what is linear."""
        if not self.measured:
            return None, f"not measured: {self.refused}"
        if count in self.measured:
            return self.measured[count], MEASURED
        largest = max(self.measured)
        return self.measured[largest] * count / largest, EXTRAPOLATED


def time_calls(call: Callable[[], Made], repeats: int) -> tuple[float, Made]:
    """The median of the seconds of `repeats` calls, and what the last one gave."""
    seconds = []
    for _ in range(repeats):
        with measure_cost() as cost:
            made = call()
        seconds.append(cost.seconds)
    return statistics.median(seconds), made


def cycles_to_pay_off(preparation: float, slow: float, fast: float) -> int | None:
    """The cycles after which `preparation` is earned by choosing in `fast` seconds where it took `slow` (ASAL Fig. 6b);
    None where nothing is saved."""
    return math.ceil(preparation / (slow - fast)) if slow > fast else None


def selection_table(methods: Mapping[str, Seconds], counts: Sequence[int], about: str) -> Table:
    """A row for each method and number of images; drawn over these where there are several (ASAL Fig. 6a)."""
    rows = [[name, count, *seconds.at(count)] for name, seconds in methods.items() for count in counts]
    plots = [_over_sizes("seconds to choose", ["seconds"], by="method")] if len(counts) > 1 else []
    return {"about": about, "columns": ["method", "images", "seconds", "how"], "rows": rows, "plots": plots}


def preparation_table(steps: Mapping[int, Mapping[str, float]], training: Mapping[str, float]) -> Table:
    """steps: seconds by number of images and step; training: seconds by what was trained once for any number."""
    names = list(next(iter(steps.values())))
    rows = [
        [count, *training.values(), *of.values(), sum(of.values()), sum(of.values()) + sum(training.values())]
        for count, of in steps.items()
    ]
    columns = ["images", *(f"training of {kind}" for kind in training), *names, "without training", "with training"]
    about = "Seconds of preparation before the first cycle, all measured; training whenever its artifact was made"
    plots = [_over_sizes("seconds of preparation", names)] if len(rows) > 1 else []
    return {"about": about, "columns": columns, "rows": rows, "plots": plots}


def transition_table(
    fast: Seconds,
    others: Mapping[str, Seconds],
    steps: Mapping[int, Mapping[str, float]],
    training: Mapping[str, float],
) -> Table:
    """After how many cycles ASAL has been quicker than each other method, preparation included (ASAL Fig. 6b)."""
    rows = []
    for name, other in others.items():
        for count, of in steps.items():
            (quick, _), (slow, how) = fast.at(count), other.at(count)
            if quick is not None and slow is not None:
                without = sum(of.values())
                cycles = [cycles_to_pay_off(cost, slow, quick) for cost in (without, without + sum(training.values()))]
                rows.append([name, count, slow - quick, *cycles, how])
    columns = ["instead of", "images", "seconds saved a cycle", "cycles without training", "with training", "how"]
    about = "The cycles after which ASAL's preparation has paid off; none where a cycle saves nothing"
    words = {"cycles without training": "cycles to pay off, without training", "with training": "cycles to pay off"}
    plots = [_over_sizes(said, [column], by="instead of") for column, said in words.items()] if len(steps) > 1 else []
    return {"about": about, "columns": columns, "rows": rows, "plots": plots}


def _over_sizes(about: str, columns: Sequence[str], by: str | None = None) -> dict[str, Any]:
    """A plot of a table: columns over the number of images, what is extrapolated dashed."""
    plot = {"about": about, "x": "images", "y": list(columns), "scale": "log", "dashed": {}}
    return plot if by is None else {**plot, "by": by, "dashed": {"how": EXTRAPOLATED}}
