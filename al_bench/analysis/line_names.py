"""What the lines of an experiment are called: by what its sweep sets differently from one to another."""

from collections.abc import Collection, Sequence

from al_bench.analysis.grouping import group_by
from al_bench.config.experiment import Cell
from al_bench.config.values import from_project, say_value

_BARE = ("strategy", "method")  # swept groups whose choice alone is a name


def name_lines(cells: Sequence[Cell], unsaid: Collection[str]) -> dict[str, Sequence[Cell]]:
    """Cells that are alike but for the seed, by what their overrides say but for these."""
    alike = group_by(cells, but_seed)
    lines = {_line_name(own, unsaid) or found[0].label.split("/")[1]: found for own, found in alike.items()}
    if len(lines) < len(alike):  # two lines of one name
        lines = {from_project(" ".join(own)): found for own, found in alike.items()}
    return {**lines}


def but_seed(cell: Cell) -> tuple[str, ...]:
    """What a cell's overrides say but for its seed."""
    return tuple(item for item in cell.overrides if not item.startswith("seed="))


def _line_name(overrides: Sequence[str], common: Collection[str]) -> str:
    """ "asal_auto, gan dcgan": what the sweep sets differently from line to line."""
    words = []
    for key, _, value in (item.partition("=") for item in overrides if item not in common):
        if value != "none":
            words.append(value if key in _BARE else f"{key.rsplit('.', 1)[-1].replace('_', ' ')} {say_value(value)}")
    return from_project(", ".join(words))
