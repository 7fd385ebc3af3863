"""Runs run.py's command line and kills this process with SIGKILL at the nth call of a function.

    python tests/killed.py al_bench.gan.game.Game.step 17 before strategy=asal_auto seed=0

`before` kills instead of the call, `after` once it has returned, `never` runs to the end. Checkpoints are written
every few steps, so that one lies between any two kills.
"""

import os
import runpy
import signal
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def kill_at(target: str, number: int, when: str) -> None:
    """Puts a function in the target's place that kills the process at its nth call."""
    from hydra.utils import get_object

    owner_path, name = target.rsplit(".", 1)
    owner = get_object(owner_path)
    original = getattr(owner, name)
    calls = 0

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*arguments, **options)
        if calls == number and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, counted)


def main() -> None:
    """Reads the arguments, sets the trap, becomes run.py."""
    target, number, when, *overrides = sys.argv[1:]
    sys.path.insert(0, str(ROOT))
    import torch

    from al_bench.training.fit import Fitter

    torch.set_num_threads(1)
    Fitter.fit.__kwdefaults__["checkpoint_seconds"] = 0.02
    if when != "never":
        kill_at(target, int(number), when)
    sys.argv = [str(ROOT / "run.py"), *overrides]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
