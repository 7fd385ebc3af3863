"""The budget of CPU seconds: what is said at the end of a run of tests, and what is not held against it."""

import json
from pathlib import Path
from types import SimpleNamespace

import forked
import seconds

ROOT = Path(__file__).parent.parent


def test_a_file_over_twice_its_budget_is_named_the_largest_first() -> None:
    took = {"a": 21.0, "b": 19.9, "c": 30.0, "new": 4.0, "small": 2.9, "gone over": 2.0}
    budget = {"a": 10.0, "b": 10.0, "c": 10.0, "small": 0.1, "gone over": 0.1, "not run": 50.0}
    assert [row[0] for row in seconds.over_budget(took, budget)] == ["c", "a", "new"]
    *over, whole = seconds.lines_of(took, budget)
    assert over[0] == "c: 30.0 CPU seconds, 10.0 in its budget"
    assert over[2] == "new: 4.0 CPU seconds, has no budget"
    assert whole == "80 CPU seconds in 6 files, 30 in their budget"


def test_a_budget_is_written_for_what_ran_and_drops_files_that_are_gone(tmp_path: Path) -> None:
    path = tmp_path / "tests" / "seconds.json"
    path.parent.mkdir()
    for name in ("kept.py", "ran.py"):
        (path.parent / name).touch()
    path.write_text(json.dumps({"tests/kept.py": 1.0, "tests/ran.py": 1.0, "tests/gone.py": 1.0}))
    seconds.write_budget({"tests/ran.py": 2.345}, path)
    assert json.loads(path.read_text()) == {"tests/kept.py": 1.0, "tests/ran.py": 2.3}


def test_the_budget_has_the_files_that_are_there() -> None:
    budget = json.loads(seconds.BUDGET.read_text())
    assert budget
    assert not [file for file in budget if not (ROOT / file).exists()]


def test_what_a_forked_process_takes_is_counted() -> None:
    before = seconds.spent()
    done = forked.run("--help")
    assert done.returncode == 0
    assert seconds.spent() > before


def test_tests_that_were_left_out_are_counted_by_their_reason() -> None:
    reasons = [f"Skipped: {seconds.NO_DATA}/there", "Skipped: needs a GPU", f"Skipped: {seconds.NO_DATA}/there"]
    reporter = SimpleNamespace(stats={"skipped": [SimpleNamespace(longrepr=("", 1, reason)) for reason in reasons]})
    assert seconds.left_out(reporter) == 2  # type: ignore[arg-type]


def test_the_dearest_files_are_first_and_their_tests_as_they_were() -> None:
    items = [SimpleNamespace(nodeid=name) for name in ("cheap::b", "cheap::a", "dear::x", "new::y", "dear::c[1]")]
    seconds.dearest_first(items, {"cheap": 1.0, "dear": 20.0})  # type: ignore[arg-type]
    assert [item.nodeid for item in items] == ["new::y", "dear::x", "dear::c[1]", "cheap::b", "cheap::a"]
