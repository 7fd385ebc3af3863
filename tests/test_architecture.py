"""Imports point one way, and importing does nothing."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "al_bench"
FOLDERS = ("al_bench", "benchmarks", "hydra_plugins", "scripts")
MODULES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
MEMBERS = {  # of families: what `conf/` makes by its own name
    ".".join(found)
    for path in (ROOT / "conf").rglob("*.yaml")
    for found in re.findall(r"^ *_target_: al_bench\.(\w+)\.(\w+)\.\w+$", path.read_text(), re.MULTILINE)
    if found[0] == path.relative_to(ROOT / "conf").parts[0] and found[0] != "procedure"
}

# Each row may import from itself and from the rows above it. A module at the package's root stands for itself.
ORDER = """
    errors seeding progress
    files
    active
    sources
    config
    network matcher
    training
    storage dataset
    gan evaluator tracking analysis
    learner feature report
    annotation
    strategy oracle representation
    procedure
    api
    benchmarks hydra_plugins scripts
"""
RANK = {name: rank for rank, row in enumerate(ORDER.strip().splitlines()) for name in row.split()}


def imported(path: Path) -> set[str]:
    """The modules of this project that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            bare = node.module in ("al_bench", "benchmarks")
            found.update(f"{node.module}.{alias.name}" for alias in node.names) if bare else found.add(node.module)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    return {name for name in found if name.split(".")[0] in ("al_bench", "benchmarks")}


def folder_of(module: str) -> str:
    return module.removeprefix("al_bench.").split(".")[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_one_way(path):
    own = folder_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for module in imported(path) - {"al_bench.__init__"}:
        assert own == "__init__" or RANK[folder_of(module)] <= RANK[own], f"{own} imports {module}"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_members_are_known_to_their_own_family_alone(path):
    """And not to its contract, which stands in `__init__`."""
    own = path.relative_to(PACKAGE).parts[0]
    for module in imported(path):
        member = ".".join(module.split(".")[1:3]) in MEMBERS
        assert not member or (folder_of(module) == own and path.name != "__init__.py"), f"{own} imports {module}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_is_read_in_one_sitting(path):
    """At most 250 lines, and at most 40 of a function's body."""
    text = path.read_text()
    assert len(text.splitlines()) <= 250
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            assert not body or body[-1].end_lineno - body[0].lineno < 40, node.name


def test_learners_and_strategies_do_not_know_each_other():
    for family, other in (("learner", "strategy"), ("strategy", "learner"), ("strategy", "oracle")):
        for path in (PACKAGE / family).glob("*.py"):
            assert not any(module.split(".")[1] == other for module in imported(path)), path


def test_no_hydra_below_run():
    """Composition, and questions about what was composed, stand in `config/` and beside stored runs."""
    allowed = {PACKAGE / "config", PACKAGE / "storage", ROOT / "hydra_plugins"}
    for path in MODULES:
        if path.parent not in allowed:
            text = path.read_text()
            assert "DictConfig" not in text, path
            assert not re.search(r"\b(import|from) hydra\b", text), path


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
