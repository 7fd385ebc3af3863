"""Answers and queries as CSV, for a spreadsheet or a program.

A table of answers has the columns file, label, who, when, seconds and cannot_tell, one of a query file, label,
cannot_tell, guess and probability; both are read back. Cannot tell is a column of its own, "yes" or empty, since a
class may have any name: a row with neither is not answered.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from al_bench.annotation.rows import Row, checked_row, quoted, read_bounded
from al_bench.errors import UserError, amount, printable
from al_bench.report.tables import marked, unmarked
from al_bench.storage.answers import Answer
from al_bench.storage.asked import AskedPicture

_ANSWERS: Final = ("file", "label", "who", "when", "seconds", "cannot_tell")
_QUERY: Final = ("file", "label", "cannot_tell", "guess", "probability")
_YES, _NO = frozenset({"yes", "y", "x", "1", "true"}), frozenset({"", "no", "n", "0", "false"})
_DELIMITERS = (",", ";", "\t")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def answers_as_csv(answers: Iterable[tuple[str, Answer]]) -> str:
    """A row for each answer. answers: with the name that the picture has now."""
    rows = (
        (file, one.label or "", one.who, one.when, "" if one.seconds is None else one.seconds, _cannot_tell(one))
        for file, one in answers
    )
    return _as_csv(_ANSWERS, rows)


def query_as_csv(pictures: Iterable[AskedPicture]) -> str:
    """A row for each picture, to be filled in."""
    rows = (
        (one.file, "", "", one.guess or "", "" if one.probability is None else f"{one.probability:.6f}")
        for one in pictures
    )
    return _as_csv(_QUERY, rows)


def read_csv(path: Path) -> list[Row]:
    """The rows of a CSV file that have an answer.

    The columns file and label are needed, who, when, seconds and cannot_tell taken where they are there, in any order;
    all others are passed over. Commas, semicolons or tabs between; UTF-8 or, with its mark, UTF-16; any ends of lines.
    Raises UserError for anything else, also for a model's predictions, and for a row that is none, naming it by its
    line.
    """
    text = _decoded(path, read_bounded(path))
    delimiter = _delimiter(path, text)
    lines = _cells(path, text, delimiter)
    head = next((cells for _, cells in lines if _is_head(cells)), [])
    columns = [cell.strip().casefold() for cell in head]
    if twice := {name for name in columns if name in _ANSWERS and columns.count(name) > 1}:
        raise UserError(f"{path} has the column {min(twice)} twice: leave one out")
    if said := [name for name in columns if name.startswith("p(") and name.endswith(")")]:
        right = "where a person has looked through them, take out its columns p(...) first"
        raise UserError(
            f"{path} has the column {quoted(said[0])}: these are a model's predictions, no answers; {right}"
        )
    rows = []
    for number, cells in lines:
        place = f"{path.name}, line {number}"
        if any(cell.strip() for cell in cells) and (row := _row(place, columns, cells, delimiter)):
            rows.append(row)
    return rows


def _as_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([marked(printable(cell)) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return buffer.getvalue()


def _cannot_tell(answer: Answer) -> str:
    return "yes" if answer.label is None else ""


def _decoded(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-16" if content.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}, line {line} is not UTF-8: save the table anew, as `CSV UTF-8`") from error


def _delimiter(path: Path, text: str) -> str:
    """The one that divides the first line, `sep=;` of a spreadsheet passed over, into columns that are known."""
    beginning = [line for line in text[:10_000].splitlines() if line.strip() and not line.startswith("sep=")]
    for delimiter in _DELIMITERS:
        for cells in csv.reader(beginning[:1], delimiter=delimiter):
            if _is_head(cells):
                return delimiter
    raise UserError(f"{path} has no columns file and label: name them in its first line, as in file,label")


def _is_head(cells: Sequence[str]) -> bool:
    return {"file", "label"} <= {cell.strip().casefold() for cell in cells}


def _cells(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the number of the line that it ends in."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num} is no row of a CSV file ({error}): mend it") from error


def _row(place: str, columns: Sequence[str], cells: Sequence[str], delimiter: str) -> Row | None:
    """None where it has no answer. Cells that are not there are empty: spreadsheets leave out the last ones."""
    if any(cells[len(columns) :]):
        right = f"put what holds {quoted(delimiter)} between quotation marks"
        raise UserError(f"{place} has {amount(len(cells), 'cell')} of {amount(len(columns), 'column')}: {right}")
    cell = dict(zip(columns, map(unmarked, cells), strict=False))
    said = cell.get("cannot_tell", "").strip().casefold()
    if said not in _YES | _NO:
        raise UserError(f"{place} says {quoted(said)} of cannot_tell: say yes, or nothing")
    label = given if (given := cell.get("label", "")).strip() else None
    if label is None and said in _NO:
        return None
    if label is not None and said in _YES:
        raise UserError(f"{place} has the label {quoted(label)} and cannot_tell: leave one of them empty")
    seconds = cell.get("seconds", "").strip()
    if delimiter != ",":
        seconds = seconds.replace(",", ".")
    return checked_row(
        place, cell.get("file"), label, cell.get("who", "").strip(), cell.get("when", "").strip(), seconds
    )
