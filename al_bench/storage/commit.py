"""Which commit of al_bench is running."""

import functools
import subprocess
from pathlib import Path


@functools.cache
def current_commit() -> str:
    """The commit's hash, with "+" where tracked files differ from it; "unknown" where git does not track
    this file, as where al_bench is installed below another project's repository."""
    here = Path(__file__).parent
    try:
        _git(here, "ls-files", "--error-unmatch", Path(__file__).name)
        commit = _git(here, "rev-parse", "--short=12", "HEAD")
        dirty = _git(here, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+" if dirty else "")


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()
