"""The table of a comparison: what the document says is what the script makes of the kept cells."""

import re
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMES = {"random": "random, tuned", "untuned_features": "random, untuned", "coreset": "core-set"}
TEXT = (ROOT / "docs" / "comparison.md").read_text()


def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    monkeypatch.setattr(sys, "argv", ["compare_lines.py", *words, "--cells", str(ROOT / "results" / "cells")])
    runpy.run_path(str(ROOT / "scripts" / "compare_lines.py"))["main"]()
    return capsys.readouterr().out


@pytest.mark.parametrize("label", ["cifar10-compared-features"])
def test_rows_are_those_of_the_document(
    label: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Differences, ranks, labels and steps of each line; seconds are another machine's."""
    _, differences, standings = printed(capsys, monkeypatch, label).split("\n\n")
    _, from_random, _ = printed(capsys, monkeypatch, label, "--minus", "random").split("\n\n")
    by_margin, by_random = (cells_of(text) for text in (differences, from_random))
    for name, (rank, labels, steps, _) in cells_of(standings).items():
        (row,) = re.findall(rf"^\| {NAMES.get(name, name)} \|(.*) \|$", TEXT, re.MULTILINE)
        *_, minus_margin, minus_random, own_rank, own_labels, own_steps, _ = row.split(" | ")
        assert (own_rank, own_steps) == (rank, steps)
        assert re.sub(r" \((.*)\)", r", \1", own_labels) == labels
        for told, measured in ((minus_margin, by_margin.get(name)), (minus_random, by_random.get(name))):
            difference, interval, p, _ = measured or ("", "", "1", "")
            bold = "**" if float(p) < 0.05 else ""
            assert told.strip().startswith(f"{bold}{difference}{bold} {interval}".strip())


def cells_of(table: str) -> dict[str, list[str]]:
    """The cells of each line of a printed table."""
    rows = [re.split(r"  +", row.strip()) for row in table.splitlines()[3:]]
    return {name: cells for name, *cells in rows}
