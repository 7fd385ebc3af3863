"""procedure=toy: what it measures is what the paper says, but where the appendix is wrong."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from composing import part

from al_bench.procedure.toy import final_table
from al_bench.storage.store import RunStore


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = tmp_path_factory.mktemp("toy")
    made = part("procedure", "experiment=waal/toy", "procedure.bias.draws=3", f"paths.outputs={folder}")
    with RunStore(folder / "run", {}, {}) as store:
        made.run(store)
    with RunStore(folder / "run", {}, {}) as store:
        (found,) = store.records
    return found.plain()


def test_the_papers_claims_by_their_metrics(record: dict[str, Any]) -> None:
    metrics = record["metrics"]
    assert next(iter(metrics)) == "uncertainty_risk"
    assert metrics["uncertainty_risk"] == pytest.approx(0.10, abs=1e-3)
    assert (metrics["optimal_risk"], metrics["suboptimal_risk"]) == (0.05, 0.1)
    assert metrics["random_risk"] == pytest.approx(0.05, abs=1e-3)
    assert metrics["diverse_risk"] == pytest.approx(0.05, abs=1e-3)
    assert metrics["d_h_largest_gap"] == 0
    assert metrics["w1_biased_minimum"] > metrics["w1_diverse_maximum"]
    assert metrics["equal_d_h_smallest_gap"] == pytest.approx(0.3), "0.5 and 0.2 at x0 = 2.8"
    assert record["finished"].startswith("final risks, of which 5.0% is the least: uncertainty 10.0%, random 5.0%")


def test_the_appendix_beside_what_is_computed(record: dict[str, Any]) -> None:
    rows = {row[0]: row[1:] for row in record["tables"]["closed_forms"]["rows"]}
    for computed, closed, *_ in rows.values():
        assert computed == pytest.approx(closed)
    right = {name for name, (computed, _, _, printed) in rows.items() if printed == pytest.approx(computed)}
    assert right == {"min of W1(D1, D3) over x0"}
    computed, _, *printed = rows["max of W1(D1, D2) over x0"]
    assert (computed, printed) == (pytest.approx(0.6), ["3a/2 - b/2", pytest.approx(2.6)])


def test_risks_over_annotations(record: dict[str, Any]) -> None:
    table = record["tables"]["risk"]
    assert table["columns"] == ["annotations", "uncertainty", "random", "diverse"]
    counts = [row[0] for row in table["rows"]]
    assert (counts[0], counts[-1]) == (10, 310)
    assert counts == sorted(set(counts))
    ends = {row[0]: row[1] for row in record["tables"]["final_risk"]["rows"]}
    assert table["rows"][-1][1:] == [ends[name] for name in table["columns"][1:]]
    assert [row[-1] for row in record["tables"]["final_risk"]["rows"]] == [1, 0, 0]


def test_every_plot_is_of_columns_that_are_there(record: dict[str, Any]) -> None:
    plots = [(table["columns"], plot) for table in record["tables"].values() for plot in table.get("plots", ())]
    assert [plot["about"] for _, plot in plots] == ["risk", "W1", "d_H"]
    assert all({plot["x"], *plot["y"]} <= set(columns) for columns, plot in plots)
    distances = record["tables"]["distances"]
    assert distances["rows"][0][2] is None, "no D3 within the data"


def test_a_draw_ends_near_the_risk_that_it_is_nearer_to() -> None:
    """Of 5% and 10%: two of four draws end beyond the middle, 7.5%; the last alone would count from 10% on."""
    bias = part("procedure.bias", "procedure=toy")
    (row,) = final_table({"rule": np.array([[0.5, 0.07], [0.5, 0.05], [0.5, 0.08], [0.0, 0.12]])}, bias)["rows"]
    assert row == ["rule", pytest.approx(0.08), 0.05, 0.12, 0.5]
