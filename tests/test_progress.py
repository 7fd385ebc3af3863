import io
import re
import sys

import pytest

from al_bench import progress as module
from al_bench.progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(module, "_QUIET_SECONDS", 0.0)
    monkeypatch.setattr(module, "_LINE_SECONDS", 0.0)


def test_plain_lines_where_nobody_watches(at_once, monkeypatch, caplog):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    caplog.set_level("INFO")
    with progress("classifier", 400, start=100) as bar:
        bar.advance(100)
    assert re.fullmatch(r"classifier: 200 of 400 steps, [\d,]+/s, [\d,]+ s left", caplog.messages[-1])
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
