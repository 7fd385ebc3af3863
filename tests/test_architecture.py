"""Imports point one way, and importing does nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "al_bench"
MODULES = sorted(PACKAGE.rglob("*.py"))

# A module may import from its own layer's row or from rows above it.
LAYERS = [
    {"errors", "seeding", "inputs", "query", "pool", "initial", "scores", "losses", "interruption", "effort",
     "progress", "files", "checkpoint", "commit", "compose", "stopping", "device", "augmentation", "pca", "capture",
     "picture_files", "decoding", "lmdb_pictures", "zipped_pictures", "fetching", "packed", "unpacking", "timetable",
     "loss_record", "intervals", "query_diversity", "sampling_bias", "thin_convolutions", "ranges", "arguments",
     "scale"},
    {"network"},
    {"training", "predict", "batches", "artifacts", "hyperplane", "early_stopping"},
    {"dataset", "splits", "idx", "decoded"},
    {"gan", "matcher", "feature", "latent_search", "growth", "stages"},
    {"representation"},
    {"oracle", "learner", "strategy", "evaluator"},
    {"store", "cells", "composed", "recording", "judging", "telling", "tracking", "loop", "fitting"},
    {"procedure", "report"},
    {"bench"},
]  # fmt: skip
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
APART = [
    "learner",
    "strategy",
    "oracle",
    "evaluator",
    "dataset",
    "network",
    "matcher",
    "feature",
    "representation",
    "gan",
]


def imported(path: Path) -> set[str]:
    """The al_bench modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "al_bench":
            names = [f"al_bench.{alias.name}" for alias in node.names] if node.module == "al_bench" else [node.module]
            found.update(names)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names if alias.name.startswith("al_bench."))
    return found


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_point_one_way(path):
    own = name_of(path)
    if own == "__init__":
        return
    for module in imported(path):
        other = module.split(".")[1]
        assert RANK[other] <= RANK[own], f"{own} imports {other}"
        is_member = len(module.split(".")) > 2 and other in APART
        is_foreign = is_member and other != own and own != "bench"  # which measures members, by their names
        assert not (is_foreign and path.name != "__init__.py"), f"{own} imports the member {module}"
        assert not (is_member and path.name == "__init__.py"), f"a contract imports the member {module}"


def test_learners_and_strategies_do_not_know_each_other():
    for family, other in (("learner", "strategy"), ("strategy", "learner"), ("strategy", "oracle")):
        for path in (PACKAGE / family).glob("*.py"):
            assert not any(module.split(".")[1] == other for module in imported(path)), path


def test_no_hydra_below_run():
    allowed = {"compose.py", "composed.py", "cells.py"}  # composition, and questions about what was composed
    for path in MODULES:
        if path.name not in allowed:
            text = path.read_text()
            assert "DictConfig" not in text, path
            assert "import hydra" not in text and "from hydra" not in text, path


def test_importing_every_module_does_nothing():
    """No output, no file, no draw, no thread setting, no signal handler."""
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in MODULES]
    code = (
        "import os, signal, sys, torch\n"
        "before = torch.get_rng_state(), torch.get_num_threads(), signal.getsignal(signal.SIGTERM), os.listdir('.')\n"
        f"for name in {modules!r}: __import__(name)\n"
        "after = torch.get_rng_state(), torch.get_num_threads(), signal.getsignal(signal.SIGTERM), os.listdir('.')\n"
        "assert torch.equal(before[0], after[0]) and before[1:] == after[1:]\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_help_imports_nothing_heavy():
    code = (
        "import sys, runpy\nsys.argv = ['run.py', '--help']\n"
        "try: runpy.run_path('run.py', run_name='__main__')\n"
        "finally: assert not {'torch', 'pytorch_lightning', 'sklearn', 'numpy', 'wandb'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for choice in ("asal_auto", "digits", "small_cnn", "h_divergence", "as_paper", "kdtree"):
        assert choice in done.stdout
