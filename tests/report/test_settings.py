"""The settings that are not the same for all methods: each is said once."""

from pathlib import Path
from typing import Any

from made_runs import made_run

from al_bench.analysis.grouping import sections
from al_bench.analysis.reading import stored
from al_bench.files import read_json, write_json
from al_bench.report.settings import settings_that_differ

REFERENCE = "hydra.utils.get_method"


def rows_of(outputs: Path, nodes: dict[str, Any]) -> dict[str, list[Any]]:
    """By setting the values of the strategies, each of which has such a node as its score; None: it has none."""
    for strategy, node in nodes.items():
        path = made_run(outputs, strategy, 0) / "config.json"
        about = read_json(path)
        about["config"]["procedure"] = {"strategy": {} if node is None else {"score": node}, "seed": 0}
        write_json(path, about)
    (section,) = sections(stored(outputs, outputs / "cells").runs)
    rows = settings_that_differ(section).rows
    assert len(rows) == len({row[0] for row in rows})
    return {str(row[0]): list(row[1:]) for row in rows}


def test_a_part_that_only_some_have_is_said_by_its_name_once(tmp_path: Path) -> None:
    """Of a function its name, of which the path would say the same; not its class again."""
    entropy, bald = ({"_target_": REFERENCE, "path": f"al_bench.active.scores.{name}"} for name in ("entropy", "bald"))
    rows = rows_of(tmp_path, {"bald": bald, "entropy": entropy, "random": None})
    assert rows == {"strategy.score": ["bald", "entropy", None]}


def test_of_a_part_that_only_some_have_the_settings_follow_that_differ_among_these(tmp_path: Path) -> None:
    parts = [{"_target_": "made.Score", "passes": passes, "size": 3} for passes in (10, 25)]
    rows = rows_of(tmp_path, {"bald": parts[0], "entropy": parts[1], "random": None})
    assert rows == {"strategy.score": ["Score", "Score", None], "strategy.score.passes": ["10", "25", None]}
