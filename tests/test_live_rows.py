"""What a sweep shows of its cells on a terminal while they run, and of its lines at its end."""

import os
import pty
import re
import select
import termios
import time
from pathlib import Path
from types import SimpleNamespace

import forked
import pytest
from composing import compose
from made_runs import cycle, write_cycle

from al_bench.config.identity import identify
from al_bench.files import write_json
from hydra_plugins.live_rows import LiveRows, live_rows
from hydra_plugins.sweep_cells import Cell, name_by_difference
from hydra_plugins.sweep_tables import tabulate_lines
from hydra_plugins.sweep_time import SweepTime

SMOKE = ("scale=smoke", "gan=none", "device=cpu")


def made_cells(folder, *accuracies):
    """A cell for each line and seed, with its cycles stored. accuracies: of a line, of its seeds, of their cycles."""
    cells = []
    for strategy, seeds in zip(("random", "margin"), accuracies, strict=False):
        for seed, found in enumerate(seeds):
            own = (f"strategy={strategy}", f"seed={seed}")
            config = compose(*SMOKE, *own, f"paths.outputs={folder}", f"paths.cells={folder}/none")
            cells.append(Cell(len(cells), own, config))
            cells[-1].folder = folder / f"{strategy}{seed}"
            (cells[-1].folder / "cycles").mkdir(parents=True)
            write_json(cells[-1].folder / "config.json", {"identity": identify(config)})
            for index, accuracy in enumerate(found):
                write_cycle(cells[-1].folder, cycle(index, accuracy))
    name_by_difference(cells)
    return cells


def test_a_row_says_where_a_cell_is(tmp_path):
    begun, new, elsewhere = made_cells(tmp_path, [[0.25, 0.5], []], [[0.75]])
    rows = LiveRows(None, SweepTime([begun, new, elsewhere]))
    for cell in (begun, new):
        cell.process, cell.began = SimpleNamespace(poll=lambda: None), time.monotonic() - 40
    assert rows._row(new) == ("strategy=random", "1", "-", "-", "not known")
    rows.time.left.lines["random"].ended.append(100.0)
    assert rows._row(begun)[:4] == ("strategy=random", "0", "1", "accuracy 0.5000")
    assert re.fullmatch(r"(59\.\d|60\.0) s", rows._row(begun)[4])
    write_cycle(begun.folder, cycle(2, 0.625))
    assert rows._row(begun)[2:4] == ("2", "accuracy 0.6250")
    assert rows._row(elsewhere)[3:] == ("accuracy 0.7500", "elsewhere")


def test_a_record_that_is_no_record_shows_what_was_known(tmp_path):
    (cell,) = made_cells(tmp_path, [[0.25, 0.5]])
    rows = LiveRows(None, SweepTime([cell]))
    assert rows._measured(cell) == (1, "accuracy 0.5000")
    (cell.folder / "cycles" / "002.json").write_text("{")
    assert rows._measured(cell) == (1, "accuracy 0.5000")


def test_nothing_is_drawn_where_nobody_watches(tmp_path, capsys):
    (cell,) = made_cells(tmp_path, [[0.25]])
    with live_rows(SweepTime([cell])) as rows:
        rows.show([cell], "words")
    assert capsys.readouterr().out == ""


def test_lines_have_mean_and_deviation_over_seeds(tmp_path):
    """Of those that have come as far as the furthest; one seed has no deviation."""
    cells = made_cells(tmp_path, [[0.1, 0.5], [0.1, 0.7], [0.9]], [[0.2, 0.3]])
    heading, _, random, margin = tabulate_lines(cells).splitlines()
    assert heading.split() == ["line", "annotations", "seeds", "mean", "accuracy", "deviation"]
    assert random.split() == ["strategy=random", "20", "2", "0.6000", "0.1414"]
    assert margin.split() == ["strategy=margin", "20", "1", "0.3000", "-"]
    assert tabulate_lines(cells[-1:]) == "", "what the table of cells has"


@pytest.mark.slow
def test_on_a_terminal_there_are_rows_below_whole_lines_and_none_at_the_end(tmp_path):
    """Elsewhere no control of a terminal is written, see the sweeps of `test_processes`."""
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (40, 60))
    where = (f"paths.outputs={tmp_path}", f"paths.cells={tmp_path}/cells", "tracking=none", "learner.epochs=200")
    with forked.started("-m", *SMOKE, "strategy=random", "seed=0,1", *where, terminal=os.ttyname(follower)) as process:
        said = b""
        while not re.search(rb"all seeds +40 +2 +0\.\d{4} +0\.\d{4}", said):
            readable, _, _ = select.select([leader], [], [], 60)
            assert readable, f"a minute of silence after {said[-2000:]!r}"
            said += os.read(leader, 65536)
        assert process.wait() == 0
    os.close(follower)  # open until here: a terminal that nobody has open is at its end
    os.close(leader)
    text = said.decode()
    assert "\x1b[" in text.partition("2 of 2 cells are finished")[0]
    assert "\x1b[" not in text.partition("2 of 2 cells are finished")[2], "rows are gone"
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    assert re.search(r"in work +seed +cycle +measured +left", plain)
    assert re.search(r"all seeds +1 +0 +accuracy 0\.\d{4}", plain)
    (log,) = Path(tmp_path).rglob("seed=0/*/sweep.log")
    assert f"[0] seed=0: started, log {log}\r\n" in plain, "a line that is longer than the terminal is not cut"
