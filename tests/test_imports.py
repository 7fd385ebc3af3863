"""What is not imported where nothing is trained: Lightning, and torchmetrics, which takes most of its seconds."""

import json
import re
import subprocess
import sys
from pathlib import Path

import forked
import pytest

ROOT = Path(__file__).parent.parent
SMOKE = ("scale=smoke", "gan=none", "device=cpu", "strategy=random")
COMMANDS = """
import json, runpy, sys, traceback
for sys.argv in json.loads(sys.argv[1]):
    code = 0
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        traceback.print_exc()
        code = 1
    there = sorted({"pytorch_lightning", "lightning_fabric", "torchmetrics"} & set(sys.modules))
    print(f"\\f{code or 0} {there}")
"""
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


def said_by(*commands: tuple[str, ...]) -> list[str]:
    """What each of these command lines says, in turn in one new interpreter, which has imported none of them at its
    end: a start takes most of a command's seconds."""
    words = [sys.executable, "-c", COMMANDS, json.dumps(commands)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *said, rest = re.split(r"\f(.*)\n", done.stdout)
    assert not rest
    assert said[1::2] == ["0 []"] * len(commands), done.stdout + done.stderr
    return said[::2]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The command line of a run that is stored, and its folder; the parts of it are in no catalog."""
    folder = tmp_path_factory.mktemp("finished")
    words = (*SMOKE, f"paths.outputs={folder}", f"paths.cells={folder}/cells")
    done = forked.run(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "parts.json").unlink(missing_ok=True)
    return words, folder


def test_of_what_trains_nothing(finished, tmp_path):
    """The help, a plan, a finished run and a sweep of it, their page and the tables."""
    words, folder = finished
    where = ("--outputs", str(folder), "--cells", str(folder / "cells"))
    planned, same, swept, _, tables, explained = said_by(
        ("run.py", "plan=true", "-m", *SMOKE, "seed=0,1", f"paths.outputs={tmp_path}"),
        ("run.py", *words),
        ("run.py", "-m", *words, "seed=0"),
        ("scripts/report.py", *where, "--to", str(folder / "report")),
        ("scripts/tables.py", "--paper", "WAAL", *where, "--to", str(folder / "tables")),
        ("run.py", "--help"),
    )
    assert "2 cells, 0 finished" in planned
    assert "finished before" in same
    assert "all 1 cells are finished" in swept
    assert (folder / "report" / "index.html").exists()
    assert "WAAL" in tables
    assert "strategy=" in explained


def test_of_strategies_that_ask_of_a_model_that_is_there():
    code = f"try:\n{''.join(f'    {line}' for line in UNTRAINED.splitlines(keepends=True))}"
    done = subprocess.run([sys.executable, "-c", code + REFUSED], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
