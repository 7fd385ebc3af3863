"""Trainings in a stack: the weights of single ones, but for rounding, and what cannot be in one."""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from al_bench import seeding
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.errors import UserError
from al_bench.learner.supervised import Supervised
from al_bench.network import Network
from al_bench.network.lenet import LeNet
from al_bench.network.linear import Linear
from al_bench.training import interruption, losses
from al_bench.training.cost import measure_cost
from al_bench.training.cut_mix import CutMix
from al_bench.training.pack import Member, in_pack, run_pack
from al_bench.training.schedule import LinearDecay
from al_bench.training.stacked import StackedFit

LEARNER = Supervised(
    network=Linear, epochs=30, batch_size=10, optimizer=partial(torch.optim.Adam, lr=0.01), stacked=True
)


def pool(seed: int, labeled: int = 25, num_classes: int = 2) -> Pool:
    """40 images of 8 x 8 pixels, whose classes a linear model can learn."""
    rng = seeding.generator(seed)
    images = torch.randint(256, (40, 1, 8, 8), generator=rng).to(torch.uint8)
    labels = images.flatten(1)[:, :num_classes].float().argmax(1)
    query = PoolQuery(torch.randperm(40, generator=rng)[:labeled])
    return Pool.unlabeled_from(images, num_classes).with_labels(query, labels[query.indices])


def together(*works: Callable[[], Any]) -> list[Any]:
    """What each gives as a cell of one pack, or the error that it ends with."""
    given: list[Any] = [None] * len(works)

    def keep(place: int) -> None:
        given[place] = works[place]()

    members = [Member(partial(keep, place)) for place in range(len(works))]
    run_pack(members)
    return [member.error or value for member, value in zip(members, given, strict=True)]


def fits(learner: Supervised, pools: Sequence[Pool]) -> list[Callable[[], Network]]:
    return [partial(learner.fit, each, None, seed) for seed, each in enumerate(pools)]


class Stacks:
    """Counts how many trainings each stack had."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        answer = StackedFit.answer

        def counted(first: StackedFit, others: Sequence[StackedFit]) -> None:
            self.sizes.append(1 + len(others))
            answer(first, others)

        monkeypatch.setattr(StackedFit, "answer", counted)


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch) -> Stacks:
    return Stacks(monkeypatch)


def moved_alike(model: Network, other: Network, start: Network) -> bool:
    """Whether each tensor went the same way, up to a hundred-thousandth of how far it went."""
    tensors = zip(*(network.state_dict().values() for network in (model, other, start)), strict=True)
    return all((one - two).norm() <= 1e-5 * (two - begun).norm() for one, two, begun in tensors)


@pytest.mark.parametrize(
    "learner",
    [
        LEARNER,
        replace(LEARNER, loss=losses.hinge),
        replace(LEARNER, optimizer=partial(torch.optim.SGD, lr=0.1, momentum=0.9), schedule=LinearDecay()),
        replace(LEARNER, match_steps=True, batch_size=7),
    ],
    ids=["adam", "hinge", "sgd with a schedule", "matched steps"],
)
@pytest.mark.parametrize("num_classes", [2, 3])
def test_a_stack_trains_each_as_alone(learner: Supervised, num_classes: int, stacks: Stacks) -> None:
    """25 labels in batches of 10 are two whole ones and a half, over 90 steps; the stack reads 50 at once."""
    pools = [pool(seed, num_classes=num_classes) for seed in range(4)]
    models = together(*fits(learner, pools))
    assert stacks.sizes == [4]
    for seed, (each, model) in enumerate(zip(pools, models, strict=True)):
        alone = learner.fit(each, None, seed)
        assert moved_alike(model, alone, learner.empty(each, seed))
        assert not model.training


def test_only_alike_trainings_are_stacked(stacks: Stacks) -> None:
    """Of three kinds: two of 25 labels, two of 30, one by the hinge loss, which is trained alone, bit for bit."""
    hinge = replace(LEARNER, loss=losses.hinge)
    pools = [pool(0), pool(1, 30), pool(2), pool(3, 30)]
    *_, other = together(*fits(LEARNER, pools), partial(hinge.fit, pool(4), None, 4))
    assert stacks.sizes == [2, 2]
    alone = hinge.fit(pool(4), None, 4)
    assert all(torch.equal(*pair) for pair in zip(other.parameters(), alone.parameters(), strict=True))


def summed_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(logits, labels, reduction="sum")


def behind(part: Callable[[], nn.Module], input_shape: Sequence[int], num_classes: int) -> Network:
    return Network(nn.Sequential(nn.Flatten(), part()), nn.Identity(), nn.Linear(64, num_classes))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"network": partial(behind, partial(nn.BatchNorm1d, 64))}, "its network has buffers, as of batch norm"),
        ({"network": LeNet}, "its network convolves, which gains on a GPU alone"),
        ({"precision": "bf16-mixed"}, "its precision is bf16-mixed"),
        ({"mixing": CutMix(0.5)}, "its images are augmented"),
        ({"loss": summed_cross_entropy}, "its loss is not known to be a mean over images"),
        (
            {"optimizer": partial(torch.optim.Adadelta, lr=0.1)},
            "its optimizer is not known to move each weight by itself",
        ),
    ],
)
def test_what_cannot_be_stacked_is_trained_alone_and_said(
    changed: dict[str, Any], reason: str, stacks: Stacks, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    learner = replace(LEARNER, epochs=1, **changed)
    models = together(*fits(learner, [pool(0), pool(1)]))
    assert stacks.sizes == []
    said = [record.message for record in caplog.records if record.name == "al_bench.training.pack"]
    assert said == 2 * [f"models are trained alone, for {reason}"]
    alone = learner.fit(pool(1), None, 1)
    assert all(torch.equal(*pair) for pair in zip(models[1].parameters(), alone.parameters(), strict=True))


def test_a_stack_lowers_the_loss_of_each() -> None:
    for seed, model in enumerate(together(*fits(LEARNER, [pool(0), pool(1)]))):
        inputs, labels = pool(seed).training_set()
        begun = LEARNER.empty(pool(seed), seed).eval()
        ours, first = (LEARNER.loss(each(inputs[:] / 255), labels).item() for each in (model, begun))
        assert ours < first / 2


def test_dropout_draws_for_each_model_and_alike_each_time(stacks: Stacks) -> None:
    """Two trainings that are the same part from each other; those of a second stack are the first's to the bit."""
    learner = replace(LEARNER, network=partial(behind, part=nn.Dropout))
    first, second = (together(*(partial(learner.fit, pool(0), None, 0) for _ in range(2))) for _ in range(2))
    assert stacks.sizes == [2, 2]
    weights = [torch.cat([each.detach().flatten() for each in model.parameters()]) for model in (*first, *second)]
    assert not torch.allclose(weights[0], weights[1])
    assert torch.equal(weights[0], weights[2]) and torch.equal(weights[1], weights[3])
    inputs, labels = pool(0).training_set()
    losses_of = [learner.loss(model.eval()(inputs[:] / 255), labels) for model in (first[0], learner.empty(pool(0), 0))]
    assert losses_of[0] < losses_of[1] / 2


def test_a_loss_that_is_not_finite_ends_its_own_cell(stacks: Stacks) -> None:
    """Features of the second are infinite, which alone would end it too."""
    pools = [Pool.unlabeled_from(torch.randn(20, 3), 2) for _ in range(3)]
    pools = [each.with_labels(PoolQuery(torch.arange(20)), torch.arange(20) % 2) for each in pools]
    pools[1].inputs[:] = torch.inf  # type: ignore[index]
    learner = replace(LEARNER, epochs=3)
    first, second, third = together(*fits(learner, pools))
    assert stacks.sizes == [3]
    assert isinstance(second, FloatingPointError) and "cross_entropy is" in str(second)
    for seed, model in ((0, first), (2, third)):
        assert moved_alike(model, learner.fit(pools[seed], None, seed), learner.empty(pools[seed], seed))


def test_a_cell_that_fails_leaves_the_others(stacks: Stacks) -> None:
    def fail() -> None:
        raise UserError("this one cannot be")

    *models, failed = together(*fits(LEARNER, [pool(0), pool(1)]), fail)
    assert isinstance(failed, UserError)
    assert stacks.sizes == [2] and all(isinstance(model, Linear) for model in models)


def test_a_stack_that_fails_leaves_each_to_itself(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(first: StackedFit, others: Sequence[StackedFit]) -> None:
        raise RuntimeError("no memory for all of them")

    monkeypatch.setattr(StackedFit, "answer", fail)
    models = together(*fits(LEARNER, [pool(0), pool(1)]))
    assert "2 cells fail together, so each goes on alone: no memory for all of them" in caplog.text
    alone = LEARNER.fit(pool(0), None, 0)
    assert all(torch.equal(*pair) for pair in zip(models[0].parameters(), alone.parameters(), strict=True))


def test_costs_are_the_cell_s_share(stacks: Stacks) -> None:
    def measured(seed: int) -> Any:
        with measure_cost() as cost:
            LEARNER.fit(pool(seed), None, seed)
        return cost

    with measure_cost() as whole:
        costs = together(*(partial(measured, seed) for seed in range(4)))
    assert [(cost.optimizer_steps, cost.images_seen) for cost in costs] == 4 * [(90, 750)]
    assert 0 < sum(cost.seconds for cost in costs) <= whole.seconds


@pytest.mark.parametrize("during", ["a turn", "a stack"])
def test_a_signal_stops_all_cells_where_they_wait(during: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a cell is amid is finished; at what it asks for next it ends."""
    finished = []

    def fit_twice(seed: int) -> None:
        LEARNER.fit(pool(seed), None, seed)
        if during == "a turn" and seed == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        finished.append(seed)
        LEARNER.fit(pool(seed), None, seed)
        finished.append(seed + 10)

    def interrupted(first: StackedFit, others: Sequence[StackedFit]) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    if during == "a stack":
        monkeypatch.setattr(StackedFit, "answer", interrupted)
    members = [Member(partial(fit_twice, seed)) for seed in range(2)]
    with interruption.signals_noted(), pytest.raises(interruption.Interrupted):
        run_pack(members)
    assert all(member.ended and isinstance(member.error, interruption.Interrupted) for member in members)
    assert finished == ([0] if during == "a turn" else [])


def test_one_cell_runs_at_a_time() -> None:
    """Each turn is by one thread, in the order of the cells, and outside of a pack there is nobody to ask."""
    seen: list[tuple[int, int]] = []

    def work(number: int) -> None:
        for turn in range(2):
            seen.append((turn, number))
            assert in_pack() and threading.current_thread() is not threading.main_thread()
            LEARNER.fit(pool(number), None, number)

    together(*(partial(work, number) for number in range(3)))
    assert seen == [(turn, number) for turn in range(2) for number in range(3)]
    assert not in_pack()
