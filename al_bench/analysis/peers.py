"""How many picks of a strategy another library's function makes too: `conf/strategy/peers.csv`.

Columns: strategy (of conf/strategy), peer (library, its version and function), seeds (pools), asked and equal (picks of
all pools together). `python scripts/compare_peers.py` measures and writes it.
"""

from dataclasses import dataclass
from pathlib import Path

from al_bench.analysis.conf_table import Row, read_rows
from al_bench.config.groups import CONF
from al_bench.errors import UserError

COLUMNS = ("strategy", "peer", "seeds", "asked", "equal")


@dataclass(frozen=True)
class Agreement:
    """Of one strategy with one peer."""

    strategy: str
    peer: str
    seeds: int
    asked: int
    equal: int

    def __str__(self) -> str:
        return f"{self.equal:,} of {self.asked:,} ({self.peer})"


def read_agreements(conf: Path = CONF) -> list[Agreement]:
    """Empty where nothing was compared. Raises UserError where the file is none of this kind."""
    path = conf / "strategy" / "peers.csv"
    if not path.exists():
        return []
    try:
        return [_agreement(row, number) for number, row in enumerate(read_rows(path, COLUMNS), 2)]
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error


def _agreement(row: Row, number: int) -> Agreement:
    counts = [row[name] for name in COLUMNS[2:]]
    if not all(text.isdecimal() for text in counts):
        raise ValueError(f"row {number} has {', '.join(counts)}: seeds, asked and equal have to be whole numbers")
    seeds, asked, equal = map(int, counts)
    if equal > asked:
        raise ValueError(f"row {number} has {equal} equal picks of {asked} that were asked for")
    return Agreement(row["strategy"], row["peer"], seeds, asked, equal)
