"""A disk that fails at its nth write, or a process that is killed there: `python tests/failing_disk.py [--kill] FOLDER
[NUMBER ...]`.

Makes a small run whole and counts the system's calls that write below FOLDER. Then makes it anew for each NUMBER (all
there are), with that call failing, or the process killed in its place, and the same line again without; prints a line
of JSON for each.
"""

import builtins
import errno
import fcntl
import io
import json
import os
import runpy
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file

LINE = (
    "strategy=asal_auto", "scale=smoke", "gan.iterations=4", "feature.epochs=1", "loop.max_cycles=2", "device=cpu",
    "tracking=none",
)  # fmt: skip
CLOCKS = ("effort", "commit", "sha256_record", "made")
FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Disk:
    """The calls that write below a folder. fails_at: which of them raises, none where it is 0; kills: whether it kills
    the process instead."""

    def __init__(self, folder: Path, fails_at: int, kills: bool) -> None:
        self.folder, self.fails_at, self.kills = str(folder), fails_at, kills
        self.count, self.failed = 0, ""

    def install(self) -> None:
        """From here on in this process."""
        for module, name in ((os, "fsync"), (os, "replace"), (os, "rename"), (os, "mkdir"), (os, "unlink")):
            setattr(module, name, self._counted(name, getattr(module, name)))
        fcntl.flock = self._counted("flock", fcntl.flock)
        opened, os_open = io.open, os.open
        disk = self

        class Raw(io.FileIO):
            def write(self, data: Any) -> int:
                disk.touch("write", self.name)
                return super().write(data)

        def open_file(file: Any, mode: str = "r", buffering: int = -1, *arguments: Any, **options: Any) -> Any:
            if isinstance(file, int) or not set("wax+") & set(mode):
                return opened(file, mode, buffering, *arguments, **options)
            disk.touch("open", file)
            raw = io.BufferedWriter(Raw(file, mode.replace("b", "").replace("t", "")))
            return raw if "b" in mode else io.TextIOWrapper(raw, *arguments, **options)

        def open_descriptor(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
            if flags & FLAGS:
                disk.touch("open", path)
            return os_open(path, flags, *arguments, **options)

        io.open = builtins.open = open_file
        os.open = open_descriptor

    def touch(self, call: str, target: Any) -> None:
        """Counts a call, and fails where it is the one."""
        path = str(Path(f"/proc/self/fd/{target}").readlink() if isinstance(target, int) else target)
        if not path.startswith(self.folder):
            return
        self.count += 1
        if self.count == self.fails_at and self.kills:
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.count == self.fails_at:
            self.failed = f"{call} {path.removeprefix(self.folder)}"
            code = {"unlink": errno.EROFS, "flock": errno.ENOLCK}.get(call, errno.ENOSPC)
            of_a_name = call not in ("write", "fsync", "flock")  # the others do not say of which file
            raise OSError(code, os.strerror(code), *([path] if of_a_name else []))

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(target: Any, *arguments: Any, **options: Any) -> Any:
            self.touch(name, target)
            return call(target, *arguments, **options)

        return counted


def run(folder: Path, fails_at: int, kills: bool = False) -> tuple[int, Disk]:
    """The exit code of the line; on a disk that counts, unless `fails_at` is below zero."""
    disk = Disk(folder, fails_at, kills)
    if fails_at >= 0:
        disk.install()
    sys.argv = ["run.py", *LINE, f"paths.outputs={folder}", f"paths.cells={folder}/cells"]
    try:
        runpy.run_path("run.py", run_name="__main__")
    except SystemExit as end:
        return int(end.code or 0), disk
    except BaseException:
        traceback.print_exc()
        return 1, disk
    return 0, disk


def run_forked(folder: Path, fails_at: int, kills: bool = False) -> dict[str, Any]:
    """As `run`, in a process of its own: its exit code, which call failed, all that it said but for its log."""
    said = folder.with_suffix(".said")
    if process := os.fork():
        _, status = os.waitpid(process, 0)
        lines = said.read_text().splitlines()
        if os.WIFSIGNALED(status):
            return {"code": -os.WTERMSIG(status), "said": lines}
        return {**json.loads(lines[-1]), "said": lines[:-1]}
    output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    for number in (1, 2):
        os.dup2(output, number)
    code, disk = run(folder, fails_at, kills)
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(1, f"\n{json.dumps({'code': code, 'failed': disk.failed, 'count': disk.count})}\n".encode())
    os._exit(0)


def results(outputs: Path) -> dict[str, Any]:
    """What must be the same, by file."""
    found: dict[str, Any] = {}
    for path in sorted(outputs.rglob("*")):
        name = path.relative_to(outputs).as_posix()
        if path.suffix == ".safetensors":
            found[name] = {key: array.tobytes() for key, array in load_file(path).items()}
        elif path.suffix == ".json" and ("cycles" in name or "artifacts" in name):
            found[name] = {key: value for key, value in json.loads(path.read_text()).items() if key not in CLOCKS}
    return found


def main(folder: Path, numbers: Sequence[int], kills: bool) -> None:
    run(folder / "warm", -1)  # imports what forks need
    whole = run_forked(folder / "whole", 0)
    expected = results(folder / "whole")
    sys.stdout.write(f"{json.dumps(whole)}\n")
    sys.stdout.flush()
    for number in numbers or range(1, whole["count"] + 1):
        first = run_forked(folder / str(number), number, kills)
        again = run_forked(folder / str(number), -1)
        found = results(folder / str(number))  # a model that is no longer needed may stay
        same = {name: found.get(name) for name in expected} == expected
        sys.stdout.write(f"{json.dumps({'number': number, **first, 'again': again['code'], 'same': same})}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--kill"]
    main(Path(words[0]).absolute(), [int(number) for number in words[1:]], "--kill" in sys.argv)
