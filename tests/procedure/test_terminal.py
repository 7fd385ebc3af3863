"""What a person reads of a run in the terminal fits into it."""

from made_runs import cycle

from al_bench.evaluator.accuracy import Accuracy
from al_bench.evaluator.gan_quality import GanQuality
from al_bench.procedure.terminal import cycle_table
from al_bench.storage.record import CycleRecord, read_record

WIDEST = 120
COUNTS = ("modes", "num_samples", "num_real")  # which are whole numbers


def cycles(metrics: dict[str, float]) -> list[CycleRecord]:
    return [read_record({**cycle(index, 0.5), "metrics": metrics}) for index in range(3)]


def test_a_table_that_is_too_wide_goes_on_below() -> None:
    own = [metric for metric in GanQuality.scalars if metric.name not in ("inception_score", "fid", "kid")]
    metrics = {metric.name: 0.125 * place for place, metric in enumerate(own)}
    first, second = (part.splitlines() for part in cycle_table(cycles(metrics), GanQuality.scalars).split("\n\n"))
    assert max(map(len, [*first, *second])) <= WIDEST
    for part in (first, second):
        assert part[0].split()[0] == "cycle" and [row.split()[0] for row in part[-3:]] == ["0", "1", "2"]
    headings = " ".join([*first[:-4], *second[:-4]])
    for metric in own:
        assert all(word in headings for word in metric.heading.split()), "nothing is left out"
    assert "query s" in second[0] and "annotations" not in second[0]
    cells = [cell for cell in (first[-1] + second[-1]).split() if len(cell.partition(".")[2]) == 4]
    measured = [f"{value:.4f}" for name, value in metrics.items() if name not in COUNTS]
    assert cells == [*measured, "0.5000"], "and the entropy of what was chosen"


def test_a_table_that_fits_is_one() -> None:
    table = cycle_table(cycles(dict.fromkeys((metric.name for metric in Accuracy.scalars), 0.5)), Accuracy.scalars)
    assert "\n\n" not in table and max(map(len, table.splitlines())) <= WIDEST
    assert all(heading in table.splitlines()[0] for heading in ("annotations", "accuracy", "fit s", "query s"))


def test_a_model_that_has_come_apart_makes_no_table_of_its_digits() -> None:
    metrics = {metric.name: 0.5 for metric in Accuracy.scalars} | {"negative_log_likelihood": 1.9e25}
    table = cycle_table(cycles(metrics), Accuracy.scalars)
    assert "\n\n" not in table and table.count("1.9e+25") == 3
