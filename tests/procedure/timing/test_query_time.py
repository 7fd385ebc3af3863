"""procedure=query_time: methods whose seconds are known, a whole run at toy size, what a kill loses."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from composing import part
from procedure.worlds import SIDE, Brightness, dataset, store

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery, Query
from al_bench.errors import UserError
from al_bench.learner import Learner
from al_bench.network import Network
from al_bench.procedure.timing.query_time import Line, QueryTime
from al_bench.strategy import Strategy
from al_bench.training.observation import Observer

SMOKE = ("procedure=query_time", "dataset=digits", "scale=smoke", "strategy.mixture=0.5")


def test_every_pass_of_dropout_is_timed_whole() -> None:
    """As in the code whose time Tab. 1 has; a run's query computes what is equal once."""
    assert part("procedure", *SMOKE).lines["mc_entropy"].strategy.whole_passes
    assert not part("strategy", "dataset=digits", "strategy=mc_entropy").whole_passes


@dataclass
class Clock:
    """Stands still but for what the strategies of a test take."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(time, "perf_counter", made)
    return made


class Taking(Strategy):
    """Takes the next of some numbers of seconds for every query of more than one image, and notes its name."""

    needs: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, clock: Clock, name: str, seconds: list[float], asked: list[str]) -> None:
        self.clock, self.name, self.asked = clock, name, asked
        self.seconds: Iterator[float] = iter(seconds)

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> Query:
        assert isinstance(model, Brightness)
        assert pool.inputs.shape[1:] == (1, SIDE, SIDE)
        if size > 1:
            self.clock.now += next(self.seconds)
            self.asked.append(f"{self.name} {model.scale:g}")
        return PoolQuery(pool.unlabeled[:size])


class Demanding(Taking):
    needs: ClassVar[frozenset[str]] = frozenset({"critic"})


@dataclass(frozen=True)
class Fixed(Learner):
    """Gives a model of this scale; learners of one scale are alike."""

    scale: float
    trained: ClassVar[list[tuple[float, list[int]]]] = []

    def empty(self, pool: Pool, seed: int) -> Network:
        return Brightness(self.scale)

    def fit(
        self,
        pool: Pool,
        previous: Network | None,
        seed: int,
        scratch: Path | None = None,
        observe: Observer | None = None,
    ) -> Network:
        self.trained.append((self.scale, pool.labeled.tolist()))
        return self.empty(pool, seed).eval()


def made(folder: Path, lines: dict[str, Line], **changed: Any) -> QueryTime:
    settings: dict[str, Any] = {
        "unit": "own", "initial": "random", "every_class": False, "initial_size": 10, "query_size": 20, "repeats": 3,
        "artifacts": str(folder), "device": "cpu", "seed": 0,
    }  # fmt: skip
    return QueryTime(dataset(), lines, **(settings | changed))


@pytest.fixture
def asked() -> list[str]:
    Fixed.trained.clear()
    return []


def test_medians_in_turn_as_multiples_of_the_unit(tmp_path: Path, clock: Clock, asked: list[str]) -> None:
    lines = {
        "slow": Line(Taking(clock, "slow", [90.0, 8.0, 7.0], asked), Fixed(1.0)),
        "quick": Line(Taking(clock, "quick", [1.0, 1.0, 30.0], asked), Fixed(1.0)),
        "own": Line(Taking(clock, "own", [2.0, 1.0, 5.0], asked), Fixed(2.0)),
    }
    with store(tmp_path) as opened:
        made(tmp_path, lines).run(opened)
        (record,) = opened.records
    assert record.metrics == {"slow_ratio": 4.0, "quick_ratio": 0.5, "own_ratio": 1.0}
    assert asked == ["slow 1", "quick 1", "own 2"] * 3
    assert [scale for scale, _ in Fixed.trained] == [1.0, 2.0], "learners that are alike train once"
    assert Fixed.trained[0][1] == Fixed.trained[1][1], "on the same labels"
    assert record.tables["query_time"]["rows"] == [
        ["slow", 4.0, 8.0, 7.0, 90.0, "measured"],
        ["quick", 0.5, 1.0, 1.0, 30.0, "measured"],
        ["own", 1.0, 2.0, 1.0, 5.0, "measured"],
    ]
    assert record.finished == (
        "20 of 110 images are chosen, in times of the 2 s that own takes, by quick 0.5, own 1, slow 4"
    )


def test_a_line_that_does_not_fit_is_said_and_the_unit_must(tmp_path: Path, clock: Clock, asked: list[str]) -> None:
    lines = {
        "picky": Line(Demanding(clock, "picky", [], asked), Fixed(1.0)),
        "own": Line(Taking(clock, "own", [1.0], asked), Fixed(1.0)),
    }
    with store(tmp_path) as opened:
        with pytest.raises(UserError, match="unit=picky cannot be measured: Brightness has no critic"):
            made(tmp_path, lines, unit="picky").run(opened)
        assert Fixed.trained == []
        made(tmp_path, lines, repeats=1).run(opened)
        (record,) = opened.records
    assert record.metrics == {"own_ratio": 1.0}
    assert record.tables["query_time"]["rows"][0] == [
        "picky", None, None, None, None, "not measured: Brightness has no critic, which Demanding needs"
    ]  # fmt: skip


def test_a_kill_loses_neither_a_model_nor_a_number(tmp_path: Path, clock: Clock, asked: list[str]) -> None:
    def lines(seconds: list[float]) -> dict[str, Line]:
        return {name: Line(Taking(clock, name, seconds, asked), Fixed(2.0)) for name in ("own", "other")}

    with store(tmp_path) as opened, pytest.raises(StopIteration):  # the second number is missing
        made(tmp_path, lines([2.0])).run(opened)
    assert asked == ["own 2", "other 2"]
    with store(tmp_path) as opened:
        made(tmp_path, lines([4.0, 6.0])).run(opened)
        (record,) = opened.records
    assert len(Fixed.trained) == 1
    assert len(asked) == 2 + 4
    assert [row[2:5] for row in record.tables["query_time"]["rows"]] == [[4.0, 2.0, 6.0]] * 2
    assert not (tmp_path / "run" / "scratch").exists()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"unit": "waal"}, "procedure.unit=waal is no line: use one of own"),
        ({"query_size": 110}, "procedure.query_size=110 has to be less than the 110 images"),
    ],
)
def test_what_cannot_be_timed_is_refused(
    tmp_path: Path, clock: Clock, asked: list[str], changed: dict[str, Any], sentence: str
) -> None:
    lines = {"own": Line(Taking(clock, "own", [], asked), Fixed(1.0))}
    with pytest.raises(UserError, match=sentence), store(tmp_path) as opened:
        made(tmp_path, lines, **changed).run(opened)
    assert Fixed.trained == []


@pytest.mark.slow
def test_every_method_of_table_1_is_timed(tmp_path: Path) -> None:
    procedure = part("procedure", *SMOKE, "procedure.repeats=1", f"paths.outputs={tmp_path}")
    with store(tmp_path) as opened:
        procedure.run(opened)
        (record,) = opened.records
    rows = {row[0]: row for row in record.tables["query_time"]["rows"]}
    names = [
        "random",
        "least_confidence",
        "margin",
        "entropy",
        "k_median",
        "kmeans",
        "mc_entropy",
        "coreset",
        "deepfool",
        "waal",
    ]
    assert list(rows) == names
    assert {row[5] for row in rows.values()} == {"measured"}
    assert record.metrics["deepfool_ratio"] > record.metrics["mc_entropy_ratio"] > 1
    assert record.finished.startswith("10 of 180 images are chosen, in times of the ")


def test_its_first_labels_are_those_of_a_run() -> None:
    procedure, loop = part("procedure", *SMOKE), part("procedure", *SMOKE[1:3], "strategy=entropy")
    assert torch.equal(procedure.label_first(procedure.dataset).labeled, loop.first_query(loop.dataset).indices)
