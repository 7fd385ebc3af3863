"""Which commit is said to run: ours, and nobody else's."""

import importlib.util
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from al_bench.storage import commit


def test_an_installed_package_does_not_take_the_repository_around_it_for_its_own(tmp_path: Path) -> None:
    own = tmp_path / ".venv" / "site-packages" / "al_bench" / "storage" / "commit.py"
    own.parent.mkdir(parents=True)
    shutil.copy(str(commit.__file__), own)
    (tmp_path / "paper.md").write_text("theirs")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "paper.md")
    git(tmp_path, "commit", "-qm", "theirs")
    assert loaded(own)() == "unknown"
    git(tmp_path, "add", "-f", str(own))
    git(tmp_path, "commit", "-qm", "a checkout of ours")
    found = loaded(own)()
    assert len(found) == 12 and not found.endswith("+")
    (tmp_path / "paper.md").write_text("changed")
    assert loaded(own)() == f"{found}+"


def loaded(path: Path) -> Callable[[], str]:
    """`current_commit` of the module in a file."""
    spec = importlib.util.spec_from_file_location("another_commit", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[], str] = module.current_commit
    return found


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)
