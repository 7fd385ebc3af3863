"""A training of two phases that is killed in the second does not make the first again."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from toy_training import CPU, Toy, assert_equal, batches

from al_bench.training import interruption
from al_bench.training.callback import Callback
from al_bench.training.cost import Cost, measure_cost
from al_bench.training.fit import Fitter
from al_bench.training.loss_record import Trace

STEPS = len(batches())


class Halfway(Callback):
    """Ends after 20 steps, and leaves the weights that it kept after 10."""

    def __init__(self, module: Toy) -> None:
        self.module, self.kept = module, dict[str, torch.Tensor]()

    def ends(self, steps_done: int) -> bool:
        if steps_done == 10:
            self.kept = {name: tensor.clone() for name, tensor in self.module.state_dict().items()}
        return steps_done == 20

    def finish(self) -> None:
        self.module.load_state_dict(self.kept)

    def state(self) -> dict[str, Any]:
        return {"kept": self.kept}

    def load(self, state: Mapping[str, Any]) -> None:
        self.kept = dict(state["kept"])


class Dies(Toy):  # type: ignore[misc]  # tests of toys are not typed
    """Ends without a checkpoint of its own, as if killed."""

    def step(self, batch: Any, optimizers: Any) -> Any:
        if self.calls == 5:
            raise RuntimeError("killed")
        return super().step(batch, optimizers)


class Phases:
    """Two trainings, the second of which begins with the weights of the first."""

    def __init__(self, second: Callable[[], Toy] = Toy, trainer: Any = None, early: bool = False) -> None:
        self.first, self.second, self.trainer, self.early = Toy(), second(), trainer, early

    def fit(self, scratch: Path | None) -> tuple[Trace, Trace, Cost]:
        callback = Halfway(self.first) if self.early else None
        fitter = Fitter(CPU, trainer=self.trainer)
        with measure_cost() as cost:
            first = fitter.fit(self.first, batches(), seed=2, name="one", scratch=scratch, callback=callback, keep=True)
            self.second.load_state_dict(self.first.state_dict())
            rest = Fitter(CPU).fit(self.second, batches(), seed=4, name="two", scratch=scratch)
        return first, rest, cost


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("trainer", [None, pl.Trainer])
def test_killed_in_the_second_phase_the_first_is_not_trained_again(tmp_path: Path, trainer: Any, early: bool) -> None:
    uncut = Phases(trainer=trainer, early=early)
    *traces, cost = uncut.fit(None)
    with pytest.raises(RuntimeError, match="killed"):
        Phases(Dies, trainer, early).fit(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["one.finished"]
    resumed = Phases(trainer=trainer, early=early)
    before = torch.get_rng_state()
    *others, again = resumed.fit(tmp_path)
    assert resumed.first.calls == 0 and resumed.second.calls == STEPS
    assert torch.equal(torch.get_rng_state(), before), "the global generator is put back"
    assert_equal(uncut.first, resumed.first)
    assert_equal(uncut.second, resumed.second)
    assert others == traces
    done = (20 if early else STEPS) + STEPS
    assert again.optimizer_steps == cost.optimizer_steps == 2 * done
    assert again.images_seen == cost.images_seen
    assert not resumed.first.training
    assert [path.name for path in tmp_path.iterdir()] == ["one.finished"], "until the whole is stored"


def test_a_signal_in_the_second_phase_keeps_both(tmp_path: Path) -> None:
    uncut = Phases()
    uncut.fit(None)
    with interruption.signals_handled(), pytest.raises(interruption.Interrupted):
        Phases(lambda: Toy(signal_at=20)).fit(tmp_path)
    resumed = Phases()
    resumed.fit(tmp_path)
    assert (resumed.first.calls, resumed.second.calls) == (0, STEPS - 20)
    assert_equal(uncut.second, resumed.second)


def test_a_signal_in_the_first_phase_goes_on_there(tmp_path: Path) -> None:
    uncut, cut, resumed = Phases(), Phases(), Phases()
    uncut.fit(None)
    cut.first.signal_at = 20
    with interruption.signals_handled(), pytest.raises(interruption.Interrupted):
        cut.fit(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["one.ckpt"]
    resumed.fit(tmp_path)
    assert resumed.first.calls == STEPS - 20
    assert_equal(uncut.second, resumed.second)


def test_a_training_of_another_seed_in_the_same_folder_is_another(tmp_path: Path) -> None:
    """As of a learner that trains several times over: neither what was finished nor what was stopped is taken up."""
    options: dict[str, Any] = {"name": "toy", "scratch": tmp_path}
    Fitter(CPU).fit(Toy(), batches(), seed=2, **options, keep=True)
    with interruption.signals_handled(), pytest.raises(interruption.Interrupted):
        Fitter(CPU).fit(Toy(signal_at=20), batches(), seed=3, **options)
    assert {path.name for path in tmp_path.iterdir()} == {"toy.ckpt", "toy.finished"}
    other, alone = Toy(), Toy()
    Fitter(CPU).fit(other, batches(), seed=4, **options)
    Fitter(CPU).fit(alone, batches(), seed=4, name="toy")
    assert other.calls == STEPS
    assert_equal(alone, other)


def test_seconds_of_the_kept_phase_are_in_the_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    monkeypatch.setattr(Toy, "set_rates", lambda *arguments: now.append(now.pop() + 1))  # a second a step
    with pytest.raises(RuntimeError, match="killed"):
        Phases(Dies).fit(tmp_path)
    now[0] = 1_000.0
    *_, cost = Phases().fit(tmp_path)
    assert cost.seconds == 2 * STEPS


def test_a_bad_kept_phase_is_set_aside_and_trained_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    uncut, resumed = Phases(), Phases()
    uncut.fit(None)
    with pytest.raises(RuntimeError, match="killed"):
        Phases(Dies).fit(tmp_path)
    path = tmp_path / "one.finished"
    path.write_bytes(path.read_bytes()[:-9])
    resumed.fit(tmp_path)
    assert resumed.first.calls == STEPS
    assert "one.finished is corrupted" in caplog.text
    assert_equal(uncut.second, resumed.second)
