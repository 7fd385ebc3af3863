"""A disk that fails at any write of a run costs a sentence, and nothing that was computed."""

import json
import subprocess
from pathlib import Path

import forked
import pytest

ROOT = Path(__file__).parent.parent
KILLS = (31, 88, 140)
SAMPLE = (3, 20, 47, 73, 101, 136)  # of some 150; `python tests/failing_disk.py FOLDER` takes all


@pytest.mark.slow
def test_a_run_whose_disk_fails_says_so_and_goes_on_to_the_same_end(tmp_path):
    whole, *tries = tried(str(tmp_path), *map(str, SAMPLE))
    assert whole["code"] == 0 and whole["count"] > max(SAMPLE)
    assert [one["number"] for one in tries] == list(SAMPLE)
    for one in tries:
        errors = [line for line in one["said"] if line.startswith("error: ")]
        assert one["failed"] and one["code"] in (0, 2), one
        assert len(errors) == (one["code"] == 2), one
        assert all(str(tmp_path) in line for line in errors), one
        assert not any("Traceback" in line for line in one["said"]), one
        assert (one["again"], one["same"]) == (0, True), one


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_write_goes_on_to_the_same_end(tmp_path):
    """Of those, others than the kills in test_resume."""
    _, *tries = tried("--kill", str(tmp_path), *map(str, KILLS))
    assert [(one["code"], one["again"], one["same"]) for one in tries] == 3 * [(-9, 0, True)]


def tried(*words):
    """What the script says of the whole run, then of each try."""
    command = [forked.python(), "tests/failing_disk.py", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
