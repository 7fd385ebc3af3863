"""The table of learning curves: which line of a column is best, on made runs."""

from pathlib import Path

from made_runs import made_run

from al_bench.analysis.grouping import Section, sections
from al_bench.analysis.reading import stored
from al_bench.report.results import agreements, learning


def section_of(outputs: Path) -> Section:
    (section,) = sections(stored(outputs, Path("none")).runs)
    return section


def test_the_best_of_a_column_is_bold_where_its_test_says_so(tmp_path: Path) -> None:
    """Both begin alike; then entropy is ahead by 0.10, 0.11 and 0.12."""
    for seed in range(3):
        made_run(tmp_path, "random", seed, (0.5 + seed / 100, 0.6 + seed / 100))
        made_run(tmp_path, "entropy", seed, (0.5 + seed / 100, 0.7 + seed / 50))
    table = learning(section_of(tmp_path))
    assert [row[0] for row in table.rows] == ["entropy", "random"]
    assert table.best == {(0, 2)}
    assert (
        "bold: better than every other of its column, paired t over the seeds that both lines have (n = 3)"
        in table.about
    )


def test_a_caption_counts_the_seeds_that_were_tested(tmp_path: Path) -> None:
    """Of ten stored seeds four have come to the size whose best is marked, where both lines begin alike."""
    for seed in range(10):
        made_run(tmp_path, "random", seed, (0.5 + seed / 100, 0.6 + seed / 100))
        ahead = (0.5 + seed / 100, 0.7 + seed / 50)
        made_run(tmp_path, "entropy", seed, ahead if seed < 4 else ahead[:1], finished=seed < 4)
    table = learning(section_of(tmp_path))
    assert table.best == {(0, 2)}
    assert "(n = 4)" in table.about


def test_nothing_is_bold_where_no_test_says_so(tmp_path: Path) -> None:
    for seed in range(3):
        made_run(tmp_path, "random", seed, (0.5, 0.6 + seed / 100))
        made_run(tmp_path, "entropy", seed, (0.5, 0.61 + (seed - 1) ** 2 / 30))
    table = learning(section_of(tmp_path))
    assert not table.best
    assert "bold" not in table.about


def test_a_method_has_its_picks_beside_those_of_a_peer(tmp_path: Path) -> None:
    for strategy in ("random", "entropy"):
        made_run(tmp_path, strategy, 0, (0.5, 0.6))
    (tmp_path / "strategy").mkdir()
    (tmp_path / "strategy" / "peers.csv").write_text("strategy,peer,seeds,asked,equal\nentropy,made 1.0 F,2,60,59\n")
    section = section_of(tmp_path)
    assert agreements(section, tmp_path).rows == [["entropy", "entropy", "made 1.0 F", 2, 60, 59]]
    assert agreements(section, tmp_path / "none").rows == []
