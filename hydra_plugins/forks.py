"""Cells that are forks of a process which has imported what they need: `fork_server`, seen from the launcher."""

# No `from __future__ import annotations` here, see processes.py.
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from select import select
from typing import Any

logger = logging.getLogger("al_bench")

_PROGRAM = Path(__file__).with_name("fork_server.py")
_KILLED = -int(signal.SIGKILL)
ALONE = {"OPENBLAS_NUM_THREADS": "1"}  # which starts its threads when it is loaded


def is_possible() -> bool:
    """Whether there are handles of processes that their parent has lost: on Linux."""
    return hasattr(os, "pidfd_open") and hasattr(signal, "pidfd_send_signal")


def targets_of(node: Any) -> set[str]:
    """The paths in the code of all parts in a configuration, given as plain values."""
    if isinstance(node, list):
        return set().union(*map(targets_of, node))
    if not isinstance(node, dict):
        return set()
    own = {node["_target_"]} if isinstance(node.get("_target_"), str) else set[str]()
    return own.union(*map(targets_of, node.values()))


class ForkServer:
    """lost: why it forks nothing any more, "" while it does."""

    def __init__(self, program: str, targets: Iterable[str], environment: Mapping[str, str]) -> None:
        """Starts it; it imports for some seconds. program: of the cells; targets: paths of their parts in the code."""
        self.lost = ""
        self.is_ready = self._told_lost = False
        self._socket, its = socket.socketpair()
        with its:
            self._process = subprocess.Popen(
                [sys.executable, str(_PROGRAM)],
                stdin=its.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**environment, **ALONE},
                start_new_session=True,
            )
        self._codes: dict[int, int] = {}
        self._said, self._files = b"", list[int]()
        self._ask({"folder": str(Path(program).resolve().parent), "targets": sorted(set(targets))})

    def await_ready(self, seconds: float) -> bool:
        """Waits for its imports, at most that long; returns whether it can fork now or never will."""
        self._listen(seconds)
        return self.is_ready or bool(self.lost)

    def fork(self, words: Sequence[str], environment: Mapping[str, str], log: Path) -> "Forked | None":
        """Starts `python *words`, its output behind what the log has; None where that cannot be, see `lost`."""
        if not self.lost:
            self._ask({"words": [*words], "environment": {**environment}, "log": str(log.absolute())})
        while not self.lost:
            for answer in self._listen(None):
                if "started" in answer:
                    return Forked(self, answer["started"], self._files.pop(0))
        if not self._told_lost:
            self._told_lost = True
            logger.warning(f"cells import for themselves from here on: {self.lost}")
        return None

    def code_of(self, process: int) -> int | None:
        """The exit code of a fork that has ended, said once; None for one that goes on, and where nobody knows."""
        self._listen(0)
        return self._codes.pop(process, None)

    @property
    def is_gone(self) -> bool:
        """Whether it says no exit codes any more."""
        return self._process.returncode is not None

    def close(self) -> None:
        """Ends it; forks that run go on."""
        if not self.is_ready:
            self._process.kill()
        self._socket.close()
        self._process.wait()

    def _ask(self, words: Mapping[str, Any]) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # read as its end
            self._socket.sendall(json.dumps(words).encode() + b"\n")

    def _listen(self, seconds: float | None) -> list[dict[str, Any]]:
        """What it has said since, waiting for that at most so long, None: until it says something."""
        answers: list[dict[str, Any]] = []
        while not self.is_gone and select([self._socket], [], [], 0 if answers else seconds)[0]:
            said, files, _, _ = self._receive()
            self._files += files
            *lines, self._said = (self._said + said).split(b"\n")
            answers += [json.loads(line) for line in lines]
            if not said:
                self._process.wait()
                self.lost = self.lost or f"it ended with code {self._process.returncode}"
        for answer in answers:
            self.is_ready |= "ready" in answer
            self.lost = answer.get("refused", self.lost)
            if "ended" in answer:
                self._codes[answer["ended"]] = answer["code"]
        return answers

    def _receive(self) -> tuple[bytes, list[int], int, Any]:
        try:
            return socket.recv_fds(self._socket, 65536, 16)
        except ConnectionResetError:
            return b"", [], 0, None


@contextmanager
def forking(program: str, targets: Iterable[str], environment: Mapping[str, str]) -> Iterator[ForkServer]:
    """A server, once it can fork or never will, until the block ends."""
    server = ForkServer(program, targets, environment)
    try:
        while not server.await_ready(60.0):
            pass
        yield server
    finally:
        server.close()


class Forked:
    """A cell as subprocess.Popen would have it, but that its parent is the server: its handle alone outlives that."""

    def __init__(self, server: ForkServer, pid: int, handle: int) -> None:
        self.server, self.pid, self.handle = server, pid, handle
        self.returncode: int | None = None
        self.because = ""

    def poll(self) -> int | None:
        """As of subprocess.Popen; -9 of one whose end nobody saw, for the server was killed before."""
        if self.returncode is None:
            self.returncode = self.server.code_of(self.pid)
            if self.returncode is None and self.server.is_gone and self._has_ended(0):
                self.returncode, self.because = _KILLED, "ended after the process that forked it was killed"
            if self.returncode is not None:
                os.close(self.handle)
        return self.returncode

    def terminate(self) -> None:
        """Asks it to store what it has and to end."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.handle, signal.SIGTERM)

    def wait(self) -> int:
        """Until it has ended; returns its exit code."""
        while (code := self.poll()) is None:
            self._has_ended(0.2)
        return code

    def _has_ended(self, seconds: float) -> bool:
        return bool(select([self.handle], [], [], seconds)[0])
