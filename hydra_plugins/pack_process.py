"""The process of a pack: it runs cells in turns, each as its own command line would (`al_bench.training.pack`).

It reads from its standard input which, and writes to its standard output, in a line of JSON, how one has ended:
`packs.Pack` starts it.
"""

# No `from __future__ import annotations` here, see processes.py.
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, TextIO

Start = Callable[[Sequence[str]], None]  # run.py's, which takes the arguments of a command line


class Own:
    """What a process has once and each of its cells its own of: the words of the command, streams, the log's handlers,
    and what Hydra keeps by class, the composed configuration among it."""

    def __init__(self, words: Sequence[str], log: Path) -> None:
        from hydra.core.singleton import Singleton

        output = log.open("a", buffering=1, encoding="utf-8")
        self._state: tuple[Any, ...] = [*words], output, output, [], logging.WARNING, dict(Singleton._instances)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Inside the block the process has the cell's."""
        before = _state()
        _set_state(*self._state)
        try:
            yield
        finally:
            self._state = _state()
            _set_state(*before)


def _state() -> tuple[Any, ...]:
    from hydra.core.singleton import Singleton

    root = logging.getLogger()
    return sys.argv, sys.stdout, sys.stderr, root.handlers, root.level, Singleton._instances


def _set_state(words: list[str], out: TextIO, err: TextIO, handlers: list[Any], level: int, kept: Any) -> None:
    from hydra.core.singleton import Singleton

    root = logging.getLogger()
    sys.argv, sys.stdout, sys.stderr, root.handlers, Singleton._instances = words, out, err, handlers, kept
    root.setLevel(level)


def run_cells(start: Start, cells: Sequence[Mapping[str, Any]], say: Callable[..., None]) -> None:
    """Runs them all. cells: of each the `words` of its command and its `log`; say: is told of one that has ended, see
    `run_cell`. Raises Interrupted where a signal came, once all have ended."""
    from hydra.core.plugins import Plugins

    from al_bench.config.composing import composing_quicker
    from al_bench.training.pack import Member, run_pack

    Plugins.instance()  # found once, for all
    members = [
        Member(partial(run_cell, start, partial(say, cell=place)), Own(cell["words"], Path(cell["log"])).in_place)
        for place, cell in enumerate(cells)
    ]
    with composing_quicker():
        run_pack(members)


def run_cell(start: Start, say: Callable[..., None]) -> None:
    """One cell, whose words are the process's while it has its turn. say: gets its code, and what it does alone."""
    from al_bench.training.interruption import ended_in_words
    from al_bench.training.pack import said_once
    from hydra_plugins.fork_server import code_of

    code = code_of(ended_in_words()(partial(start, sys.argv[1:])))
    with suppress(OSError):  # of a full disk
        sys.stdout.flush()
    say(code=code, alone=said_once())


def _program(path: str) -> Start:
    """`start` of a program that runs cells."""
    os.environ["HYDRA_MAIN_MODULE"] = "__main__"  # Hydra looks for `conf` beside the program, as where it is called
    sys.path[0] = str(Path(path).resolve().parent)
    spec = spec_from_file_location("al_bench_program", path)
    assert spec is not None, f"{path} is no Python file"
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    start: Start = module.start
    return start


def main() -> None:
    """The whole process. Raises SystemExit where a signal came."""
    asked = json.load(sys.stdin)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever else is written goes to the log
    start = _program(asked["program"])
    from al_bench.training.interruption import Interrupted, signals_noted

    def say(**words: Any) -> None:
        with suppress(BrokenPipeError):  # the sweep was killed, its cells go on
            answers.write(f"{json.dumps(words)}\n")

    with signals_noted():
        try:
            run_cells(start, asked["cells"], say)
        except Interrupted as stop:
            raise SystemExit(stop.exit_code) from None


if __name__ == "__main__":
    main()
