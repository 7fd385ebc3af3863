"""The wheel, built of the source distribution, in an environment of its own runs the digits from another folder.

The environment has the wheel and nothing else of ours; what the wheel needs it sees in the environment of the tests,
where it would be 6 GB of downloads: a path that is named in a `.pth` file brings packages, and not the checkout, whose
editable install works by a `.pth` file of its own. That what it says it needs is there, and of the right version, is
asked of its metadata.
"""

import os
import subprocess
import sys
import sysconfig
from importlib.metadata import Distribution, PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import al_bench

ROOT = Path(__file__).parent.parent
SMOKE = ("scale=smoke", "gan=none", "tracking=none", "device=cpu")
APART = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}


def call(*command: object, where: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command], cwd=where, env=APART, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder of commands."""
    folder = tmp_path_factory.mktemp("wheel")
    uv = Path(sys.executable).with_name("uv")
    sdist = ("build", "--sdist", "--no-build-isolation", "--offline", "--python", sys.executable)
    packed = call(uv, *sdist, "--out-dir", folder, ROOT, where=folder)
    assert packed.returncode == 0, packed.stderr
    (source,) = folder.glob("al_bench-*.tar.gz")
    built = call(
        sys.executable, "-m", "pip", "wheel", source, "--no-deps", "--no-build-isolation", "--wheel-dir", folder,
        where=folder,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("al_bench-*.whl")
    made = call(sys.executable, "-m", "venv", "--without-pip", folder / "env", where=folder)
    assert made.returncode == 0, made.stderr
    python = folder / "env" / "bin" / "python"
    installed = call(
        sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel, where=folder
    )
    assert installed.returncode == 0, installed.stderr
    (packages,) = (folder / "env" / "lib").glob("python*/site-packages")
    (packages / "needed.pth").write_text(sysconfig.get_paths()["purelib"])
    return python.parent


@pytest.mark.slow
def test_what_the_wheel_needs_is_what_is_tested(environment: Path) -> None:
    (metadata,) = (environment.parent / "lib").glob("python*/site-packages/al_bench-*.dist-info")
    needed = [Requirement(text) for text in Distribution.at(metadata).requires or []]
    base = [one for one in needed if one.marker is None]
    assert len(base) > 20
    for one in base:
        try:
            assert one.specifier.contains(version(one.name)), one
        except PackageNotFoundError:
            pytest.fail(f"{one.name} is needed and not there")


@pytest.mark.slow
def test_the_command_runs_the_digits_from_another_folder(environment: Path, tmp_path: Path) -> None:
    first = call(environment / "al-bench", "strategy=random", *SMOKE, where=tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    assert len(list((tmp_path / "outputs").rglob("config.json"))) == 1
    swept = call(environment / "al-bench", "-m", "strategy=random", "seed=0,1", *SMOKE, where=tmp_path)
    assert swept.returncode == 0, swept.stdout + swept.stderr
    assert "2 cells, 1 finished before" in swept.stdout
    again = call(environment / "al-bench", "strategy=random", "seed=1", *SMOKE, where=tmp_path)
    assert "finished before" in again.stdout


@pytest.mark.slow
def test_the_package_is_the_installed_one(environment: Path, tmp_path: Path) -> None:
    code = "import al_bench; print(al_bench.__file__); print(len(al_bench.results()))"
    done = call(environment / "python", "-c", code, where=tmp_path)
    assert done.returncode == 0, done.stderr
    place, rows = done.stdout.split()
    assert Path(place).is_relative_to(environment.parent)
    assert not Path(place).is_relative_to(Path(al_bench.__file__).parent)
    assert rows == "0"
