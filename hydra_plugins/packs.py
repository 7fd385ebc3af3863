"""Packs of cells, each in one process that computes what they do alike as one: `pack_process`, seen from the launcher.

A cell may be in one where a part of its configuration reads `stacked`, and that is true.
"""

# No `from __future__ import annotations` here, see processes.py.
import json
import logging
import math
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path

from hydra_plugins.sweep_cells import REFUSED, Cell

logger = logging.getLogger("al_bench")

_PROGRAM = Path(__file__).with_name("pack_process.py")


class Pack:
    """It begins once one of its cells is asked after, with all that were added until then. environment: of the first
    that was; empty until then."""

    def __init__(self) -> None:
        self.environment: Mapping[str, str] = {}
        self._cells: list[Packed] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._next: Pack | None = None
        self._said, self._is_stopped = b"", False
        self._told: set[str] = set()

    @property
    def size(self) -> int:
        """How many cells share its time."""
        return len(self._cells)

    def to_join(self) -> "Pack":
        """Itself; of one that has begun the next one, of its cells that are started once more."""
        if self._process is None:
            return self
        self._next = self._next or Pack()
        return self._next.to_join()

    def add(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> "Packed":
        """A cell by its command, whose output is to come behind what its log has."""
        self.environment = self.environment or environment
        self._cells.append(Packed(self, command, log))
        return self._cells[-1]

    def look(self) -> None:
        """Gives each cell that has ended its code; one of which its process said none has the process's. Those of a
        process that cannot be started are refused."""
        from al_bench.errors import of_files

        try:
            process = self._process or self._begin()
        except OSError as error:
            self._end(REFUSED, f"error: {of_files(error, self._cells[0].log) or error}")
            return
        ended = process.poll()
        assert process.stdout is not None
        while said := process.stdout.read(65536):
            *lines, self._said = (self._said + said).split(b"\n")
            for answer in map(json.loads, lines):
                self._cells[answer["cell"]].returncode = answer["code"]
                self._tell(answer["alone"])
        if ended is not None:
            process.stdout.close()
            self._end(ended or 1, "" if ended < 0 else f"its process ended with code {ended}, see {self._cells[0].log}")

    def _end(self, code: int, because: str) -> None:
        for cell in self._cells:
            if cell.returncode is None:
                cell.returncode, cell.because = code, because

    def _tell(self, alone: Sequence[str]) -> None:
        for words in alone:
            if words not in self._told:
                self._told.add(words)
                logger.info(f"in a pack of {self.size}: {words}")

    def terminate(self) -> None:
        """Asks all of them, once, to store what they have and to end."""
        if self._process is not None and self._process.poll() is None and not self._is_stopped:
            self._is_stopped = True
            self._process.terminate()

    def wait(self) -> None:
        """Until all have ended."""
        if self._process is not None:
            self._process.wait()

    def _begin(self) -> "subprocess.Popen[bytes]":
        words = [{"words": [*cell.command[1:]], "log": str(cell.log.absolute())} for cell in self._cells]
        asked = json.dumps({"program": self._cells[0].command[1], "cells": words})
        with self._cells[0].log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(_PROGRAM)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**self.environment},
                start_new_session=True,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError), self._process.stdin as its:  # of one that has ended already, see `look`
            its.write(asked.encode())
        os.set_blocking(self._process.stdout.fileno(), False)
        return self._process


class Packed:
    """A cell as subprocess.Popen would have it, but that it is one of several of a process."""

    def __init__(self, pack: Pack, command: Sequence[str], log: Path) -> None:
        self.pack, self.command, self.log = pack, command, log
        self.returncode: int | None = None
        self.because = ""

    def poll(self) -> int | None:
        """As of subprocess.Popen."""
        if self.returncode is None:
            self.pack.look()
        return self.returncode

    def terminate(self) -> None:
        """Asks its whole pack to end: a sweep stops all of its cells."""
        self.pack.terminate()

    def wait(self) -> int:
        """Until its pack has ended."""
        self.pack.wait()
        return self.poll() or 0


def deal(cells: Sequence[Cell], workers: int) -> list[Cell]:
    """Gives cells that may be in a pack one, `workers` packs of neighbors on each device; returns all, those first."""
    joining = sorted((cell for cell in cells if may_join(cell)), key=_place)
    for _, found in groupby(joining, key=_place):
        alike = list(found)
        size = math.ceil(len(alike) / workers)
        for first in range(0, len(alike), size):
            pack = Pack()
            for cell in alike[first : first + size]:
                cell.pack = pack
    return [*joining, *(cell for cell in cells if cell.pack is None)]


def may_join(cell: Cell) -> bool:
    """Whether a part of it is `stacked`, so that it has an id other than alone."""
    parts = (cell.config.get(name) or {} for name in ("learner", "strategy"))
    return any(part.get("stacked") is True for part in parts)


def _place(cell: Cell) -> tuple[str, str]:
    return str(cell.config.device), str(cell.config.threads)


def count_processes(cells: Sequence[Cell]) -> int:
    """In how many these run."""
    return len({cell.pack or cell for cell in cells})


def is_of_any(cell: Cell, running: Sequence[Cell]) -> bool:
    """Whether it is to run in a process in which another one does, and which has not begun."""
    return cell.pack is not None and any(other.pack is cell.pack.to_join() for other in running)


def words_of(cells: Sequence[Cell]) -> str:
    """How many are packed, for a person."""
    packed = [cell for cell in cells if cell.pack]
    if not packed:
        return "none packed: no part of theirs is stacked"
    return f"{len(packed)} of them packed into {count_processes(packed)}"
