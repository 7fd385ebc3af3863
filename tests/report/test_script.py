"""`scripts/report.py` as `make report` calls it."""

import subprocess

import forked
from made_runs import made_run

from al_bench.config.groups import CONF


def report(tmp_path, *arguments):
    command = [forked.python(), str(CONF.parent / "scripts" / "report.py"), *map(str, arguments)]
    where = ["--outputs", tmp_path / "outputs", "--cells", tmp_path / "cells", "--to", tmp_path / "report"]
    return subprocess.run([*command, *map(str, where)], capture_output=True, text=True, check=False, cwd=tmp_path)


def test_it_names_what_it_left_out_and_succeeds(tmp_path):
    first = made_run(tmp_path / "outputs", "entropy", 0)
    second = made_run(tmp_path / "outputs", "random", 0)
    made_run(tmp_path / "outputs", "margin", 0)
    (second / "cycles" / "001.json").write_text("{")
    done = report(tmp_path, "--no-images", first, second.name)
    assert done.returncode == 0, done.stderr
    assert f"left out: {second}: cycle 1 cannot be read" in done.stdout
    assert "2 runs, 0 artifacts" in done.stdout
    text = (tmp_path / "report" / "index.html").read_text()
    assert "margin" not in text.replace("margin:", "").replace("margin-", "").split("<main>")[1]


def test_a_run_that_does_not_exist_is_refused_in_a_sentence(tmp_path):
    done = report(tmp_path, "nothere")
    assert done.returncode == 2
    assert done.stderr.startswith("error: nothere is no run")
    assert "Traceback" not in done.stderr


def test_exported_cells_that_are_nowhere_are_said_to_be(tmp_path):
    done = report(tmp_path, "--no-images")
    assert done.returncode == 0 and f"{tmp_path / 'cells'} is no folder: there are no exported runs" in done.stdout


def test_an_experiment_of_which_nothing_is_stored_says_what_makes_it(tmp_path):
    shadow = f"hydra.searchpath=[file://{CONF.parent / 'tests' / 'conf'}]"
    made_run(tmp_path / "outputs", "entropy", 0)  # which bears the label of a cell
    done = report(tmp_path, "--experiment", "shadow_table", shadow, "seed=0")
    assert done.returncode == 0, done.stderr
    assert "0 runs, 0 artifacts" in done.stdout, "a run that is another's is on its page by its name alone"
    assert "shadow_table: 0 of 4 cells finished; the rest is made by python run.py -m" in done.stdout
    text = (tmp_path / "report" / "index.html").read_text()
    assert "strategy=entropy loop.query_size=10" in text


def test_an_experiment_is_looked_for_with_the_data_that_are_named(tmp_path):
    """Or a run on a folder of pictures, whose files are part of its id, would be of another configuration."""
    here = f"paths.data={tmp_path / 'here'}"
    for named, said in (([], ""), (["--data", tmp_path / "there"], f"paths.data={tmp_path / 'there'}"), ([here], here)):
        beside = ["--data", tmp_path / "there"] if named == [here] else []
        done = report(tmp_path, "--experiment", "waal/fashion_mnist", "strategy=random", "seed=0", *named, *beside)
        nowhere, first, *_ = done.stdout.splitlines()
        assert nowhere.startswith(f"{tmp_path / 'outputs'} is no folder: of runs there are the exported ones alone")
        assert f"experiment=waal/fashion_mnist strategy=random seed=0 {said}".strip() in first


def test_an_experiment_that_does_not_exist_is_refused_in_a_sentence(tmp_path):
    done = report(tmp_path, "--experiment", "nothere", "--data", tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: experiment=nothere is not known")
    done = report(tmp_path, "--experiment", "none", "outputs")
    assert "error: outputs is no override" in done.stderr
