"""The table of a comparison: what the document says is what the script makes of the kept cells."""

import re
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "comparison.md").read_text()


def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    monkeypatch.setattr(sys, "argv", ["compare_lines.py", *words, "--cells", str(ROOT / "results" / "cells")])
    runpy.run_path(str(ROOT / "scripts" / "compare_lines.py"))["main"]()
    return capsys.readouterr().out


def test_differences_are_those_of_the_document(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = printed(capsys, monkeypatch, "cifar10-compared-features").partition("minus that of margin")[2].splitlines()
    for name in ("badge", "typiclust", "dropquery", "uherding", "entropy"):
        (row,) = [row for row in rows if row.startswith(f"{name} ")]
        _, difference, low, high, _, pairs = row.split()
        assert re.search(
            rf"^\| {name} \|.*\*\*{re.escape(difference)}\*\* {re.escape(f'{low} {high}')},", TEXT, re.MULTILINE
        )
        assert pairs == "10"
