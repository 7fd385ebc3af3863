from pathlib import Path

from made_runs import made_run

from al_bench.analysis.curves import last_common
from al_bench.analysis.grouping import sections
from al_bench.analysis.reading import stored
from al_bench.analysis.watched import watched_cycles
from al_bench.storage.exported import export


def looks(seconds, fid):
    return {"observed": {"iteration": [10.0, 20.0, 25.0], "seconds": seconds, "fid": fid}}


def runs_of(outputs, cells=Path("nowhere")):
    (section,) = sections(stored(outputs, cells).runs)
    return section.groups[0].runs


def test_means_over_seeds_at_each_iteration_of_metric_and_seconds(tmp_path):
    made_run(tmp_path / "outputs", "random", 0, (0.5, 0.6), more=looks([1.0, 2.0, 2.5], [8.0, 4.0, 2.0]))
    made_run(tmp_path / "outputs", "random", 1, (0.5, 0.6), more=looks([3.0, 6.0, 7.5], [6.0, None, 3.0]))
    export(tmp_path / "outputs", tmp_path / "cells")
    for runs in (runs_of(tmp_path / "outputs"), runs_of(tmp_path / "nowhere", tmp_path / "cells")):
        first, last = watched_cycles(runs)
        assert (first.cycle, last.cycle, last.annotations, last.seeds) == (0, 1, 20, 2)
        assert last.seconds == {10: 2, 20: 4, 25: 5}
        (points,) = last.curves.values()
        assert [(one.at, one.mean, one.minimum, one.maximum, one.seeds) for one in points] == [
            (10, 7, 6, 8, 2),
            (20, 4, 4, 4, 1),  # the other seed's number was not finite
            (25, 2.5, 2, 3, 2),
        ]
        assert last_common([first, last]) is last


def test_the_last_cycle_is_one_that_all_seeds_have(tmp_path):
    made_run(tmp_path, "random", 0, (0.5, 0.6, 0.7), more=looks([1.0, 2.0, 2.5], [8.0, 4.0, 2.0]))
    made_run(tmp_path, "random", 1, (0.5, 0.6), more=looks([1.0, 2.0, 2.5], [8.0, 4.0, 2.0]), finished=False)
    cycles = watched_cycles(runs_of(tmp_path))
    assert [cycle.seeds for cycle in cycles] == [2, 2, 1]
    assert last_common(cycles).cycle == 1


def test_nobody_looked(tmp_path):
    made_run(tmp_path, "random", 0)
    assert watched_cycles(runs_of(tmp_path)) == []
    assert last_common([]) is None
