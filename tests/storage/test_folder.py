"""What lies beside runs, and runs that links lead to: named, found, and never in the way."""

import os

import pytest
from made_runs import made_run

from al_bench.analysis.reading import stored
from al_bench.analysis.selection import stored_at
from al_bench.storage.exported import export
from al_bench.storage.folder import run_folders, strays

STRAYS = (
    "001 (copy).json",
    "001.json~",
    "0001.json",
    "0007.json",
    ".002.json.4711",
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
)


@pytest.fixture
def littered(tmp_path):
    folder = made_run(tmp_path / "outputs", "random", 0)
    for name in STRAYS:
        (folder / "cycles" / name).write_text("{}")
    (folder / "cycles" / "002.json").mkdir()
    (folder / "cycles" / "001.json.corrupted-1").write_text("said before")
    return folder


def test_what_no_run_wrote_is_told_apart(littered):
    assert {path.name for path in strays(littered)} == {*STRAYS, "002.json"}


def test_a_report_and_an_export_name_it_once_and_pass_over_it(littered, caplog):
    outputs = littered.parents[3]
    found = stored(outputs, outputs / "cells")
    assert len(found.runs[0].cycles) == 2
    (problem,) = found.problems
    assert problem.place == littered
    assert all(name in problem.sentence for name in STRAYS)
    assert len(export(outputs, outputs / "cells")) == 1
    assert caplog.text.count("001 (copy).json") == 1


def test_links_are_followed_and_what_several_lead_to_counts_once(tmp_path):
    outputs, elsewhere = tmp_path / "outputs", tmp_path / "elsewhere"
    here = made_run(outputs, "random", 0)
    there = made_run(elsewhere, "entropy", 0)
    (outputs / "linked").symlink_to(elsewhere / "digits")
    (outputs / "again").symlink_to(outputs / "digits")
    (outputs / "run").symlink_to(here)
    (outputs / "round").symlink_to(outputs)
    (outputs / "itself").symlink_to("itself")
    (outputs / "gone").symlink_to(tmp_path / "gone")
    linked = outputs / "linked" / there.relative_to(elsewhere / "digits")
    assert run_folders(outputs) == sorted([here, linked])
    assert {run.label[1] for run in stored(outputs, tmp_path / "cells").runs} == {"random", "entropy"}
    assert len(stored_at([there.name], outputs, tmp_path / "cells").runs) == 1
    (tmp_path / "kept").mkdir()
    (tmp_path / "cells").symlink_to(tmp_path / "kept")
    assert len(export(outputs, tmp_path / "cells")) == 2
    assert len(stored(tmp_path / "none", tmp_path / "cells").runs) == 2


def test_what_lies_in_a_run_is_no_run(tmp_path):
    here = made_run(tmp_path, "random", 0)
    for name in ("wandb/run-1/files", "cycles/kept", "scratch/x"):
        (here / name).mkdir(parents=True)
        (here / name / "config.json").write_text("{}")
    assert run_folders(tmp_path) == [here]


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch, caplog):
    here = made_run(tmp_path, "random", 0)
    scan = os.scandir

    def scandir(folder):
        if str(folder).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(folder))
        return scan(folder)

    (tmp_path / "closed").mkdir()
    monkeypatch.setattr(os, "scandir", scandir)
    assert run_folders(tmp_path) == [here]
    assert f"passed over: {tmp_path / 'closed'} may not be used" in caplog.text
