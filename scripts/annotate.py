"""Opens the page where a person labels for a run: `python scripts/annotate.py RUN`."""

import sys

from al_bench.annotation.command import main
from al_bench.training.interruption import as_command

if __name__ == "__main__":
    with as_command():
        sys.exit(main(sys.argv[1:]))
