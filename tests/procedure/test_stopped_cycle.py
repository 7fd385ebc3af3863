"""What a cycle that was stopped keeps of its training, and what of it can be gone on with."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from composing import compose

from al_bench.active.part import hash_of
from al_bench.config.identity import identify
from al_bench.evaluator.accuracy import Accuracy
from al_bench.storage.record import CycleRecord, without_sums
from al_bench.storage.store import RunStore
from al_bench.training import interruption
from al_bench.training.classification import Classification
from al_bench.training.fit import Fitter
from run import instantiated

FAST = ("gan=none", "learner.epochs=3", "loop.initial_size=20", "loop.query_size=15", "dataset.max_images=300")
STEPS = [3 * 2, 3 * 3, 3 * 3]  # of 20, 35 and 40 labels in batches of 16


def run(folder: Path, budget: int) -> list[CycleRecord]:
    """A cell's records without what clocks say."""
    config = compose(*FAST, f"loop.budget={budget}", f"paths.outputs={folder}", "device=cpu", "strategy=entropy")
    identity = identify(config)
    with RunStore(folder / hash_of(identity), identity, {}) as store:
        instantiated(config.procedure).run(store)
        return [without_sums(one).model_copy(update={"costs": {}, "commit": ""}) for one in store.cycle_records]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """Every training step, of which a test may say what happens in it; every training is a long one."""
    monkeypatch.setitem(Fitter.fit.__kwdefaults__, "checkpoint_seconds", 0.0)
    happens: list[Callable[[], None]] = []
    step = Classification.step

    def counted(self: Classification, *arguments: Any) -> Any:
        for one in happens:
            one()
        return step(self, *arguments)

    monkeypatch.setattr(Classification, "step", counted)
    return happens


def stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_cycle_that_is_stopped_while_it_is_measured_is_not_trained_again(
    tmp_path: Path, steps: list[Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    uncut = run(tmp_path / "uncut", budget=35)
    evaluate, looks, counted = Accuracy.evaluate, list[int](), list[int]()
    steps.append(lambda: counted.append(1))

    def stopped_once(self: Accuracy, *arguments: Any) -> Any:
        looks.append(1)
        if len(looks) == 2:
            stop()
        return evaluate(self, *arguments)

    monkeypatch.setattr(Accuracy, "evaluate", stopped_once)
    with interruption.signals_handled(), pytest.raises(interruption.Interrupted):
        run(tmp_path / "cut", budget=35)
    assert len(counted) == sum(STEPS[:2]) and list(tmp_path.glob("cut/*/scratch/001-*/classifier.finished"))
    assert run(tmp_path / "cut", budget=35) == uncut
    assert len(counted) == sum(STEPS[:2]) and len(looks) == 3
    assert not list(tmp_path.glob("cut/*/scratch")), "what is stored is kept no longer"


def test_a_training_on_a_query_that_was_cut_is_not_gone_on_with_for_the_whole_one(
    tmp_path: Path, steps: list[Callable[[], None]]
) -> None:
    """A smaller budget asks for 5 images in the last cycle, and is stopped in its training."""
    uncut = run(tmp_path / "uncut", budget=50)
    counted: list[int] = []
    steps.append(lambda: stop() if len(counted) == sum(STEPS[:2]) + 4 else counted.append(1))
    with interruption.signals_handled(), pytest.raises(interruption.Interrupted):
        run(tmp_path / "raised", budget=40)
    steps.clear()
    assert run(tmp_path / "raised", budget=50) == uncut
