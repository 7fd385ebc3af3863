"""What docs/extending.md says, done: its files written, its commands run, its example without Hydra."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "extending.md").read_text()
PYTHON, PLAIN = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
SMALL = ("scale=smoke", "gan=none", "tracking=none", "device=cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's folder, beside which its commands run."""
    here = tmp_path_factory.mktemp("extending")
    files = {"mine/parts.py": PYTHON}
    for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL):
        name, _, rest = block.partition("\n")
        files[name.removeprefix("# ")] = rest
    for name, text in files.items():
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(text)
    tree = "mine/" + TEXT.split("```\nmine/")[1].split("```")[0]
    assert {line.split()[0] for line in tree.strip().splitlines()} == set(files)
    return here


def call(*command: str, where: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(where / "mine"), str(ROOT)])}
    return subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False)


def commands(folder: Path) -> list[list[str]]:
    lines = [line for line in TEXT.splitlines() if line.startswith("al-bench ")]
    return [shlex.split(line.replace("$PWD", str(folder)))[1:] for line in lines]


@pytest.mark.slow
def test_parts_of_ones_own_run_as_any(folder: Path) -> None:
    one, sweep = commands(folder)
    done = call(sys.executable, str(ROOT / "run.py"), *one, *SMALL, where=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = (folder / "outputs").glob("blobs-digits/doubtful+patient/seed=0/*/config.json")
    assert '"mine/doubtful@1"' in run.read_text()
    assert re.search(r"cycle +annotations +error", done.stdout)
    whole = call(sys.executable, str(ROOT / "run.py"), *one, "gan=none", "tracking=none", "device=cpu", where=folder)
    last = re.findall(r"^cycle .* error (\S+)", whole.stdout, re.MULTILINE)[-1]
    assert float(last) < 0.05, "who copies the page sees his parts learn"
    planned = call(sys.executable, str(ROOT / "run.py"), *sweep, *SMALL, "plan=true", where=folder)
    assert "4 cells, 0 finished" in planned.stdout, planned.stdout + planned.stderr


@pytest.mark.slow
def test_the_loop_without_hydra(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text(f"import sys\n{PLAIN}assert 'hydra' not in sys.modules\n")
    done = call(sys.executable, "plain.py", where=tmp_path)
    assert done.returncode == 0, done.stderr
    annotations, accuracies = zip(*(line.split() for line in done.stdout.splitlines()), strict=True)
    assert annotations == ("20", "30", "40")
    assert float(accuracies[-1]) > 0.3, "chance is 0.1"
