"""Packs: cells in one process, which each end as alone, and what they compute as one."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import forked
import pytest
from omegaconf import OmegaConf

from hydra_plugins import packs
from hydra_plugins.packs import Pack, Packed
from hydra_plugins.sweep_cells import Cell

SMOKE = ("scale=smoke", "device=cpu")

PROGRAM = """
import logging, os, signal, sys, time
from pathlib import Path
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf
from al_bench.errors import UserError
from al_bench.training.pack import Request, ask

class Pause(Request):
    rank = 0
    def joins(self, other):
        return False
    def answer(self, others):
        raise AssertionError

def start(arguments):
    name, folder = arguments
    logging.basicConfig(stream=sys.stdout, format="%(message)s", level=logging.INFO)
    HydraConfig.instance().cfg = OmegaConf.create({"name": name})
    for turn in range(2):
        print(f"{name}: turn {turn} of {' '.join(sys.argv[1:])}, {HydraConfig.instance().cfg.name}")
        logging.info(f"{name} says so")
        ask(Pause())
    if name == "refused":
        raise UserError("this cannot be")
    if name == "broken":
        raise ZeroDivisionError("a defect")
    if name == "killed" and not Path(folder, "killed").exists():
        Path(folder, "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    while name == "endless":
        Path(folder, "endless").touch()
        ask(Pause())
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One whose cells each take two turns and then do what their name says."""
    monkeypatch.setattr(sys, "executable", forked.python())
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def add(pack: Pack, program: Path, *names: str) -> dict[str, Packed]:
    cells = {}
    for name in names:
        (log := program.with_name(f"{name}.log")).touch()
        cells[name] = pack.add([sys.executable, str(program), name, str(program.parent)], os.environ, log)
    return cells


def codes(cells: dict[str, Packed]) -> dict[str, int]:
    for cell in cells.values():
        cell.wait()
    return {name: cell.wait() for name, cell in cells.items()}


def test_each_cell_has_its_own_words_streams_and_log_and_ends_for_itself(program: Path) -> None:
    """Cells of one process, of which three end badly."""
    cells = add(Pack(), program, "fine", "refused", "broken", "last")
    assert [cell.poll() for cell in cells.values()] == [None] * 4, "they begin when they are asked after"
    assert codes(cells) == {"fine": 0, "refused": 2, "broken": 1, "last": 0}
    for name, cell in cells.items():
        said = cell.log.read_text()
        for turn in range(2):
            assert f"{name}: turn {turn} of {name} {program.parent}, {name}\n{name} says so\n" in said
        assert not any(f"{other} says so" in said for other in cells if other != name)
    assert "error: this cannot be" in cells["refused"].log.read_text()
    assert "ZeroDivisionError: a defect" in cells["broken"].log.read_text()


def test_of_a_pack_that_is_killed_those_that_ended_keep_their_codes_and_the_others_run_in_the_next(
    program: Path,
) -> None:
    """Turns go round: "fine" has ended when "killed", behind it, kills them all."""
    pack = Pack()
    cells = add(pack, program, "fine", "killed", "last")
    assert codes(cells) == {"fine": 0, "killed": -signal.SIGKILL, "last": -signal.SIGKILL}
    assert pack.to_join() is not pack and pack.to_join() is pack.to_join()
    assert codes(add(pack.to_join(), program, "killed", "last")) == {"killed": 0, "last": 0}


def test_one_that_is_asked_to_end_ends_them_all_in_words(program: Path) -> None:
    cells = add(Pack(), program, "endless", "last")
    while not program.with_name("endless").exists():
        assert cells["endless"].poll() is None
        time.sleep(0.05)
    for cell in cells.values():
        cell.terminate()
    assert codes(cells) == {"endless": 128 + signal.SIGTERM, "last": 0}
    assert "stopped by SIGTERM; everything finished is kept" in cells["endless"].log.read_text()


def test_of_a_process_that_cannot_be_started_or_ends_at_once_each_cell_says_so(program: Path, monkeypatch: Any) -> None:
    (program.parent / "broken.py").write_text("import nothing_of_that_name")
    ended = add(Pack(), program.parent / "broken.py", "first", "second")
    assert codes(ended) == {"first": 1, "second": 1}
    assert ended["second"].because == f"its process ended with code 1, see {ended['first'].log}"
    assert "nothing_of_that_name" in ended["first"].log.read_text()
    gone = add(Pack(), program, "first", "second")
    monkeypatch.setattr(sys, "executable", "/nothing/here")
    assert codes(gone) == {"first": 2, "second": 2}
    assert gone["second"].because.startswith("error: ") and "here" in gone["second"].because


def cell(number: int = 0, device: str = "cpu", **config: object) -> Cell:
    """As much of one as is looked at when it is dealt."""
    usual = {"learner": {"stacked": True}, "strategy": {}, "device": device, "threads": 1}
    config = {**usual, **config}
    made = Cell.__new__(Cell)
    made.config, made.number, made.pack = OmegaConf.create(config), number, None
    return made


def test_those_of_a_pack_that_is_killed_begin_together_again_and_none_joins_one_that_has_begun(program: Path) -> None:
    """With one worker too, of which there are no more."""
    pack, first, second = Pack(), cell(0), cell(1)
    first.pack = second.pack = pack
    assert packs.is_of_any(second, [first])
    assert codes(add(pack, program, "killed", "last")) == {"killed": -signal.SIGKILL, "last": -signal.SIGKILL}
    assert not packs.is_of_any(second, [first]), "a process that has begun takes no more"
    first.pack = pack.to_join()  # as it is started once more
    assert packs.is_of_any(second, [first])


def test_neighbors_share_a_pack_and_what_is_not_stacked_comes_behind() -> None:
    alone = cell(9, learner={"stacked": False})
    cells = [cell(0), alone, *(cell(number) for number in range(1, 5))]
    dealt = packs.deal(cells, 2)
    assert [one.number for one in dealt] == [0, 1, 2, 3, 4, 9]
    first, second = dealt[0].pack, dealt[4].pack
    assert [one.pack for one in dealt] == [first] * 3 + [second] * 2 + [None]
    assert first is not second
    assert packs.count_processes(dealt) == 3
    assert packs.words_of(dealt) == "5 of them packed into 2"
    assert packs.is_of_any(dealt[1], [dealt[0]]) and not packs.is_of_any(dealt[3], [dealt[0]])
    assert not packs.is_of_any(alone, [alone])


def test_only_cells_that_search_or_train_stacked_may_join_and_only_on_one_device() -> None:
    assert packs.may_join(cell()) and packs.may_join(cell(learner={}, strategy={"stacked": True}))
    assert not packs.may_join(cell(learner={"stacked": "yes"}))
    assert packs.words_of(packs.deal([cell(learner={})], 1)) == "none packed: no part of theirs is stacked"
    dealt = packs.deal([cell(0), cell(1, device="cuda"), cell(2)], 1)
    assert dealt[0].pack is dealt[1].pack is not dealt[2].pack
    assert [one.number for one in dealt] == [0, 2, 1]


def sweep(folder: Path, *arguments: str) -> Any:
    return forked.run("-m", *SMOKE, *arguments, f"paths.outputs={folder}", f"paths.cells={folder}/cells")


def records(folder: Path, label: str) -> list[dict[str, Any]]:
    """Of the one run of that label."""
    (run,) = (folder / "digits" / label).iterdir()
    return [json.loads(path.read_text()) for path in sorted((run / "cycles").glob("*.json"))]


@pytest.mark.slow
def test_a_packed_sweep_asks_for_what_its_cells_ask_for_alone(tmp_path: Path) -> None:
    """ASAL too, whose searches are joined; ids differ, and the cell of bad input leaves the others."""
    words = (
        "network=linear",
        "strategy=entropy,asal_pixel",
        "seed=0,1",
        "threads=1",
        "hydra.launcher.workers=1",
    )
    packed = sweep(tmp_path, *words, "hydra.launcher.packed=true")
    assert packed.returncode == 0, packed.stdout + packed.stderr
    assert "4 cells, 0 finished before, 1 at once, 4 of them packed into 1" in packed.stdout
    told = {line.split(": ")[1] for line in packed.stdout.splitlines() if line.startswith("in a pack of 4: ")}
    assert told == {
        "models are trained in stacks with those of other cells",
        "latents are moved together with those of other cells",
    }
    alone = sweep(tmp_path, *words)
    assert alone.returncode == 0 and "4 cells, 0 finished before" in alone.stdout, alone.stdout + alone.stderr
    for strategy in ("entropy", "asal_pixel"):
        for seed in (0, 1):
            first, second = (records(tmp_path, f"{strategy}{more}/seed={seed}") for more in ("+stacked", ""))
            assert [one["query"]["indices"] for one in first] == [one["query"]["indices"] for one in second]
    again = sweep(tmp_path, *words, "hydra.launcher.packed=true")
    assert "all 4 cells are finished" in again.stdout, again.stdout + again.stderr
    planned = sweep(tmp_path, *words, "hydra.launcher.packed=true", "plan=true")
    assert "4 cells, 4 finished" in planned.stdout, planned.stdout + planned.stderr


@pytest.mark.slow
def test_the_cells_of_a_pack_that_is_killed_go_on_from_their_cycles(tmp_path: Path, monkeypatch: Any) -> None:
    """After four of the six cycles of two cells: the two that are left are the second process's."""
    monkeypatch.setenv("TRAP", json.dumps(forked.Trap("al_bench.storage.store.write_json", 4, "after")))
    words = ("network=linear", "strategy=random", "seed=0,1", "hydra.launcher.packed=true", "hydra.launcher.workers=1")
    done = sweep(tmp_path, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("killed by signal 9, started once more") == 2
    assert "2 of 2 cells are finished" in done.stdout
    assert [len(records(tmp_path, f"random+stacked/seed={seed}")) for seed in (0, 1)] == [3, 3]


@pytest.mark.slow
def test_of_a_packed_sweep_a_bad_cell_fails_and_what_cannot_be_stacked_says_so(tmp_path: Path) -> None:
    words = ("network=linear,lenet", "strategy=random,bald", "hydra.launcher.packed=true", "hydra.launcher.workers=1")
    done = sweep(tmp_path, "scale.epochs=1", "loop.max_cycles=0", *words)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "in a pack of 4: models are trained alone, for its network convolves" in done.stdout
    assert "network=linear strategy=bald: failed with code 2: error: strategy=bald" in done.stdout
    assert "3 of 4 cells are finished" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_packed_is_yes_or_no(tmp_path: Path) -> None:
    done = sweep(tmp_path, "strategy=random", "seed=0,1", "hydra.launcher.packed=1")
    assert done.returncode == 2
    assert "hydra.launcher.packed=1 must be true or false" in done.stderr + done.stdout
