"""What a block cost, and what is done inside it for a reader alone."""

import pytest

from al_bench.training import cost
from al_bench.training.cost import add_cost, measure_apart, measure_cost


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time that passes only where a test says so: its last number is now."""
    now = [0.0]
    monkeypatch.setattr(cost.time, "perf_counter", lambda: now[-1])
    return now


def test_blocks_are_nested(clock: list[float]) -> None:
    with measure_cost() as outer:
        clock.append(1.0)
        with measure_cost() as inner:
            clock.append(3.0)
            add_cost(optimizer_steps=2, images_seen=5)
    assert (outer.seconds, inner.seconds) == (3.0, 2.0)
    assert outer.optimizer_steps == inner.optimizer_steps == 2
    assert outer.apart == inner.apart == {}


def test_what_is_apart_counts_for_no_block_around_it(clock: list[float]) -> None:
    with measure_cost() as outer, measure_cost() as inner:
        clock.append(1.0)
        for until in (11.0, 31.0):
            with measure_apart("scan"):
                clock.append(until)
                add_cost(optimizer_steps=3, images_seen=7)
        with measure_apart("record"):
            clock.append(36.0)
        clock.append(38.0)
    for one in (outer, inner):
        assert (one.seconds, one.optimizer_steps, one.images_seen) == (3.0, 0, 0)
        assert {part: spent.seconds for part, spent in one.apart.items()} == {"scan": 30.0, "record": 5.0}
        assert one.apart["scan"].optimizer_steps == 6
        assert "apart" not in one.plain()


def test_an_error_apart_leaves_the_blocks_around_it_whole(clock: list[float]) -> None:
    with measure_cost() as outer:
        with pytest.raises(ValueError, match="no record"), measure_apart("record"):
            clock.append(4.0)
            raise ValueError("no record")
        clock.append(5.0)
        add_cost(optimizer_steps=1, images_seen=1)
    assert (outer.seconds, outer.optimizer_steps) == (1.0, 1)


def test_nothing_around_is_no_error() -> None:
    with measure_apart("record"):
        add_cost(optimizer_steps=1, images_seen=1)
