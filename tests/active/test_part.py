"""What is part of an identity, and what is not."""

import os
import re
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import torch
from composing import compose, run_id
from made_runs import made_record

from al_bench.active.part import Declared, _content, declare, declared, describe, hash_of
from al_bench.active.stopping import Stopping
from al_bench.config.identity import describe_node, identify
from al_bench.gan.wgan_gp import WganGp
from al_bench.learner.supervised import Supervised
from al_bench.storage.artifacts import Artifacts
from al_bench.storage.cell import SUFFIX, pack
from al_bench.storage.known import finished_cell
from al_bench.training.schedule import StepDecay

CONF = Path(__file__).parents[2] / "conf"


@declare("made/thing")
@dataclass(frozen=True)
class Thing:
    """As it was."""

    size: int
    rate: float = 0.5
    where: str = field(default="here", metadata={"identity": False})


@declare("made/thing")
@dataclass(frozen=True)
class Renamed:
    """The same, moved and renamed, with an argument that came later."""

    size: int
    rate: float = 0.5
    where: str = field(default="here", metadata={"identity": False})
    later: str | None = None


@declare("made/thing", revision=2)
@dataclass(frozen=True)
class Mended:
    """The same, with other results."""

    size: int
    rate: float = 0.5


@declare("made/reader", beside=("root",), files=("split",))
def read(root, split=None, *, mode="color"):
    """A data set."""


def test_a_moved_and_renamed_class_and_a_new_default_are_the_same_part():
    assert describe(Thing(3)) == describe(Renamed(3)) == describe(Thing(3, 0.5, where="there"))
    assert describe(Thing(3)) == {"part": "made/thing@1", "size": 3}


def test_another_argument_or_revision_is_another():
    assert (
        len({str(describe(part)) for part in (Thing(3), Thing(4), Thing(3, 0.25), Mended(3), Renamed(3, later="x"))})
        == 5
    )


def test_a_node_is_described_as_what_it_makes():
    node = {"_target_": "al_bench.training.schedule.StepDecay", "at": [0.5], "factor": 0.1}
    assert describe_node(node) == describe(StepDecay([0.5])) == {"part": "schedule/step_decay@1", "at": [0.5]}


def test_a_factory_is_described_as_what_it_calls():
    assert describe(partial(Thing, size=3)) == describe(Thing(3))
    assert describe(partial(torch.optim.Adam, lr=0.001)) == {"part": "torch.Adam", "lr": 0.001}, (
        "their defaults may move"
    )


def test_parts_that_declare_nothing_and_share_a_name_are_others():
    """Two modules of one package with a class of the same name each."""
    one, other = (type("Mine", (), {"__module__": f"mine.{module}"}) for module in ("first", "second"))
    assert (declared(one).name, declared(other).name) == ("mine.first.Mine", "mine.second.Mine")
    assert describe(partial(one)) != describe(partial(other))
    assert str(declared(torch.optim.lr_scheduler.StepLR)) == "torch.StepLR", "a library's stands as it was"


def test_places_do_not_count_and_files_count_by_content(tmp_path):
    for name in ("one", "same"):
        (tmp_path / name).write_text("[1]")
    (tmp_path / "other").write_text("[2]")
    one, same, other = (
        describe(partial(read, root=name, split=str(tmp_path / name))) for name in ("one", "same", "other")
    )
    assert one == same != other
    assert (
        describe(partial(read, root="x")) == describe(partial(read, root="y", split=None)) == {"part": "made/reader@1"}
    )


def test_what_declares_nothing_is_refused():
    with pytest.raises(TypeError, match="Artifacts"):
        declared(Artifacts)
    for built_in in (torch.sum, os.getcwd, exit):
        with pytest.raises(TypeError, match="it is no class or function of Python: write one that calls it"):
            declared(built_in)


def test_every_part_of_the_configuration_declares_a_name_of_its_own():
    from hydra.utils import get_object

    paths = {
        path
        for file in CONF.rglob("*.yaml")
        for path in re.findall(r"(?:_target_|path): (al_bench[\w.]+)", file.read_text())
    }
    beside = ("al_bench.config.", "al_bench.tracking.")  # bounds on what others get, and a window
    names = [declared(get_object(path)).name for path in sorted(paths) if not path.startswith(beside)]
    assert len(names) == len(set(names)) > 80


CELL = ("dataset=mnist_two", "strategy=random", "scale=small")


def test_a_raised_revision_leaves_the_cell_unfinished(tmp_path, monkeypatch):
    cycles = [made_record(index=0, annotations=50)]
    identity = identify(compose(*CELL))
    cell = {"identity": identity, "cycles": [cycle.plain() for cycle in cycles]}
    (tmp_path / f"one-{hash_of(identity)}{SUFFIX}").write_bytes(pack(cell))
    assert finished_cell(tmp_path, identify(compose(*CELL)), Stopping(50))[1] == cycles
    before = run_id(*CELL)
    monkeypatch.setattr(Supervised, "__part__", Declared("learner/supervised", 2))
    assert run_id(*CELL) != before
    assert finished_cell(tmp_path, identify(compose(*CELL)), Stopping(50)) == (None, [])


def test_a_raised_revision_leaves_the_artifact_unfinished(tmp_path, monkeypatch):
    made = []

    def make(scratch):
        made.append(scratch)
        return {"weight": torch.ones(1)}, {}

    gan = WganGp(partial(Thing), partial(Thing), torch.optim.Adam, torch.optim.Adam, 8, 3, 2, 1, penalty_weight=10.0)
    for revision in (1, 1, 2, 2):
        monkeypatch.setattr(WganGp, "__part__", Declared("gan/wgan_gp", revision))
        Artifacts(tmp_path).get("gan", {"gan": describe(gan)}, make)
    assert len(made) == 2


def test_a_pipe_is_never_opened_for_what_it_says(tmp_path):
    """It would wait for a writer."""
    os.mkfifo(tmp_path / "pipe")
    assert _content(tmp_path / "pipe") == "unreadable"
