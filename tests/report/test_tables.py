import csv
import io

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
