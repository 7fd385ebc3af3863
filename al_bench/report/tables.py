"""Tables: the same rows for the page, for a program (CSV) and for a text (Markdown)."""

import csv
import html
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tabulate import tabulate

from al_bench.files import digest, written_whole

Cell = str | int | float | None

_LONGEST = 200  # bytes of a file's name
_ON_A_PAGE = 40  # of a text that is set
_LINE = 40  # letters of a cell that is set in one line
_FORMULA = ("=", "+", "-", "@", "\t")
_BOLD = ("\x02", "\x03")  # around what tabulate escapes: no cell holds them


@dataclass(frozen=True)
class Table:
    """name: of its files; about: what a row is; columns: with their units; rows: as many cells each; best: row and
    column of those cells that tests tell from all others of their column, which come bold; most_read: rows of one that
    is written as Markdown and LaTeX, too."""

    name: str
    about: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    best: frozenset[tuple[int, int]] = frozenset()
    most_read: int = 300

    @cached_property
    def numeric(self) -> list[bool]:
        """Whether a column holds numbers, or means with their deviations and seeds, and so is aligned at its right."""
        columns = zip(*self.rows, strict=True) if self.rows else [()] * len(self.columns)
        return [any(cell is not None for cell in column) and all(map(_is_number, column)) for column in columns]

    @property
    def files(self) -> list[str]:
        """Names: CSV, and Markdown and LaTeX of tables that are short enough for them."""
        ends = [".csv", *([".md", ".tex"] if len(self.rows) <= self.most_read else [])]
        return [self._stem + end for end in ends]

    @property
    def _stem(self) -> str:
        stem = re.sub(r"[^\w ,.+=-]", "-", self.name)  # some are stored names, which are no paths
        if stem != self.name or len(stem.encode()) > _LONGEST:
            stem = f"{stem[:40]}-{digest(self.name.encode(errors='backslashreplace'))[:8]}"
        return stem

    def write(self, folder: Path) -> None:
        """Its `files`; of a shorter table of this name, which was written before, nothing is left beside them."""
        texts = {".csv": self.as_csv, ".md": self.as_markdown, ".tex": self.as_latex}
        for end, text_of in texts.items():
            if self._stem + end in self.files:
                with written_whole(folder / (self._stem + end), remade=True) as file:
                    file.write(text_of().encode(errors="backslashreplace"))
            else:
                (folder / (self._stem + end)).unlink(missing_ok=True)

    def as_csv(self) -> str:
        """Numbers in full precision; None is empty. Text that a spreadsheet would take for a formula begins with '."""
        buffer = io.StringIO()
        rows = [[as_text(cell) for cell in row] for row in (self.columns, *self.rows)]
        csv.writer(buffer, lineterminator="\n").writerows(rows)
        return buffer.getvalue()

    def as_markdown(self) -> str:
        """Numbers for a person; what a label holds is text, never markup."""
        rows = self._written(_escape, "**", "**")
        columns = [str(_escape(column)) for column in self.columns]
        table = tabulate(rows, headers=columns, tablefmt="pipe", disable_numparse=True)
        return f"{_escape(self.about)}\n\n{table}\n"

    def as_latex(self) -> str:
        """A `table` for booktabs, numbers as a person reads them, text escaped; one of more rows than a page has lines
        is a `longtable`."""
        rows = self._written(format_cell, *_BOLD)
        body: str = tabulate(rows, headers=[*self.columns], tablefmt="latex_booktabs", disable_numparse=True)
        body = body.replace(f"{{{'l' * len(self.columns)}}}", f"{{{self._latex_columns(rows)}}}", 1)
        for mark, command in zip(_BOLD, ("\\textbf{", "}"), strict=True):
            body = body.replace(mark, command)
        caption = tabulate([[self.about]], tablefmt="latex").splitlines()[2].strip().removesuffix("\\\\").strip()
        if len(self.rows) <= _ON_A_PAGE:
            return f"\\begin{{table}}\n\\caption{{{caption}}}\n{body}\n\\end{{table}}\n"
        head, _, rest = body.partition("\\midrule\n")
        begin, _, head = head.partition("\n")
        begin, rest = (text.replace("{tabular}", "{longtable}") for text in (begin, rest))
        head += "\\midrule\n"
        return f"{begin}\n\\caption{{{caption}}}\\\\\n{head}\\endfirsthead\n{head}\\endhead\n{rest}\n"

    def _latex_columns(self, rows: Sequence[Sequence[str]]) -> str:
        """How columns are set: numbers at their right, long text in lines of a share of the page's width."""
        longest = [max(map(len, column)) for column in zip(*rows, strict=True)] if rows else [0] * len(self.columns)
        long = [not number and letters > _LINE for number, letters in zip(self.numeric, longest, strict=True)]
        share = f"p{{{0.6 / max(1, sum(long)):.2f}\\linewidth}}"
        kinds = zip(long, self.numeric, strict=True)
        return "".join(share if wide else "r" if number else "l" for wide, number in kinds)

    def _written(self, write: Callable[[Cell], str], before: str, after: str) -> list[list[str]]:
        """The cells as text, what is best between both marks."""
        return [
            [
                f"{before}{write(cell)}{after}" if (at, place) in self.best else write(cell)
                for place, cell in enumerate(row)
            ]
            for at, row in enumerate(self.rows)
        ]


def format_cell(cell: Cell) -> str:
    """A cell for a person: about three significant digits, a dash for None."""
    if cell is None:
        return "-"
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, float):
        if abs(cell) < 1:
            return f"{cell:#.3g}" if cell else "0"
        return f"{cell:,.{0 if abs(cell) >= 1000 else 1 if abs(cell) >= 10 else 2}f}"
    return cell


def _is_number(cell: Cell) -> bool:
    return (
        not isinstance(cell, str) or re.fullmatch(r"[-+]?[\d.,]+(e[-+]\d+)?( ± [\d.,]+)?( \(\d+\))?", cell) is not None
    )


def as_text(cell: Cell) -> Cell:
    """The cell; text on one line, and marked as text where it would be run as a formula."""
    if not isinstance(cell, str) or _is_number(cell):
        return cell
    line = " ".join(cell.splitlines())
    return f"'{line}" if line.lstrip(" ").startswith(_FORMULA) else line


def marked(text: str) -> str:
    """Text as a cell that no spreadsheet runs as a formula, and that `unmarked` gives back."""
    return f"'{text}" if text.startswith("'") else str(as_text(text))


def unmarked(cell: str) -> str:
    """What `marked` made a cell of; what it did not make stays."""
    return cell[1:] if cell.startswith("'") and marked(cell[1:]) == cell else cell


def _escape(cell: Cell) -> str:
    text = html.escape(format_cell(cell), quote=False).replace("\\", "&#92;").replace("|", "\\|")
    return " ".join(text.replace("](", "]&#40;").splitlines())
