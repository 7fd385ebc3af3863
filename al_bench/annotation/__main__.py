"""`python -m al_bench.annotation RUN`, as `scripts/annotate.py` and a run with oracle=human start it."""

import sys

from al_bench.annotation.command import main
from al_bench.training.interruption import as_command

if __name__ == "__main__":
    with as_command():
        sys.exit(main(sys.argv[1:]))
