"""Labeling in the browser while a training runs: how long the next picture takes after a key, whether a key is lost."""

import math
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from al_bench.storage.answers import LABELS, Answer, LabelLog
from al_bench.storage.asked import Asked, AskedPicture, open_page, write_asked
from benchmarks import Goal, Measured

ROOT = Path(__file__).parents[1]
KEYS, MINUTE = 300, 60.0
SIDES = (640, 480)
_CLASSES = ("one", "two", "three")
_FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
# The stage says which picture is on the screen two frames after it was given: what is measured is not too short.
_WATCH = """() => {
    window.pressed = []; window.shown = [];
    addEventListener("keydown", (event) => window.pressed.push(event.timeStamp), true);
    new MutationObserver((changes) => changes.forEach(({ target }) => {
        if (target.dataset.position) window.shown.push([Number(target.dataset.position), performance.now()]);
    })).observe(document.body, { subtree: true, attributeFilter: ["data-position"] });
}"""
_TRAINING = """
import torch
from al_bench.network.small_cnn import SmallCnn
torch.set_num_threads(1)
network = SmallCnn((3, 64, 64), 10, [32, 64], 128, 0.0)
optimizer = torch.optim.Adam(network.parameters())
print("trains", flush=True)
while True:
    optimizer.zero_grad()
    network(torch.rand(64, 3, 64, 64)).square().mean().backward()
    optimizer.step()
"""


@dataclass(frozen=True)
class Pressed:
    """seconds: from each key to the next picture; kept: answers on the disk that are what was pressed at the picture
    that was on the screen."""

    seconds: Sequence[float]
    kept: int


def measure(keys: int = KEYS, minute: float = MINUTE) -> list[Measured]:
    """Two rows; both are missed where no browser is here.

    keys: pressed evenly in so many seconds.
    """
    pressed = press(keys, minute) if chromium() and find_spec("playwright") else Pressed([], 0)
    if pressed.seconds:
        late = float(np.quantile(pressed.seconds, 0.95))
        median, most = statistics.median(pressed.seconds), max(pressed.seconds)
        how = f"{keys} keys in {minute:.0f} s, key to screen; median {1000 * median:.0f} ms, most {1000 * most:.0f} ms"
    else:
        late, how = float("nan"), "no chromium and playwright here: `sh tests/install_chromium.sh` and `make install`"
    beside = f"{pressed.kept} of {keys} keys in {minute:.0f} s are on the disk, each for the picture that was shown"
    return [
        Measured("labeling: next picture beside a training, 95th percentile", late, Goal(0.1, "s"), how),
        Measured(
            "labeling: keys of a minute that are kept", pressed.kept / keys, Goal(1.0, "%", at_least=True), beside
        ),
    ]


def chromium() -> str | None:
    """The browser, where one is."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def press(keys: int, seconds: float) -> Pressed:
    """Labels pictures of a made run in the browser, a key every `seconds / keys`, while a network is trained."""
    from playwright.sync_api import sync_playwright

    with TemporaryDirectory() as folder, sync_playwright() as driver:
        run = made_run(Path(folder), keys + 20)
        with training(), opened(run) as address:
            browser = driver.chromium.launch(executable_path=chromium(), args=list(_FLAGS))
            tab = browser.new_page(viewport={"width": 1400, "height": 900})
            tab.goto(address)
            tab.wait_for_selector('.stage[data-position="0"]')
            tab.evaluate(_WATCH)
            for number in range(keys):
                pressed = time.monotonic()
                tab.keyboard.press(str(1 + number % len(_CLASSES)))
                time.sleep(max(0.0, pressed + seconds / keys - time.monotonic()))
            tab.wait_for_timeout(2_000)  # what is not on the disk by then is lost
            times, shown = tab.evaluate("[window.pressed, window.shown]")
            browser.close()
        answers = [line for line in LabelLog(run / LABELS).read_new() if isinstance(line, Answer)]
    expected = [(number, _CLASSES[number % len(_CLASSES)]) for number in range(keys)]
    kept = sum((one.position, one.label) == other for one, other in zip(answers, expected, strict=False))
    return Pressed([(min((at for _, at in shown if at > key), default=math.inf) - key) / 1000 for key in times], kept)


def made_run(folder: Path, num_pictures: int) -> Path:
    """A run's folder that asks for pictures of blurred noise, in files as large as photographs of that size."""
    rng = np.random.default_rng(0)
    (run := folder / "run").mkdir()
    pictures = []
    for position in range(num_pictures):
        small = Image.fromarray(rng.integers(256, size=(60, 80, 3), dtype=np.uint8))
        small.resize(SIDES, Image.Resampling.BICUBIC).save(folder / f"{position}.jpg", quality=90)
        pictures.append(AskedPicture(position=position, file=f"{position}.jpg"))
    asked = Asked(root=str(folder), classes=list(_CLASSES), pictures=pictures, state="training", said="It trains.")
    write_asked(run, asked)
    return run


@contextmanager
def training() -> Iterator[None]:
    """A process that trains on one thread, as a run does, while the block runs."""
    process = subprocess.Popen([sys.executable, "-c", _TRAINING], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"trains\n"
        yield
        assert process.poll() is None, "it trained all the while"
    finally:
        process.kill()
        process.communicate()


@contextmanager
def opened(run: Path) -> Iterator[str]:
    """The address of a run's page, while the block runs."""
    command = [sys.executable, "-m", "al_bench.annotation", str(run), "--port", "0", "--no-open"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        while (page := open_page(run)) is None:
            assert process.poll() is None, "the page could not be opened"
            time.sleep(0.05)
        yield page.address
    finally:
        process.terminate()
        process.wait()
