from types import SimpleNamespace

import pytest

from al_bench.active.metric import Metric
from al_bench.active.stopping import Stopping

RISING = [Metric(name, "fraction", higher_is_better=True) for name in ("accuracy", "f")]
FALLING = [Metric("negative_log_likelihood", "nats", higher_is_better=False)]
LIKELIHOOD = {"negative_log_likelihood": 0.5}


def cycle(index=3, annotations=80, unlabeled=20, images=None, **metrics):
    known = {"index": index, "annotations": annotations, "unlabeled": unlabeled, "test_images": images}
    return SimpleNamespace(**known, metrics=metrics)


@pytest.mark.parametrize(
    ("stopping", "last", "reason"),
    [
        (Stopping(100), None, None),
        (Stopping(100), cycle(), None),
        (Stopping(80), cycle(), "the budget of 80 annotations is spent"),
        (Stopping(75), cycle(), "the budget of 75 annotations is spent: 80 are stored, of a larger one"),
        (Stopping(1000), cycle(unlabeled=0), "every image is labeled"),
        (Stopping(float("inf")), cycle(), None),
        (Stopping(100, max_cycles=3), cycle(), "loop.max_cycles=3 is reached"),
        (Stopping(100, max_cycles=4), cycle(), None),
        (Stopping(100, stop_at={"accuracy": 0.9}, metrics=RISING), cycle(accuracy=0.91), "accuracy 0.9 is reached"),
        (Stopping(100, stop_at={"accuracy": 0.9}, metrics=RISING), cycle(accuracy=0.89), None),
        (Stopping(100, stop_at={"accuracy": 0.9, "f": 0.5}, metrics=RISING), cycle(accuracy=0.95, f=0.4), None),
        (Stopping(100, stop_at={"accuracy": 0.9}, metrics=RISING), cycle(accuracy=None), None),
        (Stopping(100, stop_at=LIKELIHOOD, metrics=FALLING), cycle(negative_log_likelihood=2.3), None),
        (
            Stopping(100, stop_at=LIKELIHOOD, metrics=FALLING),
            cycle(negative_log_likelihood=0.4),
            "negative_log_likelihood 0.5 is reached",
        ),
        (Stopping(100, certain_above=0.9), cycle(images=100, accuracy=0.94), None),
        (
            Stopping(100, certain_above=0.9),
            cycle(images=100, accuracy=0.95),
            "accuracy is above 0.9 with 95 % certainty (above 0.901)",
        ),
        (Stopping(100, certain_above=0.9, confidence=0.99), cycle(images=100, accuracy=0.95), None),
        (Stopping(100, certain_above=0.9), cycle(accuracy=0.99), None),  # of how many images is not known
        (Stopping(100, certain_above=0.0), cycle(images=10, accuracy=None), None),
    ],
)
def test_the_first_rule_that_holds(stopping, last, reason):
    assert stopping.reason(last) == reason


def test_the_last_query_takes_what_is_left():
    assert Stopping(100).next_size(10, 80, 500) == 10
    assert Stopping(85).next_size(10, 80, 500) == 5
    assert Stopping(float("inf")).next_size(10, 80, 3) == 3


@pytest.mark.parametrize(
    ("initial", "size", "budget", "cycles"),
    [(50, 10, 500, 45), (50, 10, 1000, 95), (100, 50, 10_000, 198), (1000, 1000, 30_000, 29), (100, 10, 2000, 190),
     (1000, 1000, 50_000, 49)],
)  # fmt: skip
def test_the_cycle_counts_of_asal_table_1(initial, size, budget, cycles):
    """With CelebA's 100 initial labels (A.5)."""
    stopping, annotations, index = Stopping(budget), initial, 0
    while stopping.reason(cycle(index, annotations, 10**7)) is None:
        annotations += stopping.next_size(size, annotations, 10**7)
        index += 1
    assert index == cycles


def test_a_run_from_before_the_certainty_was_asked_for_has_none():
    older = {"budget": 100, "max_cycles": None, "stop_at": None}
    assert Stopping.stored(older, []).certain_above is None
    newer = Stopping.stored({**older, "certain_above": 0.8, "confidence": 0.9}, [])
    assert (newer.certain_above, newer.confidence) == (0.8, 0.9)


def test_infinity_is_stored_by_name():
    stored = Stopping.stored({"budget": "all", "max_cycles": None, "stop_at": None}, [])
    assert stored.reason(cycle(annotations=10**9)) is None
