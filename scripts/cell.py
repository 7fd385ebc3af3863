"""Prints an exported cell as JSON: `python scripts/cell.py results/cells/NAME.cell.xz`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from al_bench.errors import printable
from al_bench.files import as_json
from al_bench.storage.cell import CellError, read_cell
from al_bench.training.interruption import as_command


def main(arguments: Sequence[str]) -> int:
    """Prints the cell; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    path = parser.parse_args(arguments).file
    try:
        print(as_json(read_cell(path)))
    except CellError as error:
        print(f"error: {printable(path)} {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    with as_command():
        sys.exit(main(sys.argv[1:]))
