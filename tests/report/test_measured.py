import base64

import numpy as np
from made_runs import made_measurement, made_run

from al_bench.analysis.pairs import png
from al_bench.analysis.reading import stored
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.report.measured import measurements
from al_bench.report.page import write_report

METRICS = {
    "agreement": {"pixel": {"dcgan": 0.8, "wgan_gp": 0.9}, "disc": {"wgan_gp": 0.7}},
    "sure_share": 0.25,
    "counts": True,
    "seconds": {"fit": 3, "match": None},
}
CLASSES = {"about": "Classes", "columns": ["class", "ratio"], "rows": [["cat", 1.5], ["dog", None]]}


def made(tmp_path):
    found = stored(tmp_path, tmp_path / "cells")
    assert found.problems == []
    (one,) = measurements(found.runs)
    return one


def test_nested_metrics_and_tables_of_a_record_are_tables(tmp_path):
    made_measurement(tmp_path, METRICS, tables={"classes": CLASSES}, finished="it counts")
    one = made(tmp_path)
    assert (one.title, one.said) == ("measured: digits", [("seed 0", "it counts")])
    numbers, classes, agreement, seconds = one.tables
    assert (numbers.columns, numbers.rows) == (["run", "sure share, %", "counts"], [["seed 0", 25.0, "yes"]])
    assert classes.rows == [["seed 0", "cat", 1.5], ["seed 0", "dog", None]]
    assert agreement.columns == ["run", "", "dcgan", "wgan_gp"]
    assert agreement.rows == [["seed 0", "pixel", 0.8, 0.9], ["seed 0", "disc", None, 0.7]]
    assert seconds.rows == [["seed 0", "fit", 3], ["seed 0", "match", None]]


def test_a_number_per_class_is_written_as_the_others_are(tmp_path):
    made_measurement(tmp_path, {"class_accuracy": [0.9130434989929199, 0.5, 1.0], "accuracy": 0.835}, tables={})
    (numbers,) = made(tmp_path).tables
    assert numbers.rows == [["seed 0", "91.3, 50.0, 100.0", 83.5]]


def test_several_runs_share_their_tables(tmp_path):
    for seed in (0, 1):
        made_measurement(tmp_path, {"sure_share": 0.5 + seed / 4}, seed)
    (numbers,) = made(tmp_path).tables
    assert numbers.rows == [["seed 0", 50.0], ["seed 1", 75.0]]


def test_runs_that_differ_in_a_setting_alone_say_it(tmp_path):
    """As those of a sweep that tunes, whose choices are the same: else they are rows of one name."""
    for rate, seed in ((0.1, 0), (0.1, 1), (0.3, 0)):
        learner = {"learning_rate": rate, "seed": seed}
        made_measurement(tmp_path, {"sure_share": rate}, seed, settings={"learner": learner})
    (numbers,) = made(tmp_path).tables
    assert sorted(numbers.rows) == [
        ["learning rate 0.1, seed 0", 10.0], ["learning rate 0.1, seed 1", 10.0], ["learning rate 0.3, seed 0", 30.0],
    ]  # fmt: skip


def test_the_page_shows_a_sample_grid_beside_curves_of_other_runs(tmp_path):
    image = png(np.zeros((1, 4, 6), dtype=np.uint8))
    (made_measurement(tmp_path / "outputs", METRICS) / "samples.png").write_bytes(image)
    made_run(tmp_path / "outputs", "random", 0)
    found = stored(tmp_path / "outputs", tmp_path / "cells")
    text = write_report(found, tmp_path / "report", "range", Rebuilder(None)).read_text()
    assert base64.b64encode(image).decode() in text
    assert "<h2>measured: digits</h2>" in text
    assert (tmp_path / "report" / "tables" / "measured-measured-digits-agreement.csv").exists()
    assert "1 run of 1 configuration" not in text, "both count"
