import sys

import numpy as np
import pytest
from made_runs import made_record, made_run

from al_bench.analysis.forecast import FEWEST, Fit, Forecast, MeasuredCycle, forecast, measured
from al_bench.analysis.reading import stored
from al_bench.config.groups import CONF
from scripts.score_forecast import Score, main, scored

LABELS = list(range(50, 301, 25))


def law(asymptote, labels, count=10_000, rng=None):
    """Errors of asymptote + 4 / labels, exact or as a binomial draws them."""
    found = []
    for annotations in labels:
        accuracy = 1 - asymptote - 4 / annotations
        correct = round(accuracy * count) if rng is None else int(rng.binomial(count, accuracy))
        found.append(MeasuredCycle(annotations, correct, count))
    return found


def test_a_power_law_is_followed_to_where_it_reaches_the_goal():
    found = forecast(law(0.01, LABELS), 0.98, pool=5_000)
    assert found.reason == ""
    assert found.annotations == pytest.approx(400, rel=0.07), "4 / 400 + 0.01"
    first, last = found.intervals[0.95]
    assert 300 < first <= 400 <= last < 700
    assert (found.chance, found.most) == (1.0, 5_000)


def test_intervals_hold_what_comes_about_as_often_as_they_say():
    rng, held = np.random.default_rng(3), {0.8: 0, 0.95: 0}
    for _ in range(60):
        curve = law(0.01, range(50, 3_000, 25), count=1_000, rng=rng)
        goal = max(one.correct for one in curve[:11]) / 1_000 + 0.004
        came = next(one.annotations for one in curve if one.correct >= goal * 1_000 - 1e-9)
        for confidence, (first, last) in forecast(curve[:11], goal, 5_000).intervals.items():
            held[confidence] += first <= came and (last is None or came <= last)
    assert 0.7 <= held[0.8] / 60 <= 0.97
    assert held[0.95] / 60 >= 0.88


def test_what_the_curve_does_not_come_to_is_not_reached():
    found = forecast(law(0.2, LABELS), 0.9, pool=2_000)
    assert (found.annotations, found.intervals[0.8], found.reached) == (None, (None, None), False)
    assert found.chance < 0.1
    assert found.reason == ""


def test_fewer_labels_than_it_takes_are_said_to_be_too_few():
    assert forecast(law(0.01, LABELS), 0.98, pool=350).annotations is None


def test_what_is_reached_needs_no_forecast():
    found = forecast(law(0.01, LABELS[:2]), 0.91, pool=2_000)
    assert (found.reached, found.annotations, found.intervals[0.8]) == (True, 50, (50, 50))


@pytest.mark.parametrize("count", range(FEWEST))
def test_a_few_cycles_are_no_curve(count):
    found = forecast(law(0.01, LABELS[:count]), 0.98, pool=2_000)
    assert found.reason == f"a forecast takes at least 4 cycles, and there are {count}"
    assert (found.annotations, found.intervals) == (None, {})
    assert forecast(law(0.01, [50] * 9), 0.98, pool=2_000).reason, "nor is one point, again and again"


def test_of_a_pool_that_is_labeled_nothing_is_forecast():
    assert forecast(law(0.01, LABELS), 0.98, pool=300).reason == "nothing is left to label"


def test_the_same_arguments_give_the_same_forecast():
    curve = law(0.01, LABELS, count=200)
    assert forecast(curve, 0.99, 5_000) == forecast(curve, 0.99, 5_000)
    assert forecast(curve, 0.99, 5_000) != forecast(curve, 0.99, 5_000, fit=Fit(temper=0.1))


def test_a_curve_that_falls_has_a_forecast_too():
    falling = [MeasuredCycle(labels, 150 - labels // 10, 200) for labels in LABELS]
    assert forecast(falling, 0.9, 5_000).annotations is None


@pytest.mark.parametrize("goal", [0, 1.5, 90])
def test_what_is_no_accuracy_is_refused(goal):
    with pytest.raises(ValueError, match=f"a goal of {goal} is no accuracy"):
        forecast(law(0.01, LABELS), goal, 100)


def test_cycles_are_counted_where_it_is_known_of_how_many_images():
    records = [made_record(index=index, test_images=images) for index, images in ((0, None), (1, 8))]
    assert measured(records) == [MeasuredCycle(20, 4, 8)], "half of eight"
    assert measured([made_record(metrics={"mean_iou": 0.5}, test_images=8)]) == []


@pytest.mark.parametrize(
    ("came", "interval", "covered"),
    [(90, (80, 100), True), (70, (80, 100), False), (110, (80, 100), False), (90, (80, None), True),
     (90, (None, None), False), (None, (80, None), True), (None, (80, 200), False), (None, (80, 201), True)],
)  # fmt: skip
def test_a_forecast_is_scored_by_what_came_until_the_curve_s_end(came, interval, covered):
    assert Score("", True, Forecast(0.9, intervals={0.8: interval}), came, end=200).covered(0.8) == covered


def test_the_second_half_of_a_curve_tells_of_its_first(tmp_path):
    accuracies = (0.5, 0.6, 0.6, 0.7, 0.6, 0.8, 0.8, 0.9)
    made_run(tmp_path, "random", 0, accuracies, more={"test_images": 100, "unlabeled": 1000})
    (run,) = stored(tmp_path, tmp_path / "cells").runs
    found = list(scored(run, None, Fit()))
    assert {(one.found.goal, one.came) for one in found if not one.ahead} == {(0.8, 60), (0.9, 80)}
    harder = {round(one.found.goal, 3): one.came for one in found if one.ahead}
    assert harder == {0.715: 60, 0.73: 60, 0.76: 60, 0.79: 60, 0.85: 80}
    assert {one.end for one in found} == {80}


def test_a_run_of_fewer_test_images_than_an_audit_looks_at_is_not_scored_by_one(tmp_path):
    bits = {"test_images": 8, "unlabeled": 1000, "correct": [255]}
    made_run(tmp_path, "random", 0, (0.5, 0.6, 0.6, 0.7, 0.6, 0.8, 0.8, 0.9), more=bits)
    (run,) = stored(tmp_path, tmp_path / "cells").runs
    assert list(scored(run, None, Fit())) and not list(scored(run, 9, Fit()))


def test_a_score_of_goals_that_nothing_reached_has_no_error(tmp_path, monkeypatch, capsys):
    """Of one kept run, whose rest never comes to what is set ahead."""
    (cell,) = (CONF.parent / "results" / "cells").glob("cifar10-compared-features-badge+backbone-seed=9-*.cell.xz")
    (tmp_path / cell.name).write_bytes(cell.read_bytes())
    monkeypatch.setattr(sys, "argv", ["score_forecast.py", "--cells", str(tmp_path)])
    main()
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| all") and "set ahead" in line]
    cells = [one.strip() for one in rows[0].split("|")]
    assert (cells[5], cells[-2]) == ("0", "-")
