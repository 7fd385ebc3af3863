"""`al-bench` and `python -m al_bench`: what `python run.py` is in a checkout."""

import runpy
import sys

from al_bench.config.groups import CONF


def command() -> None:
    """Runs run.py, which stands beside `conf`, as if it had been called."""
    sys.argv[0] = str(CONF.parent / "run.py")  # which a sweep starts for each of its cells
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    command()
