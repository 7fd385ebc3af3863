"""What was measured and what is extrapolated, by the paper's own numbers (ASAL Sec. 5.5)."""

import pytest

from al_bench.procedure.timing.timetable import (
    Seconds,
    cycles_to_pay_off,
    preparation_table,
    selection_table,
    time_calls,
    transition_table,
)


def test_beyond_what_was_measured_time_grows_with_the_pool_and_says_so() -> None:
    scan = Seconds({160_000: 31.8, 640_000: 127.2})
    assert scan.at(160_000) == (31.8, "measured")
    seconds, how = scan.at(16_000_000)
    assert (seconds, how) == (pytest.approx(53 * 60), "extrapolated")
    assert Seconds({}, "no images").at(5) == (None, "not measured: no images")


def test_the_transition_point_of_the_papers_seconds() -> None:
    """25 h for the GAN, 1.6 h for the auto-encoder, 32 s per 160k for features, 5 min for the tree; 44 s instead of
    53 min a cycle at 16 million."""
    training, steps = {"gan": 25 * 3600.0, "autoencoder": 1.6 * 3600}, {"features": 3200.0, "index": 300.0}
    count = 16_000_000
    asal, entropy = Seconds({count: 44.0}), Seconds({count: 3180.0})
    table = transition_table(asal, {"entropy": entropy}, {count: steps}, training)
    assert table["rows"] == [["entropy", count, 3136.0, 2, 32, "measured"]]
    assert 31 * 3136 < 90_000 + 5760 + 3500 < 32 * 3136


def test_what_saves_nothing_never_pays_off() -> None:
    assert cycles_to_pay_off(10.0, slow=1.0, fast=1.0) is None
    assert cycles_to_pay_off(10.0, slow=1.0, fast=2.0) is None
    assert cycles_to_pay_off(0.0, slow=2.0, fast=1.0) == 0


def test_tables_have_a_row_for_each_size() -> None:
    methods = {"asal": Seconds({10: 1.0, 20: 1.5}), "entropy": Seconds({10: 2.0})}
    rows = selection_table(methods, [10, 20], "")["rows"]
    assert rows == [
        ["asal", 10, 1.0, "measured"], ["asal", 20, 1.5, "measured"],
        ["entropy", 10, 2.0, "measured"], ["entropy", 20, 4.0, "extrapolated"],
    ]  # fmt: skip
    table = preparation_table({10: {"PCA": 1.0, "index": 2.0}}, {"gan": 7.0})
    assert table["rows"] == [[10, 7.0, 1.0, 2.0, 3.0, 10.0]]
    assert len(table["columns"]) == 6


def test_each_table_is_drawn_over_several_sizes_by_columns_that_it_has() -> None:
    fast, slow = Seconds({10: 1.0, 20: 1.5}), Seconds({10: 2.0})
    steps = {10: {"PCA": 1.0, "index": 2.0}, 20: {"PCA": 1.0, "index": 5.0}}
    tables = [
        selection_table({"asal": fast, "entropy": slow}, [10, 20], ""),
        preparation_table(steps, {"gan": 7.0}),
        transition_table(fast, {"entropy": slow}, steps, {"gan": 7.0}),
    ]
    plots = [(table, plot) for table in tables for plot in table["plots"]]
    assert [plot["y"] for _, plot in plots] == [
        ["seconds"], ["PCA", "index"], ["cycles without training"], ["with training"],
    ]  # fmt: skip
    for table, plot in plots:
        assert {plot["x"], *plot["y"], *plot.get("dashed", {}), plot.get("by", plot["x"])} <= set(table["columns"])
    assert not selection_table({"asal": fast}, [10], "")["plots"], "one size has no course"


def test_the_median_of_the_repeats_counts() -> None:
    calls: list[int] = []
    seconds, last = time_calls(lambda: calls.append(1) or len(calls), 3)
    assert (len(calls), last) == (3, 3)
    assert 0 <= seconds < 1
