"""`al-bench`, the command of an installed package: what `python run.py` is in a checkout."""

import runpy
import sys

from al_bench.config.groups import CONF

COMMAND = CONF.parent / "run.py"


def command() -> None:
    """Runs run.py, which stands beside `conf`, as if it had been called."""
    sys.argv[0] = str(COMMAND)  # which a sweep starts for each of its cells
    runpy.run_path(sys.argv[0], run_name="__main__")
