"""On which machines the seeds of two lines ran."""

from dataclasses import replace
from pathlib import Path

from made_runs import made_run

from al_bench.analysis.provenance import on_others, say_machines
from al_bench.analysis.reading import Run, stored


def runs_on(outputs: Path, strategy: str, *machines: str) -> list[Run]:
    """A line whose seeds ran on these."""
    for seed, machine in enumerate(machines):
        made_run(outputs, strategy, seed, more={"machine": machine})
    return [run for run in stored(outputs, Path("none")).runs if run.label[-1] == strategy]


def test_pairs_are_told_where_both_lines_know_the_same_machines(tmp_path: Path) -> None:
    first, second = runs_on(tmp_path, "random", "A", "B", "A"), runs_on(tmp_path, "entropy", "B", "A", "A")
    assert on_others(first, second) == [0, 1]
    assert say_machines(first, second) == "A; B; not both on the same with seeds 0, 1"
    assert on_others(first, first) == []
    assert say_machines(first, first) == "A; B"


def test_a_line_that_was_elsewhere_is_said_as_a_whole(tmp_path: Path) -> None:
    first, second = runs_on(tmp_path, "random", "A", "A"), runs_on(tmp_path, "entropy", "A", "B")
    assert on_others(first, second) == [1]
    assert say_machines(first, second) == "the first on A; the second on A and B"


def test_cycles_that_one_of_both_has_alone_say_nothing(tmp_path: Path) -> None:
    (first,), (longer,) = runs_on(tmp_path, "random", "A"), runs_on(tmp_path, "entropy", "A")
    third = longer.records[-1].model_copy(update={"machine": "B"})
    assert on_others([first], [replace(longer, records=[*longer.records, third])]) == []
