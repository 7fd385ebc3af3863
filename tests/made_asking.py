"""Folders of labeling runs, made by hand, and the page of one in a process of its own."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from al_bench.storage.answers import LABELS, Answers, LabelLog, Line
from al_bench.storage.asked import Asked, AskedPicture, open_page, write_asked
from al_bench.storage.picture_list import PICTURES

ROOT = Path(__file__).parent.parent


def made_asking(folder: Path, num_pictures: int = 50, classes: Sequence[str] = ("cat", "dog"), **more) -> Path:
    """A run's folder that asks for pictures of one color each, beside a folder with them; returns the run's."""
    pictures = more.pop("pictures", None) or [asked(position) for position in range(num_pictures)]
    (root := folder / "pictures").mkdir(parents=True)
    for picture in pictures:
        color = tuple((37 * (picture.position + 1) * factor) % 256 for factor in (1, 3, 7))
        (root / picture.file).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (24, 18), color).save(root / picture.file, "PNG")
    (run := folder / "run").mkdir()
    ask(run, pictures, classes, **more)
    return run


def asked(position: int, **more) -> AskedPicture:
    return AskedPicture(position=position, **{"file": f"{position:03d}.png", **more})


def ask(run: Path, pictures: Sequence[AskedPicture], classes: Sequence[str] = ("cat", "dog"), **more) -> None:
    """Replaces what a run asks."""
    said = {"root": str(run.parent / "pictures"), "state": "waiting", "said": "Label these pictures.", **more}
    write_asked(run, Asked(classes=list(classes), pictures=list(pictures), **said))


def list_pictures(run: Path, *lines: list) -> None:
    """Replaces the run's list of its pictures."""
    (run / PICTURES).write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def content_of(run: Path, position: int) -> str:
    """By which a picture's file is known."""
    return hashlib.sha256((run.parent / "pictures" / f"{position:03d}.png").read_bytes()).hexdigest()[:16]


def lines_of(run: Path) -> list[Line]:
    return LabelLog(run / LABELS).read_new()


def labels_of(run: Path) -> dict[int, str | None]:
    """The answers that hold, by position, in the order in which they were given."""
    return {answer.position: answer.label for answer in Answers(lines_of(run)).given()}


def command(run: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "al_bench.annotation", str(run), "--no-open", *arguments]


@dataclass
class Page:
    """A page that is open. address: with its token, where it has one."""

    process: subprocess.Popen
    address: str

    @property
    def port(self) -> str:
        return self.address.split("/?")[0].rpartition(":")[2]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def opened_page(run: Path, *arguments: str, port: str = "0") -> Iterator[Page]:
    """The page of a run, while the block runs."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command(run, "--port", port, *arguments), env=environment, stderr=subprocess.PIPE)
    try:
        while (page := open_page(run)) is None:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.02)
        yield Page(process, page.address)
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()
