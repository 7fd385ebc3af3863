"""What a sweep cannot be: without a cell, or of cells that are one run, as how far it goes and on what is in no id."""

from collections.abc import Iterable, Sequence
from typing import Any

from al_bench.errors import UserError

_ASIDE = ("threads", "device", "keep_weights")  # beside the stop rules, which a loop alone has


def refuse_no_cell(jobs: Sequence[Sequence[str]]) -> None:
    """Raises UserError for a sweep over no value, such as `seed=range(0)` or `strategy=glob(none*)`."""
    if not jobs:
        raise UserError("the sweep has no cell, for a key is swept over no value: give it some, such as seed=0,1")


def refuse_two_of_one(cells: Iterable[tuple[str, Sequence[str], str, Any]]) -> None:
    """Raises UserError where two cells are one run and have other stop rules, threads, device or keep_weights: one of
    both would be left out. The same that is asked for twice, a seed or what a line does not use, is one.

    cells: of each its id or folder, its overrides, its procedure and the settings of the loop.
    """
    known: dict[str, tuple[Sequence[str], Any]] = {}
    for name, overrides, procedure, loop in cells:
        plain = [item.lstrip("+") for item in overrides]
        asked = procedure == "loop" and loop, [item for item in plain if item.partition("=")[0] in _ASIDE]
        first, before = known.setdefault(name, (overrides, asked))
        if before != asked:
            one, other = (" ".join(own) for own in _differing(first, overrides))
            raise UserError(
                f"{one} and {other} are one run, which is told neither by how far it goes nor by what it runs on: give "
                "one value, of a budget the largest, whose run has the smaller ones' cycles"
            )


def _differing(one: Sequence[str], other: Sequence[str]) -> tuple[list[str], list[str]]:
    return [item for item in one if item not in other], [item for item in other if item not in one]
