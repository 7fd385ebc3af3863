"""What a person reads of a run in the terminal fits into it."""

from made_runs import cycle

from al_bench.evaluator.accuracy import Accuracy
from al_bench.evaluator.gan_quality import GanQuality
from al_bench.procedure.terminal import cycle_table
from al_bench.storage.record import CycleRecord, read_record

WIDEST = 120


def cycles(metrics: dict[str, float]) -> list[CycleRecord]:
    return [read_record({**cycle(index, 0.5), "metrics": metrics}) for index in range(3)]


def test_a_table_that_is_too_wide_goes_on_below() -> None:
    own = [metric for metric in GanQuality.scalars if metric.name not in ("inception_score", "fid", "kid")]
    metrics = {metric.name: 0.125 * place for place, metric in enumerate(own)}
    first, second = (part.splitlines() for part in cycle_table(cycles(metrics), GanQuality.scalars).split("\n\n"))
    assert max(map(len, [*first, *second])) <= WIDEST
    assert len(first) == len(second) == 5
    for part in (first, second):
        assert part[0].split()[0] == "cycle" and [row.split()[0] for row in part[2:]] == ["0", "1", "2"]
    for metric in own:
        assert f"  {metric.heading}" in first[0] + second[0], "nothing is left out"
    assert second[0].endswith("query s") and "annotations" not in second[0]


def test_a_table_that_fits_is_one() -> None:
    table = cycle_table(cycles(dict.fromkeys((metric.name for metric in Accuracy.scalars), 0.5)), Accuracy.scalars)
    assert "\n\n" not in table and max(map(len, table.splitlines())) <= WIDEST
    assert all(heading in table.splitlines()[0] for heading in ("annotations", "accuracy", "fit s", "query s"))
