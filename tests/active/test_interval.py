import pytest
from scipy.stats import binomtest

from al_bench.active.interval import surely_above, wilson_interval


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95, 0.999])
@pytest.mark.parametrize(("correct", "count"), [(0, 1), (1, 1), (0, 40), (40, 40), (3, 7), (90, 100), (9_999, 10_000)])
def test_the_interval_is_scipy_s(correct, count, confidence):
    expected = binomtest(correct, count).proportion_ci(confidence, method="wilson")
    assert wilson_interval(correct, count, confidence) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_its_ends_are_shares():
    assert wilson_interval(0, 3)[0] == 0.0
    assert wilson_interval(3, 3)[1] == 1.0


def test_one_is_certain_by_a_one_sided_interval():
    expected = binomtest(94, 100, alternative="greater").proportion_ci(0.95, method="wilson").low
    assert surely_above(94, 100) == pytest.approx(expected, abs=1e-12)
    assert surely_above(94, 100) < 0.9 < surely_above(95, 100), "95 of 100 are enough for 90 %"


@pytest.mark.parametrize(("correct", "count"), [(0, 0), (5, 4), (-1, 4)])
def test_what_is_no_share_is_refused(correct, count):
    with pytest.raises(ValueError, match=f"{correct} of {count} images"):
        wilson_interval(correct, count)


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_what_is_no_confidence_is_refused(confidence):
    with pytest.raises(ValueError, match=f"{confidence} is none"):
        wilson_interval(1, 2, confidence)
    with pytest.raises(ValueError, match="is none"):
        surely_above(1, 2, 0.5)
