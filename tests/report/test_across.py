"""Lines over several data sets, on made runs of known ranks."""

from pathlib import Path

import pytest
from made_runs import made_run

from al_bench.analysis.grouping import Section, sections
from al_bench.analysis.reading import stored
from al_bench.report import across
from al_bench.report.across import rank_across
from al_bench.report.figures.plots import Line

ENDS = {"entropy": 0.9, "margin": 0.8, "random": 0.7}  # in this order on each data set but the last


def one_run(outputs: Path, line: str, end: float, number: int) -> None:
    parts = {"dataset": {"part": f"made.set{number}"}, "strategy": {"part": f"made.{line}"}}
    identity = {"part": "made.loop", **parts, "seed": 0}
    made_run(outputs, line, 0, (0.5, end), choices={"dataset": f"set{number}"}, identity=identity)


def made(outputs: Path, count: int) -> list[Section]:
    for number in range(count):
        for line, end in ENDS.items():
            better = 0.95 if number == 4 and line == "margin" else end
            one_run(outputs, line, better, number)
    one_run(outputs, "coreset", 0.99, 0)
    return sections(stored(outputs, outputs / "none").runs)


def test_five_data_sets_have_ranks(tmp_path: Path) -> None:
    found = rank_across(made(tmp_path, 5))
    assert found is not None
    assert found.table.rows == [["entropy", pytest.approx(1.2)], ["margin", pytest.approx(1.8)], ["random", 3.0]]
    assert "two lines are apart where their ranks are by 1.48" in found.table.about, "2.343 sqrt(3 * 4 / 30)"
    assert found.table.about.endswith("; coreset, which not all of them have, is not ranked")


def test_whiskers_are_half_of_the_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Line] = []
    monkeypatch.setattr(across, "dot_chart", lambda lines, *rest: drawn.extend(lines))
    rank_across(made(tmp_path, 5))
    (line,) = drawn
    assert line.y == pytest.approx([1.2, 1.8, 3.0])
    spread = [high - low for low, high in zip(line.low, line.high, strict=True)]
    assert spread == pytest.approx([1.482] * 3, abs=1e-3)
    assert [(low + high) / 2 for low, high in zip(line.low, line.high, strict=True)] == pytest.approx(line.y)


def test_another_configuration_of_a_line_is_ranked_nowhere(tmp_path: Path) -> None:
    """Its number stands for another one on each data set."""
    for number in range(5):
        parts = {"dataset": {"part": f"made.set{number}"}, "strategy": {"part": "made.margin", "k": number}}
        identity = {"part": "made.loop", **parts, "seed": 0}
        made_run(tmp_path, "margin", 0, (0.5, 0.99), choices={"dataset": f"set{number}"}, identity=identity)
    found = rank_across(made(tmp_path, 5))
    assert found is not None
    assert {row[0] for row in found.table.rows} == {"entropy", "margin", "random"}


def test_fewer_have_none(tmp_path: Path) -> None:
    assert rank_across(made(tmp_path, 4)) is None
    assert rank_across([]) is None
