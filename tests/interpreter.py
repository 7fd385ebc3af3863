"""Stands for an interpreter of Python: `forked.python` makes an executable file of it."""

import json
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

WORDS = sys.argv[1:]
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
HERE = Path(__file__).absolute()
started: list[int] = []  # the process, once it is there
waiting: list[int] = []  # signals that came before


def pass_on(signum: int, frame: object = None) -> None:
    with suppress(ProcessLookupError):
        os.kill(started[0], signum) if started else waiting.append(signum)


def main() -> None:
    """Has a process started that is what this one should be, and ends as that one does."""
    for signum in SIGNALS:
        if signal.getsignal(signum) != signal.SIG_IGN:
            signal.signal(signum, pass_on)
    request = {"words": WORDS, "folder": str(Path.cwd()), "environment": dict(os.environ), "executable": str(HERE)}
    request["trap"] = json.loads(os.environ.get("TRAP", "null"))
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(str(HERE.with_name("server")))
        socket.send_fds(server, [b"."], [0, 1, 2])
        server.sendall(json.dumps(request).encode() + b"\n")
        with server.makefile() as answers:
            started.append(int(answers.readline()))
            for signum in waiting:
                pass_on(signum)
            code = int(answers.readline())
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


if not WORDS or (WORDS[0].startswith("-") and WORDS[0] not in ("-c", "-m")):
    os.execv(sys.executable, [sys.executable, *WORDS])
main()
