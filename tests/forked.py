"""Processes of Python that find torch imported: run.py's command line, or what is given as the interpreter.

They are forked from one that a session of tests starts once (`fork_server`): a new interpreter spends five seconds of
CPU on imports.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, NamedTuple

ROOT = Path(__file__).parent.parent
SERVERS: list[int] = []  # the process of the server, once there is one


class Trap(NamedTuple):
    """Where the process gets a signal: at the nth call of a function.

    when: `before`, instead of the call, or `after`, once it has returned; `import`, where the target is a module's
    name that is imported for the first time, none of our own being so before; `never` runs to the end.
    """

    target: str = ""
    number: int = 0
    when: str = "never"
    signum: int = signal.SIGKILL


def run(*overrides: str, trap: Trap | None = None) -> subprocess.CompletedProcess[str]:
    """What `python run.py <overrides>` says, and its exit code: -9 where a trap killed it, -14 after five minutes.

    With a trap, checkpoints are written every few steps, so that one lies between any two kills.
    """
    with started(*overrides, trap=trap) as process:
        code = process.wait()
        return subprocess.CompletedProcess(overrides, code, process.stdout, process.stderr)


@dataclass
class Started:
    """A run that goes on. answers: its exit code comes from there; said: the files of its output and its errors."""

    pid: int
    answers: IO[str]
    said: Sequence[Path]
    code: int | None = None

    @property
    def stdout(self) -> str:
        """What it has said so far."""
        return self.said[0].read_text()

    @property
    def stderr(self) -> str:
        return self.said[1].read_text()

    def await_words(self, *words: str) -> None:
        """Returns once it has said one of them; fails when it cannot any more."""
        while not any(word in self.stdout for word in words):
            os.kill(self.pid, 0)
            time.sleep(0.01)

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        if self.code is None:
            self.code = int(self.answers.readline())
        return self.code


@contextmanager
def started(*overrides: str, trap: Trap | None = None, terminal: str | None = None) -> Iterator[Started]:
    """As `run`, while it runs; at the end it is killed. terminal: that it says everything to, in place of files."""
    request = {"words": [str(ROOT / "run.py"), *overrides], "folder": str(ROOT), "trap": trap}
    request |= {"environment": dict(os.environ), "executable": python()}
    with TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        said = [terminal] * 2 if terminal else [f"{folder}/stdout", f"{folder}/stderr"]
        files = [os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOCTTY) for path in [os.devnull, *said]]
        server.connect(str(Path(python()).with_name("server")))
        socket.send_fds(server, [b"."], files)
        for file in files:
            os.close(file)
        server.sendall(json.dumps(request).encode() + b"\n")
        with server.makefile() as answers:
            process = Started(int(answers.readline()), answers, [Path(path) for path in said])
            try:
                yield process
            finally:
                if process.code is None:
                    with suppress(ProcessLookupError):
                        os.kill(process.pid, signal.SIGKILL)
                    process.wait()


def spent() -> float:
    """CPU seconds of the server and of all that was forked from it and has ended; 0 before it was started, and where
    there is no /proc to read."""
    ticks = 0
    for stat in filter(Path.exists, (Path(f"/proc/{server}/stat") for server in SERVERS)):
        words = stat.read_text().rpartition(")")[2].split()
        ticks += sum(int(word) for word in words[11:15])  # utime, stime, cutime, cstime (proc_pid_stat(5))
    return ticks / os.sysconf("SC_CLK_TCK")


@cache
def python() -> str:
    """What is started in place of `sys.executable`: takes `-c` and `-m` as it does, other options start it anew.

    What it starts is a process of its own session with torch imported, in place of what `python` stands for: it has the
    same files, folder, variables and arguments, signals are passed on, its exit code or signal is that of the other,
    which is killed where this one is. The variable TRAP holds a `Trap` for it, as a list in JSON.
    """
    folder = TemporaryDirectory(prefix="python-")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{folder.name}/server")
    listener.listen(100)
    number = listener.fileno()
    command = [sys.executable, str(Path(__file__).with_name("fork_server.py")), str(number)]
    server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, pass_fds=[number])
    listener.close()
    SERVERS.append(server.pid)
    path = Path(folder.name, "python")
    path.write_text(f"#!{sys.executable} -IS\n{Path(__file__).with_name('interpreter.py').read_text()}")
    path.chmod(0o755)
    atexit.register(folder.cleanup)
    atexit.register(server.communicate)  # ends its input, so that it ends
    return str(path)
