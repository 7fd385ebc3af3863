"""What is written of ASAL and its GANs on MNIST two, computed anew from the stored cells."""

from collections.abc import Mapping
from functools import cache

import pytest

from al_bench.analysis.reading import Stored, add_runs
from al_bench.analysis.statistics.areas import area_under_curve
from al_bench.analysis.statistics.paired import Interval, interval
from al_bench.config.groups import CONF

ROOT = CONF.parent
RESULTS = " ".join((ROOT / "results" / "README.md").read_text().split())
PAGE = " ".join((ROOT / "docs" / "papers" / "asal.md").read_text().split())
SPACES = ("asal_pixel", "asal_auto", "asal_disc")


@cache
def curves(line: str) -> Mapping[int, Mapping[int, float]]:
    """Accuracy in percent by seed and annotations; ASAL's lines are those with WGAN-GP and the step size of all
    experiments but that of the step size itself."""
    found = Stored()
    add_runs(sorted((ROOT / "results" / "cells").glob(f"mnist_two-asal-{line}-seed=*.cell.xz")), found)
    runs = [
        run
        for run in found.runs
        if not line.startswith("asal_")
        or (run.choices["gan"] == "wgan_gp" and run.config["strategy"]["optimizer"]["lr"] == 0.01)
    ]
    assert len(runs) == len({run.seed for run in runs}), "two lines under one name"
    of = {run.seed: {one.annotations: 100 * float(one.metrics["accuracy"]) for one in run.cycles} for run in runs}
    assert sorted(of) == list(range(5)) and not found.problems
    return of


def apart(first: str, second: str) -> dict[int, Interval]:
    """Of the differences over seeds at each number of labels after the first ones."""
    one, other = curves(first), curves(second)
    found = {at: interval([one[seed][at] - other[seed][at] for seed in one]) for at in sorted(one[0])[1:]}
    return {at: value for at, value in found.items() if value is not None}


def area(first: str, second: str) -> Interval:
    one, other = curves(first), curves(second)
    sizes = sorted(one[0])
    found = interval([area_under_curve(sizes, [one[seed][at] - other[seed][at] for at in sizes]) for seed in one])
    assert found is not None
    return found


def measured(line: str) -> Mapping[str, float]:
    """The metrics of the one cell of a measurement."""
    found = Stored()
    add_runs(sorted((ROOT / "results" / "cells").glob(f"mnist_two-asal-{line}-seed=0-*.cell.xz")), found)
    (measurement,) = [run.measurement for run in found.runs]
    assert measurement is not None
    return {name: float(value) for name, value in measurement.metrics.items() if value is not None}


@pytest.mark.parametrize(("gan", "name"), [("wgan_gp", "WGAN-GP"), ("dcgan", "DCGAN, batch norm in its generator")])
def test_whether_a_gan_counts_and_what_its_judge_is_worth(gan: str, name: str) -> None:
    found = measured(f"gan_quality+{gan}")
    ends = sorted({f"{found['smallest_ratio']:.2f}", f"{found['largest_ratio']:.2f}"})
    assert f"| {name} | {found['confident_share']:.1%} | {' to '.join(ends)} | yes |".replace("%", " %") in RESULTS
    assert found["real_confident_share"] == 1.0 and found["counts"]
    words = (
        f"sure of all real test images of MNIST's two classes, and right about {found['judge_accuracy']:.1%} of them"
    )
    assert words.replace("%", " %") in RESULTS


@pytest.mark.parametrize("line", SPACES)
def test_each_space_is_above_random_sampling_on_average_and_at_three_sizes(line: str) -> None:
    found = apart(line, "random")
    assert all(found[at].low > 0 for at in (150, 200, 250))
    assert any(found[at].low <= 0 for at in range(150, 251, 10)), "not at each size between"
    assert area(line, "random").low > 0


def test_by_how_much_they_are_above_it() -> None:
    means = [area(line, "random").mean for line in SPACES]
    assert f"ASAL above random, by {min(means):.2f} to {max(means):.2f} points on average over all sizes" in PAGE
    assert "as they are at 150, 200 and 250 labels and not at each size between" in PAGE


def test_gaal_is_at_the_level_of_random_sampling_at_all_later_sizes_but_one() -> None:
    found = {at: one for at, one in apart("gaal+hinge", "random").items() if at >= 150}
    told = [at for at, one in found.items() if one.low > 0 or one.high < 0]
    assert f"one size of {len(found)} has an interval to random without 0 ({told[0]} labels)" in RESULTS
    assert len(told) == 1


def test_the_lead_of_gaal_is_there_before_anything_is_asked_for() -> None:
    one, other = curves("gaal+hinge"), curves("random")
    first = interval([one[seed][50] - other[seed][50] for seed in one])
    assert first is not None
    words = f"{first.mean:.2f} points ({first.low:.2f} to {first.high:.2f}) above random at 50 labels already"
    assert words in RESULTS


def test_beside_random_sampling_with_its_loss_gaal_has_none() -> None:
    found = apart("gaal+hinge", "random+hinge")
    told = [f"{found[at].mean:+.2f} ({found[at].low:.2f} to {found[at].high:.2f}) at {at}" for at in (100, 200, 500)]
    assert f"{told[0]}, {told[1]} and {told[2]}" in RESULTS
    above = [at for at, one in found.items() if one.low > 0]
    below = [at for at, one in found.items() if one.high < 0]
    assert (len(found), above, below) == (45, [60], [440, 450])
    assert "of the 45 sizes after the first its interval is above 0 at one (60 labels) and below at two" in RESULTS
    assert f"level with it at {len(found) - len(above) - len(below)} of {len(found)} sizes" in PAGE
