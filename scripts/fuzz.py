"""Tries wrong values of every key on the embedded digits: each has to be refused in one sentence, or to run.

  python scripts/fuzz.py --count 1000
  python scripts/fuzz.py --only 'loop.*=nan'

Values of other kinds are made for the keys of some configurations as they are composed, in an order that `--seed`
draws. Each is a run of its own, forked from this process, in a folder of its own, with a limit of time and memory.
"""

import argparse
import atexit
import fnmatch
import gc
import importlib
import os
import random
import re
import resource
import runpy
import shutil
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple, NoReturn

from al_bench.config.composing import composing_quicker
from al_bench.config.experiment import written_of
from al_bench.config.groups import CONF

ROOT = Path(__file__).resolve().parent.parent
LINES = (  # each key is tried in the first of these that has it
    "gan=none strategy=random",
    "strategy=asal_auto matcher=ivf",
    "strategy=asal_auto matcher=ivf_pq",
    "strategy=asal_auto matcher=hnsw",
    "strategy=asal_disc gan=dcgan",
    "strategy=asal_cls feature=classifier oracle=noisy",
    "strategy=gaal network=small_cnn oracle=classifier",
    "strategy=adba network=linear +dataset.classes=[3,8]",
    "strategy=vaal network=small_cnn",
    "gan=none strategy=badge",
    "gan=none strategy=typiclust",
    "gan=none strategy=probcover",
    "gan=none strategy=contrastive_al",
    "gan=none strategy=dropquery",
    "gan=none strategy=uherding",
    "gan=none strategy=batchbald",
    "gan=none strategy=power_bald",
    "strategy=entropy_subset representation=latent network=linear",
    "method=waal",
    "method=mal/mal",
    "method=alcg/alcg",
    "strategy=learning_loss network=resnet18 network.mean=0.5 network.std=0.5 tracking=wandb tracking.mode=disabled",
    "strategy=deepfool learner=h_divergence",
    "procedure=agreement",
    "procedure=gan_quality",
    "procedure=query_time",
    "procedure=timing",
    "procedure=toy",
)
SHORT = ("scale=smoke", "scale.cycles=1", "device=cpu", "tracking=none")
VALUES = (
    "nonsense", "3", "true", "null", "nan", "inf", "-inf", "-1", "0", "0.5", "1.5", "1000000000000", "", "[]", "[1,2]",
    "[a,null]", "{a: 1}", "${nothing}", "${oc.env:NOTHING}", "${seed}", "'", '"it\'s"', "ü☃", "a b", "../up",
    "/dev/null/x",
)  # fmt: skip
GOOD = ("refused", "run", "long")
BAD = ("traceback", "wordy", "hang", "crash", "leftover")
MEMORY = 3 << 30  # bytes that a try may ask for above what this process has
GRACE = 20  # seconds that one which is told to stop may take
_IMPORTED = (
    "torch", "torchvision", "torchmetrics", "pytorch_lightning", "hydra", "pydantic", "scipy", "sklearn", "faiss",
)  # fmt: skip


class Try(NamedTuple):
    """A command line: one of `LINES`, and what is wrong with it."""

    line: str
    override: str

    @property
    def words(self) -> list[str]:
        return [*SHORT, *self.line.split(), self.override]


@dataclass(frozen=True)
class Outcome:
    """What came of it. kind: of `GOOD` or `BAD`; said: the last line; seconds: that it took."""

    kind: str
    said: str
    seconds: float


def generate(lines: Sequence[str] = LINES) -> list[Try]:
    """Every wrong value of every key, each once."""
    found: dict[str, Try] = {}
    for line in lines:
        for override in _overrides(line):
            found.setdefault(override, Try(line, override))
    return list(found.values())


def _overrides(line: str) -> Iterator[str]:
    config = written_of([*SHORT, *line.split()])
    groups = [path.name for path in CONF.iterdir() if path.is_dir() and path.name != "pair"]
    for group in groups:
        yield from (f"{group}={value}" for value in VALUES)
        yield f"~{group}"
    yield from (f"+foo={value}" for value in ("1", "null", "{a: 1}"))
    for key, is_node in _keys(config):
        yield f"~{key}"
        if is_node:
            yield from (f"+{key}.foo={value}" for value in ("1", "null"))
        if key not in groups:
            yield from (f"{key}={value}" for value in VALUES)


def _keys(node: object, path: str = "") -> Iterator[tuple[str, bool]]:
    """The path of each value below a node, and whether it is a node itself."""
    for key, value in node.items() if isinstance(node, dict) else ():
        own = f"{path}{key}"
        yield own, isinstance(value, dict)
        yield from _keys(value, f"{own}.")


def attempt(one: Try, seconds: float) -> Outcome:
    """Runs a command line in a fork, and says what came of it."""
    began, root = time.monotonic(), set(Path("/").iterdir())
    whole = Path(mkdtemp(prefix="fuzz-"))
    folder, said = whole / "here", whole / "said"
    folder.mkdir()
    process = os.fork()
    if not process:
        _become(one.words, folder, said)
    code, told = _ended(process, seconds)
    words = said.read_text(errors="replace")
    kind = kind_of(code, told, words)
    left = [path for path in folder.rglob("*") if re.search(r"seed=[^/]*/\w+$|cycles$", str(path))]
    if set(Path("/").iterdir()) - root or (kind == "refused" and left):
        kind = "leftover"
    shutil.rmtree(whole)
    lines = [line for line in words.splitlines() if line.strip() and "HYDRA_FULL_ERROR" not in line]
    return Outcome(kind, lines[-1] if lines else "", time.monotonic() - began)


def _ended(process: int, seconds: float) -> tuple[int, bool]:
    """The exit code of a process, and whether it had to be told to stop; one that does not is killed."""
    limit, told = time.monotonic() + seconds, False
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            with suppress(ProcessLookupError):
                os.killpg(process, signal.SIGKILL)  # whatever it started
            return os.waitstatus_to_exitcode(status), told
        if time.monotonic() > limit:
            os.kill(process, signal.SIGKILL if told else signal.SIGTERM)
            limit, told = time.monotonic() + GRACE, True
        time.sleep(0.02)


def kind_of(code: int, told: bool, words: str) -> str:
    """Of `GOOD` or `BAD`, from an exit code, whether it had to be told to stop, and all that it said."""
    if told:
        return "long" if code in (0, 128 + signal.SIGTERM) and "stopped by" in words else "hang"
    if code < 0:
        return "crash"
    if "Traceback" in words:
        return "traceback"
    if code == 0:
        return "run"
    errors = [line for line in words.splitlines() if line.startswith("error: ")]
    return "refused" if code == 2 and len(errors) == 1 and words.rstrip().endswith(errors[0]) else "wordy"


def _become(words: Sequence[str], folder: Path, said: Path) -> NoReturn:
    """Is `python run.py <words>` from here on, in a folder, with its output in a file."""
    os.setsid()
    os.chdir(folder)
    file = os.open(said, os.O_WRONLY | os.O_CREAT)
    for number in (1, 2):
        os.dup2(file, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.argv = [str(ROOT / "run.py"), *words]
    code = 1
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code & 0xFF)


def main(arguments: Sequence[str]) -> int:
    """Tries them and says what came of it; exit code 1 where one ended otherwise than it may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, help="how many tries (1000)")
    parser.add_argument("--seed", type=int, default=0, help="of the order in which they are drawn (0)")
    parser.add_argument("--only", metavar="PATTERN", default="*", help="overrides like this one, such as 'loop.*=nan'")
    parser.add_argument("--seconds", type=float, default=40, help="a try may take (40)")
    asked = parser.parse_args(arguments)
    if asked.count < 1:
        parser.error(f"--count={asked.count} must be at least 1")
    os.environ.update(WANDB_MODE="disabled", CUDA_VISIBLE_DEVICES="", OMP_NUM_THREADS="1")
    for name in _IMPORTED:
        with suppress(ImportError):
            importlib.import_module(name)
    tries = [one for one in generate() if fnmatch.fnmatchcase(one.override, asked.only)]
    if not tries:
        parser.error(f"--only={asked.only} is like no override: give one as it is typed, such as 'loop.*=nan'")
    rng = random.Random(asked.seed)
    tries.sort(key=lambda one: rng.random() * (1 + one.override.count(".")))  # who types, types what is near the top
    gc.collect()
    gc.freeze()  # what forks share is not looked through, and not copied, in each of them
    counts: Counter[str] = Counter()
    with composing_quicker():
        for one in tries[: asked.count]:
            outcome = attempt(one, asked.seconds)
            counts[outcome.kind] += 1
            if outcome.kind in BAD:
                print(f"{outcome.kind}: {one.line} '{one.override}': {outcome.said}", flush=True)
    print(f"{counts.total()} of {len(tries)} tried: {', '.join(f'{counts[kind]} {kind}' for kind in (*GOOD, *BAD))}")
    return int(any(counts[kind] for kind in BAD))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
