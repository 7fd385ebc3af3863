import numpy as np
import pytest
from made_runs import TRACE, generated, made_record, made_run

from al_bench.analysis.reading import stored
from al_bench.analysis.traces import means, trace_curves

QUERY = {"indices": [4, 5, 6, 7], "labels": None, "ranks": [0, 3, 1, 0]}


def runs(outputs):
    return stored(outputs, outputs / "cells").runs


def lengths(record, rows):
    return {"rows": len(rows["entropy_after"])}


def test_means_over_the_rows_of_a_cycle():
    found = means(made_record(query=QUERY), {"entropy_after": [0.5, 0.7, None, 0.6]})
    assert found["entropy_after"] == pytest.approx(0.6)


def test_a_thinned_cycle_has_the_means_of_all_its_rows():
    record = made_record(query=QUERY, trace_mean={"entropy_after": 0.9})
    assert means(record, {"entropy_after": [0.5, 0.7]})["entropy_after"] == 0.9


def test_a_strategy_that_measures_nothing_has_no_curves():
    assert means(made_record(query={"ranks": None}), {}) == {}


def test_curves_are_over_seeds_at_the_annotations_of_their_cycles(tmp_path):
    for seed, shift in ((0, 0.0), (1, 0.2)):
        trace = {"entropy_after": [0.4 + shift, 0.6 + shift]}
        made_run(tmp_path, "asal_auto", seed, (0.1, 0.2, 0.3), trace=trace)
    found = trace_curves(runs(tmp_path), [], lengths)["entropy_after"]
    assert [one.at for one in found] == [20, 30]
    assert (found[0].mean, found[0].minimum, found[0].maximum) == pytest.approx((0.6, 0.5, 0.7))


def test_an_older_record_without_a_trace_is_read_by_its_tensors(tmp_path):
    made_run(tmp_path / "old", "asal_auto", 0, tensors=generated())
    made_run(tmp_path / "new", "asal_auto", 0, trace=TRACE)
    old, new = (trace_curves(runs(tmp_path / name), [], lengths) for name in ("old", "new"))
    assert old == new
    assert old["rows"][0].mean == 2.0, "of what follows from several traces"


def test_garbled_tensors_are_named(tmp_path):
    folder = made_run(tmp_path, "asal_auto", 0, tensors=generated())
    (folder / "cycles" / "001.safetensors").write_bytes(np.zeros(9).tobytes())
    problems = []
    assert trace_curves(runs(tmp_path), problems, lengths) == {}
    assert "tensors of cycle 1 are corrupted" in problems[0].sentence
