"""Tables of `conf/experiment`, as CSV: read with their columns held."""

import csv
from collections.abc import Sequence
from pathlib import Path

Row = dict[str, str]


def read_rows(path: Path, columns: Sequence[str], more: Sequence[str] = ()) -> list[Row]:
    """The rows below the head, the file's second line the first. more: columns that it may have behind these.

    Raises ValueError, the end of a sentence that names the file, for other columns and for a row that has not as many
    cells.
    """
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        named = tuple(reader.fieldnames or ())
        rest = named[len(columns) :]
        if named[: len(columns)] != tuple(columns) or not {*rest} <= {*more} or len({*named}) < len(named):
            then = f", then any of {', '.join(more)}" if more else ""
            raise ValueError(f"its columns have to be {', '.join(columns)}{then}")
        try:
            rows = list(reader)
        except csv.Error as error:  # which is no ValueError
            raise ValueError(f"row {reader.line_num + 1}: {error}") from error
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise ValueError(f"row {number} has not as many cells as columns")
    return rows
