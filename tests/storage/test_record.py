import json
from pathlib import Path

import pytest
from made_runs import cycle, made_record

from al_bench.active.metric import Metric
from al_bench.active.stopping import ALL_LABELED, Stopping
from al_bench.storage.cell import read_cell
from al_bench.storage.record import Measurement, RecordError, cut_at_end, cycles_of, find_end, read_record

CELLS = sorted((Path(__file__).parents[2] / "results" / "cells").glob("*.cell.xz"))
COST = {"seconds": 1.0, "optimizer_steps": 2, "images_seen": 3, "peak_memory": 4}
MEASURED = {
    "index": 0, "annotations": 0, "metrics": {"counts": True}, "tables": {}, "finished": "the GAN counts",
    "effort": {"fit": COST}, "commit": "abc",
}  # fmt: skip


@pytest.mark.parametrize("path", CELLS[:: max(1, len(CELLS) // 12)], ids=lambda path: path.name)
def test_exported_records_are_written_as_they_were_read(path):
    """To the order of their keys and the text of their numbers."""
    for values in read_cell(path)["cycles"]:
        assert json.dumps(read_record(values).plain()) == json.dumps(values)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"validation_labels": 5},
        {"skipped_pictures": 2},
        {"test_images": 9, "correct": [1, 0]},
        {"trace": {}, "trace_mean": {}},
        {"machine": "Some processor, 2 cores"},
        {"measured_by": "0123456789ab"},
        {"losses": {"AC-GAN": {"iteration": [50.0, 70.0], "class_loss": [2.0, 1.5]}}},
        {"query": {**cycle(1, 0.5)["query"], "guesses": [1, 0], "of_guess": [0.75, 0.5], "of_answer": [0.25, None]}},
        {"query": {**cycle(1, 0.5)["query"], "lowest": {"indices": [7, 4], "scores": [-0.5, None]}}},
    ],
)
def test_what_a_cycle_does_not_have_is_not_written(more):
    values = {**cycle(1, 0.5), **more}
    assert read_record(values).plain() == values


def test_a_measurement_is_no_cycle():
    found = read_record(MEASURED)
    assert isinstance(found, Measurement) and not hasattr(found, "annotations")
    assert list(found.plain()) == list(MEASURED) and found.plain() == MEASURED
    assert cycles_of([found]) == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([], "is not a record"),
        ({"index": 0, "annotations": 0}, "without metrics, tables, finished, effort, commit"),
        ({**cycle(1, 0.5), "query": {"indices": None}}, r"without query\.labels, query\.scores"),
        ({**MEASURED, "effort": {"fit": {}}}, r"without effort\.fit\.seconds"),
        ({**cycle(1, 0.5), "certainty": 1}, "by another version, with certainty"),
        ({**cycle(1, 0.5), "annotations": "many"}, "another version, annotations: .*integer"),
        ({**MEASURED, "index": 3}, "is cycle 3"),
        ({**MEASURED, "metrics": {}}, "another version, metrics: .*at least 1"),
        ({**MEASURED, "finished": "done\x1b[2J"}, "another version, finished: "),
        ({**cycle(1, 0.5), "metrics": {}}, "another version, metrics: .*at least 1"),
        ({**cycle(1, 0.5), "metrics": {"class_accuracy": [0.5]}}, "no number that comes first"),
        ({**cycle(1, 0.5), "query": {**cycle(1, 0.5)["query"], "guesses": [2, 0]}}, "none of its 2 classes"),
        ({**cycle(1, 0.5), "query": {**cycle(1, 0.5)["query"], "of_guess": [0.5] * 3}}, "different annotations"),
        ({**cycle(1, 0.5), "query": {**cycle(1, 0.5)["query"], "lowest": {"indices": [7]}}}, r"query\.lowest\.scores"),
        (
            {**cycle(1, 0.5), "query": {**cycle(1, 0.5)["query"], "lowest": {"indices": [7], "scores": []}}},
            "names images of the lowest scores without as many scores",
        ),
        ({**cycle(1, 0.5), "machine": "one\x1b[2J"}, "another version, machine: "),
        ({**cycle(1, 0.5), "measured_by": "one\x1b[2J"}, "another version, measured_by: "),
        ({**cycle(1, 0.5), "losses": {"AC-GAN": {"loss": [1.0]}}}, "losses of a training whose lists are of different"),
        ({**cycle(1, 0.5), "losses": {"it": {"iteration": [1.0, 2.0], "loss": [1.0]}}}, "lists are of different iter"),
        ({**cycle(1, 0.5), "effort": {}}, "what its query and its training took"),
        ({**cycle(1, 0.5), "\x1b[2J\n": 1}, r"by another version, with \\x1b\[2J\\n"),
    ],
)
def test_other_values_are_refused_and_named(values, said):
    with pytest.raises(RecordError, match=said):
        read_record(values)


def test_a_measurement_says_itself_that_nothing_follows():
    assert find_end(read_record(MEASURED), Stopping(100)) == "the GAN counts"
    assert find_end(made_record(annotations=100), Stopping(100)) == "the budget of 100 annotations is spent"
    assert find_end(None, Stopping(100)) is None


def test_a_run_that_went_on_is_cut_where_other_rules_hold_first():
    accuracies = (0.5, 0.9, 0.8)
    records = [
        made_record(index=index, annotations=10 * index + 10, metrics={"accuracy": value})
        for index, value in enumerate(accuracies)
    ]
    goal = Stopping(100, stop_at={"accuracy": 0.85}, metrics=[Metric("accuracy", "fraction", higher_is_better=True)])
    assert cut_at_end(records, Stopping(20)) == (records[:2], "the budget of 20 annotations is spent")
    assert cut_at_end(records, goal) == (records[:2], "accuracy 0.85 is reached"), "though it is no more"
    assert cut_at_end(records, Stopping(100)) == (records, None)
    assert cut_at_end([], Stopping(100)) == ([], None)
    grown = [records[0].model_copy(update={"unlabeled": 0}), *records[1:]]
    assert cut_at_end(grown, Stopping(100)) == (grown, None), "pictures came behind the first cycle"
    assert cut_at_end(grown[:1], Stopping(100)) == (grown[:1], ALL_LABELED)
