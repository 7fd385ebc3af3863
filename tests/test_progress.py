import io
import re
import sys
import time

import pytest

from al_bench import progress as module
from al_bench.progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def at_once(monkeypatch):
    for name in ("_QUIET_SECONDS", "_LINE_SECONDS", "_BAR_SECONDS"):
        monkeypatch.setattr(module, name, 0.0)


def test_plain_lines_where_nobody_watches(at_once, monkeypatch, caplog):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    caplog.set_level("INFO")
    with progress("classifier", 400, start=100) as bar:
        bar.advance(100)
    assert re.fullmatch(r"classifier: 200 of 400 steps, [\d,]+/s, [\d.]+ s left", caplog.messages[-1])
    assert sys.stderr.getvalue() == ""


def test_a_bar_on_a_terminal(at_once, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress("classifier", 400) as bar:
        bar.advance(100)
    assert re.search(r"classifier: +25%\|.*100/400 \[\d+:\d+<\d+:\d+, +[\d.]+steps/s\]", terminal.getvalue())


def test_a_short_part_shows_nothing(monkeypatch, caplog):
    caplog.set_level("INFO")
    for stream in (io.StringIO(), Terminal()):
        monkeypatch.setattr(sys, "stderr", stream)
        with progress("classifier", 400) as bar:
            bar.advance(400)
        assert stream.getvalue() == ""
    assert caplog.messages == []


def test_a_plain_line_comes_after_a_while_and_then_seldom(monkeypatch, caplog):
    clock = [100.0]
    caplog.set_level("INFO")
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress("classifier", 400) as bar:
        bar._time = lambda: clock[0]
        bar.start_t = bar.last_print_t = clock[0]
        for _ in range(50):
            clock[0] += 1.0
            bar.advance()
    assert [message.split(" of ")[0] for message in caplog.messages] == [f"classifier: {n}" for n in (2, 22, 42)]


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (2, "WganGp: 2 of 100,000 steps, 0.067/s, 416.7 h left"),
        (600, "WganGp: 600 of 100,000 steps, 20/s, 82.8 min left"),
    ],
)
def test_a_slow_part_is_told_in_numbers_that_can_be_read(monkeypatch, caplog, count, said):
    clock = [100.0]
    caplog.set_level("INFO")
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress("WganGp", 100_000) as bar:
        bar._time = lambda: clock[0]
        bar.start_t = bar.last_print_t = clock[0]
        clock[0] += 30.0
        bar.advance(count)
    assert caplog.messages == [said]


def test_counting_is_cheap(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress("classifier", 100_000) as bar:
        began = time.process_time()
        for _ in range(100_000):
            bar.advance()
        assert (time.process_time() - began) / 100_000 < 5e-6, "five times what is promised, for slow machines"
