from made_runs import made_run

from al_bench.analysis.grouping import sections
from al_bench.analysis.reading import stored
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.report.figures.charts import Charts
from al_bench.report.figures.palette import looks
from al_bench.report.page import write_report
from al_bench.report.trainings import show_losses, show_trainings


def observed(seconds, accuracies):
    return {"observed": {"iteration": [10.0, 20.0], "seconds": seconds, "accuracy": accuracies}}


def shown(tmp_path):
    (section,) = sections(stored(tmp_path, tmp_path / "cells").runs)
    return show_trainings(Charts(section, looks(section.groups), "range"))


def test_over_iterations_and_over_seconds_a_line_a_method(tmp_path):
    made_run(tmp_path, "entropy", 0, more=observed([2.0, 4.0], [0.25, 0.75]))
    made_run(tmp_path, "entropy", 1, more=observed([4.0, 6.0], [0.25, 0.25]))
    made_run(tmp_path, "random", 0, more=observed([1.0, 1.5], [0.125, 0.375]))
    made_run(tmp_path, "coreset", 0)
    seen = shown(tmp_path)
    assert [group.name for group in seen.groups] == ["entropy", "random"]
    assert seen.cycles == "cycle 1 (20 annotations)"
    ((iterations, seconds),) = seen.pictures
    assert iterations.alt == "Accuracy, %, over iterations; at the end entropy 50 at 20 and random 37.5 at 20"
    assert seconds.alt == "Accuracy, %, over seconds of training; at the end entropy 50 at 5 and random 37.5 at 2"
    assert ["entropy", 1, 20, "accuracy", 20, 5.0, 2, 0.5, 0.25, 0.75] in [row[:-1] for row in seen.table.rows]
    assert {row[1] for row in seen.table.rows} == {0, 1}, "every cycle"


def test_methods_that_end_in_other_cycles_say_in_which(tmp_path):
    made_run(tmp_path, "entropy", 0, (0.5, 0.6, 0.7), more=observed([2.0, 4.0], [0.25, 0.75]))
    made_run(tmp_path, "random", 0, more=observed([1.0, 1.5], [0.125, 0.375]))
    assert shown(tmp_path).cycles == "cycle 2 (30 annotations) of entropy and cycle 1 (20 annotations) of random"


def test_the_page_has_them_where_somebody_looked_alone(tmp_path):
    def page():
        return write_report(stored(tmp_path, tmp_path / "cells"), tmp_path / "report", "range", Rebuilder(None))

    made_run(tmp_path, "random", 0)
    assert "During training" not in page().read_text()
    assert not list((tmp_path / "report" / "tables").glob("observed*"))
    made_run(tmp_path, "entropy", 0, more=observed([2.0, 4.0], [0.25, 0.75]))
    assert "During training</h3>" in page().read_text()
    (table,) = (tmp_path / "report" / "tables").glob("observed*.csv")
    assert "entropy,1,20,accuracy,20,4.0,1,0.75" in table.read_text()


def losses(means, ends=(50.0, 70.0), training="AC-GAN"):
    return {"losses": {training: {"iteration": list(ends), "class_loss": means}}}


def shown_losses(tmp_path):
    (section,) = sections(stored(tmp_path, tmp_path / "cells").runs)
    return show_losses(Charts(section, looks(section.groups), "range"))


def test_losses_are_drawn_of_the_last_cycle_that_all_seeds_keep(tmp_path):
    """A page has one plot of each loss of each training, a line a method."""
    made_run(tmp_path, "entropy", 0, more=losses([2.0, 1.0]))
    made_run(tmp_path, "entropy", 1, (0.5, 0.6, 0.7), more=losses([4.0, 2.0]))
    made_run(tmp_path, "random", 0, more=losses([8.0, 7.0], training="classifier"))
    made_run(tmp_path, "coreset", 0)
    seen = shown_losses(tmp_path)
    assert [group.name for group in seen.groups] == ["entropy", "random"]
    assert seen.cycles == "cycle 1 (20 annotations)", "the third cycle is of one seed"
    assert [picture.alt for picture in seen.pictures] == [
        "AC-GAN: class loss, over iterations; at the end entropy 1.5 at 70",
        "Classifier: class loss, over iterations; at the end random 7 at 70",
    ]
    assert ["entropy", 1, 20, "AC-GAN", "class_loss", 50, 2, 3.0, 2.0, 4.0] in seen.table.rows
    assert len(seen.table.rows) == 4


def test_a_page_has_losses_where_some_are_kept_alone(tmp_path):
    def page():
        return write_report(stored(tmp_path, tmp_path / "cells"), tmp_path / "report", "range", Rebuilder(None))

    made_run(tmp_path, "random", 0)
    assert "Losses</h3>" not in page().read_text()
    made_run(tmp_path, "entropy", 0, more=losses([2.0, 1.0]))
    assert "Losses</h3>" in page().read_text()
    (table,) = (tmp_path / "report" / "tables").glob("losses*.csv")
    assert "entropy,1,20,AC-GAN,class_loss,70,1,1.0,1.0,1.0" in table.read_text()
