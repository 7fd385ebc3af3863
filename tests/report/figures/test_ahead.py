"""Pictures that forks draw meanwhile are those that are drawn at once, and a page gets each in its place."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest
from matplotlib.axes import Axes

from al_bench.report.figures import ahead
from al_bench.report.figures.ahead import drawing_ahead
from al_bench.report.figures.palette import Look
from al_bench.report.figures.plots import Bar, Line, bar_chart, dot_chart, line_chart
from al_bench.report.figures.svg import draw_svg


def slope(height: float, axes: Axes) -> None:
    axes.plot([0, 1], [0, height])


def page_of(heights: list[float]) -> str:
    return " ".join(f"<img src={draw_svg(partial(slope, height), 300, 200)}>" for height in heights)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "_MANY", 2)


@pytest.fixture
def all_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forks have begun each picture by the time that the page wants it."""
    monkeypatch.setattr(Future, "cancel", lambda asked: False)


def test_a_page_has_the_same_pictures() -> None:
    heights = [1.0, 2.0, 3.0, 4.0, 2.0]
    for asked in (heights, [1.0]):  # by forks, and too few for that
        at_once = page_of(asked)
        with drawing_ahead(workers=2) as drawings:
            named = page_of(asked)
            assert "data:image" not in named
            assert drawings.fill(named) == at_once
    with drawing_ahead(workers=0):
        assert page_of([1.0]) == at_once


def own_process(_: Axes) -> None:
    raise ProcessLookupError(os.getpid())


def own_id() -> str:
    time.sleep(0.05)
    return str(os.getpid())


def test_what_no_fork_has_begun_is_drawn_here() -> None:
    """From the last, while the fork goes on with those before."""
    with drawing_ahead(workers=1) as drawings:
        page = " ".join(drawings.draw(own_id) for _ in range(20))
        *drawn, last = drawings.fill(page).split()
    assert last == str(os.getpid())
    assert {*drawn} > {last}, "the fork's own, too"


@pytest.mark.usefixtures("all_begun")
def test_a_failure_in_a_fork_is_the_pages() -> None:
    with drawing_ahead(workers=1) as drawings:
        named = page_of([1.0, 2.0]) + draw_svg(own_process, 300, 200)
        with pytest.raises(ProcessLookupError) as raised:
            drawings.fill(named)
    assert raised.value.args[0] != os.getpid()


def die_in_a_fork(parent: int, axes: Axes) -> None:
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    slope(5.0, axes)


@pytest.mark.usefixtures("all_begun")
def test_what_a_killed_fork_had_to_draw_is_drawn_here() -> None:
    draw = partial(die_in_a_fork, os.getpid())
    at_once = draw_svg(draw, 300, 200)
    with drawing_ahead(workers=1) as drawings:
        assert drawings.fill(page_of([1.0, 2.0]) + "|" + draw_svg(draw, 300, 200) + draw_svg(draw, 300, 200)).endswith(
            f"|{at_once}{at_once}"
        )


@pytest.mark.usefixtures("all_begun")
def test_every_chart_of_a_page_is_drawn_by_a_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it is drawn from goes to another process."""
    monkeypatch.setattr(ahead, "_MANY", 0)
    look = Look("#112233", "o", "")
    line = Line("one", look, [1, 2], [1.0, 2.0], [0.5, 1.5], [1.5, 2.5], tick=1.5, dashed_from=1, rings=[(1.0, 1.0)])
    level = Line("full", look, [1, 2], [2.5, 2.5], [2.0, 2.0], [3.0, 3.0], level=True)
    charts = [
        partial(line_chart, [line, level], "annotations", "accuracy", "a line", large=True, span=(0.0, 3.0)),
        partial(line_chart, [line], "annotations", "accuracy", "a line", log=True),
        partial(dot_chart, [line], ["cat", "dog"], [0.5, 0.5], "share", "dots"),
        partial(bar_chart, [Bar("one", look, [1.0, 2.0])], "seconds", "bars"),
    ]
    at_once = [(chart().uri, chart().narrow) for chart in charts]
    with drawing_ahead(workers=1) as drawings:
        named = [chart() for chart in charts]
        assert not any(one.uri.startswith("data:") for one in named)
        assert [(drawings.fill(one.uri), drawings.fill(one.narrow)) for one in named] == at_once


@pytest.mark.parametrize("failure", [OSError("no more processes"), NotImplementedError("no semaphores")])
def test_where_nothing_can_be_forked_pictures_are_drawn_here(
    monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def refused(*arguments: object) -> None:
        raise failure

    monkeypatch.setattr(ahead, "ProcessPoolExecutor", refused)
    with drawing_ahead(workers=1) as drawings:
        assert drawings.fill(page_of([1.0, 2.0, 3.0, 4.0])).count("data:image") == 4


def wait_long(_: Axes) -> None:
    time.sleep(0.3)


def test_a_page_that_is_interrupted_does_not_wait_for_its_pictures() -> None:
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt), drawing_ahead(workers=1):
        for _ in range(3):
            page_of([1.0])
        for _ in range(100):
            draw_svg(wait_long, 300, 200)
        raise KeyboardInterrupt
    assert time.monotonic() - begun < 15, "of thirty seconds"


KILLED = """
import os, signal
from concurrent.futures import Future
from al_bench.report.figures import ahead

def own_id():
    return str(os.getpid())

ahead._MANY, Future.cancel = 0, lambda asked: False
with ahead.drawing_ahead(1) as drawings:
    print(drawings.fill(drawings.draw(own_id)), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_forks_end_with_a_page_that_is_killed() -> None:
    done = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    fork = int(done.stdout)
    for _ in range(100):
        if not Path(f"/proc/{fork}").exists():
            return
        time.sleep(0.1)
    os.kill(fork, signal.SIGKILL)
    raise AssertionError("it waits for more to draw, forever")
