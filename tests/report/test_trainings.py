from made_runs import made_run

from al_bench.analysis.grouping import sections
from al_bench.analysis.reading import stored
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.report.figures.charts import Charts
from al_bench.report.figures.palette import looks
from al_bench.report.page import write_report
from al_bench.report.trainings import show_trainings


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
