import csv
import io
import re
from pathlib import Path

import pytest

from al_bench.report.tables import Table, format_cell

TABLE = Table("made", "Made up", ["method", "accuracy, %", "by"], [["a|b<i>", 12.3456, None], ["c", None, 3]])


def test_csv_keeps_every_digit():
    rows = list(csv.reader(io.StringIO(TABLE.as_csv())))
    assert rows == [["method", "accuracy, %", "by"], ["a|b<i>", "12.3456", ""], ["c", "", "3"]]


def test_markdown_is_for_a_person_and_a_label_stays_text():
    lines = TABLE.as_markdown().splitlines()
    assert lines[0] == "Made up"
    assert "a\\|b&lt;i&gt;" in lines[4]
    assert "12.3 " in lines[4]
    assert all(line.replace("\\|", "").count("|") == 4 for line in lines[2:])


def test_text_is_no_formula_and_numbers_stay_numbers():
    bad = ["=HYPERLINK(1)", "+1-1", "-2+3", "@SUM(1)", "\tx", " =1"]
    good = ["-0.5", "+3", "-1.5e-05", "-0.5 ± 0.1 (3)", "a=b", "", "'=1"]
    table = Table("made", "", ["=head", *bad, *good], [[-0.5, *bad, *good]])
    head, row = csv.reader(io.StringIO(table.as_csv()))
    assert row == ["-0.5", *(f"'{text}" for text in bad), *good]
    assert head[0] == "'=head"
    assert Table("made", "", ["a"], [["x\r=1\n=2"]]).as_csv() == "a\nx =1 =2\n"


def test_markdown_holds_no_markup_but_its_own():
    text = "a\\|b\n| c | <b>[x](javascript:1)\r&#124;"
    table = Table("made", f"about {text}", ["a", f"head {text}"], [["x", text]])
    lines = table.as_markdown().splitlines()
    assert len(lines) == 5
    assert all(line.replace("\\|", "").count("|") == 3 for line in lines[2:])
    assert "<b>" not in table.as_markdown() and "](" not in table.as_markdown()
    assert "&amp;#124;" in lines[0], "what looks escaped is shown as it is"


def test_numbers_have_three_digits_that_tell():
    assert [format_cell(value) for value in (0.1, 0.00052841, 0.0, 7.0, 83.25, 12345.6, 12345)] == [
        "0.100",
        "0.000528",
        "0",
        "7.00",
        "83.2",
        "12,346",
        "12,345",
    ]


def test_columns_of_numbers_are_known():
    assert TABLE.numeric == [False, True, True]
    assert Table("made", "", ["a", "b"], [["1.0 ± 0.2", None], [None, None]]).numeric == [True, False]


def test_what_is_best_is_bold_for_people_and_plain_for_programs() -> None:
    table = Table("t", "about", ["line", "10"], [["a|b", 1.5], ["c_d", 2.5]], frozenset({(1, 1)}))
    assert "**2.50**" in table.as_markdown() and "**1.50**" not in table.as_markdown()
    assert "\\textbf{2.50}" in table.as_latex()
    assert "c\\_d" in table.as_latex()
    assert table.as_csv().splitlines()[2] == "c_d,2.5"


@pytest.mark.parametrize(("rows", "ends"), [(300, {"csv", "md", "tex"}), (301, {"csv"})])
def test_a_table_is_text_while_somebody_might_read_it(tmp_path: Path, rows: int, ends: set[str]) -> None:
    Table("made", "about", ["row"], [[0]]).write(tmp_path)  # before it grew
    table = Table("made", "about", ["row"], [[row] for row in range(rows)])
    table.write(tmp_path)
    assert {path.suffix[1:] for path in tmp_path.iterdir()} == ends
    assert {name.split(".")[1] for name in table.files} == ends


def test_a_longer_table_is_text_where_it_is_asked_for(tmp_path: Path) -> None:
    Table("made", "about", ["row"], [[row] for row in range(301)], most_read=301).write(tmp_path)
    assert {path.suffix[1:] for path in tmp_path.iterdir()} == {"csv", "md", "tex"}


def test_latex_sets_numbers_at_their_right_and_long_text_in_lines() -> None:
    table = Table("t", "about", ["line", "10", "why"], [["a", 1.5, "because " * 9], ["b", None, "so"]])
    assert r"\begin{tabular}{lrp{0.60\linewidth}}" in table.as_latex()
    assert r"\begin{tabular}{l}" in Table("t", "about", ["a"], [["b"]]).as_latex()


def test_what_no_page_holds_goes_on_over_pages_in_latex() -> None:
    """One `longtable` whose head comes again on each page, its caption once."""
    text = Table("made", "what_is", ["a_b"], [[row] for row in range(41)]).as_latex()
    assert text.startswith("\\begin{longtable}") and text.endswith("\\bottomrule\n\\end{longtable}\n")
    assert "tabular" not in text and "{table}" not in text
    first, again, rows = (part.split("\n") for part in re.split(r"\\end(?:first)?head\n", text))
    assert first[1] == "\\caption{what\\_is}\\\\" and first[2:] == again
    assert len(rows) == 41 + 3, "each row, and bottomrule, end and nothing behind"
    assert "longtable" not in Table("made", "", ["a"], [[row] for row in range(40)]).as_latex()
