"""What lies on learning curves beside our lines: the paper's numbers, chance; what is said where all are near it."""

import base64
from collections.abc import Sequence
from pathlib import Path

import pytest
from made_runs import made_run

from al_bench.analysis.chance import chance_level, ends_near_chance
from al_bench.analysis.grouping import Section, sections
from al_bench.analysis.published import Number, Published
from al_bench.analysis.reading import stored
from al_bench.report.figures.charts import Charts
from al_bench.report.figures.palette import looks
from al_bench.report.notes import notes

PAPER = Published(
    "paper/made",
    [
        Number("entropy", "20", 83.0, 2.0, 5, "Tab. 1"),
        Number("entropy", "10", 99.0, 2.0, 5, "Tab. 1", "a copy of another cell"),
        Number("entropy", "negative_log_likelihood", 1.0, None, None, "Tab. 2"),
        Number("margin", "20", 84.0, 2.0, 5, "Tab. 1"),
    ],
)


def section_of(outputs: Path, lines: dict[str, Sequence[float]]) -> Section:
    for strategy, accuracies in lines.items():
        made_run(outputs, strategy, 0, tuple(accuracies), choices={"recipe": "paper/made"})
    (section,) = sections(stored(outputs, Path("none")).runs)
    return section


def charts_of(section: Section, published: Sequence[Published] = ()) -> Charts:
    return Charts(section, looks(section.groups), "range", published)


def test_the_papers_numbers_are_rings_where_their_line_is_stored(tmp_path: Path) -> None:
    section = section_of(tmp_path, {"entropy": (0.5, 0.8), "random": (0.5, 0.7)})
    charts = charts_of(section, [PAPER])
    assert charts.rings() == {"entropy": [(20, pytest.approx(83.0))]}, "none that is doubted, none without a curve"
    shown, plain = (base64.b64decode(one.learning().uri.split(",")[1]) for one in (charts, charts_of(section)))
    assert len(shown) > len(plain)


@pytest.mark.parametrize(
    ("lines", "drawn"),
    [({"random": (0.55, 0.70)}, True), ({"random": (0.90, 0.95)}, False)],  # of two classes
)
def test_chance_is_a_line_that_leaves_the_curves_half_of_the_plot(
    tmp_path: Path, lines: dict[str, Sequence[float]], drawn: bool
) -> None:
    charts = charts_of(section_of(tmp_path, lines))
    assert charts.chance == pytest.approx(0.5)
    assert charts.draws_chance is drawn
    assert ("chance 50" in charts.learning().alt) is drawn


def test_a_section_that_learned_nothing_says_so_first(tmp_path: Path) -> None:
    section = section_of(tmp_path, {"entropy": (0.5, 0.54), "random": (0.5, 0.52)})
    assert [ends_near_chance(group) for group in section.groups] == [True, True]
    assert notes(section)[0].startswith("Every method ends near chance, less than a tenth of the way")
    assert "one of 2 classes (50 %)" in notes(section)[0]


def test_a_seed_that_has_but_begun_is_no_end(tmp_path: Path) -> None:
    for line in ("entropy", "random"):
        for seed in range(3):
            made_run(tmp_path, line, seed, (0.5, 0.7, 0.9) if seed else (0.5,), finished=bool(seed))
    (section,) = sections(stored(tmp_path, Path("none")).runs)
    assert [ends_near_chance(group) for group in section.groups] == [False, False]


def test_one_line_that_learned_is_enough(tmp_path: Path) -> None:
    section = section_of(tmp_path, {"entropy": (0.5, 0.56), "random": (0.5, 0.52)})
    assert [ends_near_chance(group) for group in section.groups] == [False, True]
    assert not any("chance" in sentence for sentence in notes(section))
    assert chance_level(section.groups[0]) == pytest.approx(0.5)
