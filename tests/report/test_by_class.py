"""What is measured of each class, on the page and beside it."""

import made_runs
import pytest
from made_runs import made_run

from al_bench.analysis.grouping import sections
from al_bench.analysis.reading import stored
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.evaluator.gan_quality import GanQuality
from al_bench.report.by_class import measure_classes
from al_bench.report.page import write_report
from al_bench.report.results import classes

CLASSES = ("cat", "dog", "owl")


def measured(**lists):
    return {"metrics": {"accuracy": 0.5, **lists}, "class_counts": [5, 5, 5]}


def tables_of(tmp_path, classes=CLASSES):
    (section,) = sections(stored(tmp_path, tmp_path / "cells").runs)
    return measure_classes(section, classes)


def test_a_row_is_a_method_s_mean_over_seeds(tmp_path):
    made_run(tmp_path, "random", 0, more=measured(class_gan_test=[1.0, 0.5, None], class_drawn=[0.2, 0.8, 0.0]))
    made_run(tmp_path, "random", 1, more=measured(class_gan_test=[0.0, None, None], class_drawn=[0.4, 0.6, 0.0]))
    made_run(tmp_path, "entropy", 0, more=measured(class_drawn=[1.0, 0.0, 0.0]))
    first, second = sorted(tables_of(tmp_path), key=lambda table: table.name)
    assert (first.name, second.name) == ("by-class_drawn", "by-class_gan_test")
    assert first.columns == ["method", "seeds", "annotations", *CLASSES]
    assert [row[0] for row in first.rows] == ["entropy", "random"]
    assert first.rows[1][3:] == pytest.approx([0.3, 0.7, 0])
    assert second.rows == [["random", 2, first.rows[1][2], 0.5, 0.5, None]], "what no seed has a value of has none"


def test_a_run_of_fewer_classes_than_others_has_no_value_of_those_it_lacks(tmp_path):
    made_run(tmp_path, "random", 0, more=measured(class_gan_test=[1.0, 0.5, 0.25]))
    made_run(tmp_path, "random", 1, more={**measured(class_gan_test=[0.0, 0.5]), "class_counts": [5, 5]})
    (table,) = tables_of(tmp_path)
    assert table.rows[0][3:] == [0.5, 0.5, 0.25]


def test_seeds_that_have_come_differently_far_are_averaged_where_all_are(tmp_path):
    """One has but begun: its value at 10 labels is no part of a mean at 20."""
    for seed, cycles in enumerate(((0.5, 0.6), (0.5, 0.6), (0.5,))):
        made_run(tmp_path, "random", seed, cycles, more=measured(class_gan_test=[seed / 2, 0.5, 0.5]))
    (table,) = tables_of(tmp_path)
    assert table.rows == [["random", 3, 10, 0.5, 0.5, 0.5]]
    (section,) = sections(stored(tmp_path, tmp_path / "cells").runs)
    assert {row[2] for row in classes(section, CLASSES, None).rows} == {3}


def test_a_metric_has_the_words_and_the_unit_that_are_declared(tmp_path, monkeypatch):
    declared = {"name": "gan_test", "unit": "fraction", "higher_is_better": True, "words": "GAN-test"}
    monkeypatch.setitem(made_runs.ABOUT, "metrics", [made_runs.ACCURACY, declared])
    made_run(tmp_path, "random", 0, more=measured(class_gan_test=[1.0, 0.5, 0.0], class_accuracy=[1.0, 0.5, 0.0]))
    found = sorted(tables_of(tmp_path), key=lambda table: table.about)
    assert [table.about for table in found] == [
        f"digits: {words}, %, of each class at the end, mean over seeds" for words in ("GAN-test", "accuracy")
    ]
    assert [table.rows[0][3:] for table in found] == [[100.0, 50.0, 0.0]] * 2, "in percent, as all else on the page"


def test_what_is_no_metric_of_all_classes_has_the_words_that_its_evaluator_declares(tmp_path, monkeypatch):
    monkeypatch.setitem(made_runs.ABOUT, "records", [one.plain() for one in GanQuality.records])
    made_run(tmp_path, "random", 0, more=measured(class_drawn=[0.2, 0.8, 0.0]))
    (table,) = tables_of(tmp_path)
    assert table.about == (
        "digits: of each class at the end, fraction of the fakes that trained the discriminator; mean over seeds"
    )


def test_lists_of_another_length_and_many_classes_are_left_out(tmp_path):
    made_run(tmp_path, "random", 0, more=measured(class_gan_test=[1.0, 0.5], other=[1.0, 0.5, 0.0]))
    assert tables_of(tmp_path) == []
    made_run(tmp_path / "many", "random", 0, more=measured(class_gan_test=[0.5] * 21))
    assert tables_of(tmp_path / "many", [f"kind {number}" for number in range(21)]) == []


def test_it_stands_on_the_page_and_in_a_table_of_its_own(tmp_path):
    made_run(tmp_path / "outputs", "random", 0, more=measured(class_gan_test=[0.875, 0.5, 0.25]))
    found = stored(tmp_path / "outputs", tmp_path / "cells")
    page = write_report(found, tmp_path / "page", "range", Rebuilder(lambda node, family: None))
    assert "gan test of each class" in page.read_text() and "0.875" in page.read_text()
    (table,) = (tmp_path / "page" / "tables").glob("by-class_gan_test-*.csv")
    assert "0.875" in table.read_text()
