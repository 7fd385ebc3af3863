import math

import pytest
from made_runs import made_record, made_run

from al_bench.analysis.curves import Point, average, balance, curve, last_common, metric, point
from al_bench.analysis.reading import stored


def test_mean_range_and_deviation_over_seeds(tmp_path):
    for seed, accuracy in enumerate((0.2, 0.4, 0.9)):
        made_run(tmp_path, "entropy", seed, (0.1, accuracy))
    first, second = curve(stored(tmp_path, tmp_path / "cells").runs, metric("accuracy"))
    assert (first.at, first.mean, first.deviation, first.seeds) == (10, pytest.approx(0.1), 0, 3)
    assert (second.minimum, second.maximum, second.seeds) == (0.2, 0.9, 3)
    assert second.mean == pytest.approx(0.5)
    assert second.deviation == pytest.approx(math.sqrt((0.09 + 0.01 + 0.16) / 2))
    assert second.band("range") == (0.2, 0.9)
    assert second.band("deviation") == pytest.approx((0.5 - math.sqrt(0.13), 0.5 + math.sqrt(0.13)))


def test_a_seed_that_is_behind_counts_where_it_is(tmp_path):
    made_run(tmp_path, "entropy", 0, (0.1, 0.3, 0.5))
    made_run(tmp_path, "entropy", 1, (0.3, 0.5))
    points = curve(stored(tmp_path, tmp_path / "cells").runs, metric("accuracy"))
    assert [(one.at, one.seeds) for one in points] == [(10, 2), (20, 2), (30, 1)]
    assert [at.mean for at in points] == pytest.approx([0.2, 0.4, 0.5])
    assert last_common(points) == points[1]


def test_a_single_seed_has_no_deviation():
    assert point(10, [0.5]) == Point(10, 0.5, 0.5, 0.5, None, 1)
    assert point(10, [0.5]).band("deviation") == (0.5, 0.5)


def test_what_is_not_a_number_is_left_out(tmp_path):
    made_run(tmp_path, "entropy", 0, (0.1, 0.3))
    (run,) = stored(tmp_path, tmp_path / "cells").runs
    assert curve([run], lambda record: None) == []
    assert curve([run], metric("class_accuracy")) == []
    assert len(curve([run], lambda record: math.nan if record.index else 1.0)) == 1


def test_the_average_of_a_curve_is_its_area_over_its_length(tmp_path):
    made_run(tmp_path, "entropy", 0, (0.0, 1.0, 1.0))
    made_run(tmp_path, "random", 0, (0.5,))
    known = {run.choices["strategy"]: [run] for run in stored(tmp_path, tmp_path / "cells").runs}
    assert average(known["entropy"], "accuracy") == pytest.approx((5 + 10) / 20)
    assert average(known["random"], "accuracy") is None


@pytest.mark.parametrize("begun", [1, 2, 6])
def test_the_average_of_a_curve_is_of_seeds_that_are_as_far(tmp_path, begun):
    """A seed that has just begun is not among them, one more than half as far ends it for all."""
    for seed in range(3):
        made_run(tmp_path, "entropy", seed, tuple(0.1 * cycle + 0.01 * seed for cycle in range(10)))
    made_run(tmp_path, "entropy", 3, (0.9,) * begun)
    runs = stored(tmp_path, tmp_path / "cells").runs
    whole, half = (0.45 + 0.01), (3 * (0.25 + 0.01) + 0.9) / 4
    assert average(runs, "accuracy") == pytest.approx(half if begun == 6 else whole)


def test_balance_is_one_for_equal_classes_and_zero_for_one():
    assert balance(made_record(class_counts=[7, 7, 7])) == pytest.approx(1)
    assert balance(made_record(class_counts=[7, 0, 0])) == 0
    uneven = (0.75 * math.log(4 / 3) + 0.25 * math.log(4)) / math.log(2)
    assert balance(made_record(class_counts=[3, 1])) == pytest.approx(uneven)
    assert balance(made_record(index=3)) == balance(made_record(class_counts=[3, 1]))
