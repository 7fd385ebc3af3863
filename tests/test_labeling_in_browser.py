"""A run, its page and a person, each a process: whichever is killed, no answer is lost and none asked for twice."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import forked
import numpy as np
import pytest
from chromium import needs_chromium
from pictures import save

from al_bench.storage.answers import Answer, LabelLog
from al_bench.storage.asked import open_page
from al_bench.storage.folder import cycle_records
from scripts.simulate_person import answer

ROOT = Path(__file__).parent.parent

pytestmark = needs_chromium


@pytest.fixture
def pictures(tmp_path) -> Path:
    for number in range(60):
        pixels = np.random.default_rng(number).integers(0, 90, (12, 12, 3), dtype=np.uint8)
        pixels[..., 2 * (number % 2)] += 120
        save(tmp_path / "pictures" / f"{number}.png", pixels)
    return tmp_path / "pictures"


def free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


def kill_page(run: Path) -> None:
    if (page := open_page(run)) is not None:
        with suppress(ProcessLookupError):
            os.kill(page.process, signal.SIGKILL)


def test_run_and_page_may_be_killed_while_a_person_labels(tmp_path, pictures):
    truth = {f"{number}.png": ("red", "blue")[number % 2] for number in range(60)}
    line = (
        "dataset=image_folder", f"dataset.root={pictures}", "dataset.class_names=[red,blue]", "dataset.image_size=8",
        "oracle=human", "oracle.open=false", f"oracle.port={free_port()}", "oracle.audit_size=6", "oracle.ahead=8",
        "network=linear", "loop.initial_size=6", "loop.query_size=6", "loop.budget=36", "learner.epochs=20",
        "device=cpu", "tracking=none", f"paths.outputs={tmp_path / 'outputs'}",
    )  # fmt: skip
    with forked.started(*line) as process:
        process.await_words("label at http")
        (run,) = tmp_path.glob("outputs/image_folder/margin/seed=0/*")
        try:
            assert answer(run, truth, 15, 0.0) == 15
            while not cycle_records(run):  # of which the first labels are known
                time.sleep(0.05)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            assert answer(run, truth, 3, 0.0) == 3, "what was asked for is labeled without the run, too"
            with forked.started(*line) as again:
                again.await_words("label at http")
                assert answer(run, truth, 6, 0.0) == 6
                kill_page(run)
                again.await_words("the page has ended")
                command = [sys.executable, str(ROOT / "scripts" / "annotate.py"), str(run), "--no-open", "--port", "0"]
                reopened = subprocess.Popen(command, stderr=subprocess.DEVNULL)
                try:
                    answer(run, truth, 60, 0.0)
                    assert again.wait() == 0, again.stderr
                finally:
                    reopened.kill()
                    reopened.wait()
                said = again.stdout
        finally:
            kill_page(run)
    given = [line for line in LabelLog(run / "labels.jsonl").read_new() if isinstance(line, Answer)]
    assert len({one.position for one in given}) == len(given) >= 36, "none was asked twice"
    assert all(one.label == truth[one.file] and one.content for one in given)
    assert "finished: the budget of 36" in said and "going on after cycle" in said
