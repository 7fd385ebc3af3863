"""What is not imported where nothing is trained: Lightning, and torchmetrics, which takes most of its seconds."""

import subprocess
import sys
from pathlib import Path

import forked
import pytest

ROOT = Path(__file__).parent.parent
SMOKE = ("scale=smoke", "gan=none", "device=cpu", "strategy=random")
AS_MAIN = "import runpy, sys\nsys.argv = {words!r}\ntry: runpy.run_path(sys.argv[0], run_name='__main__')\n"
UNTRAINED = """
import importlib, pkgutil, sys
from pathlib import Path
import torch
import al_bench.evaluator, al_bench.gan, al_bench.learner, al_bench.strategy
for package in (al_bench.evaluator, al_bench.gan, al_bench.learner, al_bench.strategy):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
from al_bench.active.pool import Pool
from al_bench.config.experiment import made, node_of
from al_bench.seeding import generator
network, images = made(node_of("network", [])), torch.randint(0, 255, (40, 1, 28, 28), dtype=torch.uint8)
pool = Pool.unlabeled_from(images, 10)
for name in ("margin", "k_median"):
    strategy = made(node_of("strategy", [f"strategy={name}"]))
    model = network(input_shape=(1, 28, 28), num_classes=10).eval()
    assert len(strategy.query(model, pool, 5, generator(0)).indices) == 5
"""
REFUSED = "finally: assert not {'pytorch_lightning', 'lightning_fabric', 'torchmetrics'} & set(sys.modules)\n"


def said_without(code: str) -> str:
    """What a new interpreter says, which has imported none of them at its end."""
    done = subprocess.run([sys.executable, "-c", code + REFUSED], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def command_without(*words: str) -> str:
    return said_without(AS_MAIN.format(words=list(words)))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The command line of a run that is stored, and its folder; the parts of it are in no catalog."""
    folder = tmp_path_factory.mktemp("finished")
    words = (*SMOKE, f"paths.outputs={folder}", f"paths.cells={folder}/cells")
    done = forked.run(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "parts.json").unlink(missing_ok=True)
    return words, folder


def test_of_a_plan(tmp_path):
    planned = command_without("run.py", "plan=true", "-m", *SMOKE, "seed=0,1", f"paths.outputs={tmp_path}")
    assert "2 cells, 0 finished" in planned


def test_of_the_help():
    assert "strategy=" in command_without("run.py", "--help")


def test_of_a_finished_run(finished):
    words, _ = finished
    assert "finished before" in command_without("run.py", *words)


def test_of_a_sweep_whose_cells_are_finished(finished):
    words, _ = finished
    assert "all 1 cells are finished" in command_without("run.py", "-m", *words, "seed=0")


def test_of_a_report(finished):
    _, folder = finished
    words = ("--outputs", str(folder), "--cells", str(folder / "cells"), "--to", str(folder / "report"))
    command_without("scripts/report.py", *words)
    assert (folder / "report" / "index.html").exists()


def test_of_the_tables(finished):
    _, folder = finished
    words = ("--paper", "WAAL", "--outputs", str(folder), "--cells", str(folder / "cells"))
    assert "WAAL" in command_without("scripts/tables.py", *words, "--to", str(folder / "tables"))


def test_of_strategies_that_ask_of_a_model_that_is_there():
    said_without(f"try:\n{''.join(f'    {line}' for line in UNTRAINED.splitlines(keepends=True))}")
