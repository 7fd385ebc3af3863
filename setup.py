"""What pyproject.toml cannot say: `conf` and `run.py` stand beside the package here, and inside of it in a wheel."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


class BuildWithConf(build_py):
    """Copies them where `al_bench.config.groups.CONF` looks where there is no checkout."""

    def run(self) -> None:
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)  # of an earlier build, which may have what is gone since
        super().run()
        if not self.editable_mode:
            package = Path(self.build_lib) / "al_bench"
            shutil.copytree(ROOT / "conf", package / "conf")
            shutil.copy(ROOT / "run.py", package / "run.py")


setup(cmdclass={"build_py": BuildWithConf})
