"""A hyperplane that is known: what boundary points, labels and both teach of it."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from composing import part
from torch import Tensor

from al_bench import seeding
from al_bench.active.pool import UNKNOWN, Pool
from al_bench.active.query import PoolQuery, SyntheticQuery
from al_bench.errors import UserError
from al_bench.learner.boundary import Boundary, Joint, Plateau, material, pad_shorter
from al_bench.network.hyperplane import chords, feet, hyperplane
from al_bench.network.linear import Linear
from al_bench.network.small_cnn import SmallCnn
from al_bench.training import checkpoint, interruption

SIZE = 6
NORMAL = torch.tensor([1.0, -2.0, 0.5, 0.0, 1.5, -1.0])
OFFSET = torch.tensor(0.8)


def learner(**changes: Any) -> Boundary:
    settings: dict[str, Any] = {
        "epochs": 300, "optimizer": partial(torch.optim.Adam, lr=0.02), "loss": "boundary", "hinge_weight": 0.5,
        "boundary_weight": 0.5, "l2": 0.01, "cut": 0.2, "cut_patience": 300, "stop_patience": 300,
    }  # fmt: skip
    return Boundary(network=Linear, **settings | changes)


def sides(points: Tensor) -> Tensor:
    return (points @ NORMAL + OFFSET > 0).long()


def drawn(count: int, seed: int = 0) -> Tensor:
    return torch.randn(count, SIZE, generator=seeding.generator(seed))


def lines(count: int, views: int = 41, tilt: float = 1.0) -> Tensor:
    """(count, views, D) across the true boundary, but along another normal than the true one."""
    along = NORMAL + tilt * drawn(1, seed=7)[0]
    return chords(feet(drawn(count, seed=1), along, OFFSET), along, torch.zeros(SIZE), torch.tensor(6.0), views)


def pool_of(num_labeled: int, asked: Tensor, seed: int = 0) -> Pool:
    pool = Pool.unlabeled_from(drawn(500, seed), 2)
    indices = torch.arange(num_labeled)
    pool = pool.with_labels(PoolQuery(indices), sides(pool.inputs[indices]))
    return pool.with_labels(SyntheticQuery(asked), sides(asked.flatten(0, 1)).unflatten(0, asked.shape[:2]))


def agreement(made: Boundary, pool: Pool) -> tuple[float, float]:
    """Cosine of both normals; difference of the offsets in units of the normals."""
    normal, offset = (value.detach() for value in hyperplane(made.fit(pool, None, seed=0), SIZE))
    cosine = torch.cosine_similarity(normal, NORMAL, dim=0)
    return float(cosine), float(offset / normal.norm() - OFFSET / NORMAL.norm())


def test_boundary_points_find_the_hyperplane_that_two_labels_only_orient() -> None:
    two = torch.stack([drawn(500)[sides(drawn(500)) == k][0] for k in (0, 1)])
    pool = Pool.unlabeled_from(two, 2).with_labels(PoolQuery(torch.arange(2)), torch.tensor([0, 1]))
    asked = lines(60)
    pool = pool.with_labels(SyntheticQuery(asked), sides(asked.flatten(0, 1)).unflatten(0, (60, 41)))
    cosine, shift = agreement(learner(epochs=500), pool)
    assert cosine > 0.99
    assert abs(shift) < 0.1
    alone, _ = agreement(learner(), Pool.unlabeled_from(two, 2).with_labels(PoolQuery(torch.arange(2)), sides(two)))
    assert alone < 0.9, "two labels alone do not"


def test_labeled_lines_find_it_too() -> None:
    cosine, shift = agreement(learner(loss="labels"), pool_of(10, lines(60)))
    assert cosine > 0.97
    assert abs(shift) < 0.2


def test_a_line_teaches_its_flip_or_its_labels_and_nothing_that_nobody_could_tell() -> None:
    points = torch.arange(5.0)[None, :, None] + torch.tensor([0.0, 10.0, 20.0, 30.0])[:, None, None]
    answers = torch.tensor(
        [[0, 0, 1, 1, 1], [1, UNKNOWN, UNKNOWN, 0, 0], [1, UNKNOWN, 1, 1, 1], [UNKNOWN] * 5], dtype=torch.int64
    )
    pool = Pool.unlabeled_from(torch.full((3, 1), 100.0), 2)
    pool = pool.with_labels(PoolQuery(torch.tensor([0, 1])), torch.tensor([0, UNKNOWN]))
    pool = pool.with_labels(SyntheticQuery(points), answers)
    inputs, labels, flips = material(pool, "boundary")
    assert flips.flatten().tolist() == [1.5, 11.5]
    assert inputs.flatten().tolist() == [100, 20, 22, 23, 24]
    assert labels.tolist() == [0, 1, 1, 1, 1]
    inputs, labels, flips = material(pool, "labels")
    assert len(flips) == 0
    assert len(inputs) == len(labels) == 1 + 5 + 3 + 4


def test_the_objective_by_hand() -> None:
    """s(x) = 2 x + 1: hinge 0.5 at x = -0.25 of class 1, s^2 = 9 at x = 1, |w|^2 = 4."""
    network = Linear((1,), 2)
    network.head[0].weight.data, network.head[0].bias.data = torch.tensor([[2.0]]), torch.tensor([1.0])
    module = Joint(network, learner(hinge_weight=3.0, boundary_weight=0.5, l2=0.25))
    hinge, points = torch.tensor(0.5), torch.tensor([[1.0]])
    assert module.joint(hinge, points).item() == pytest.approx(3 * 0.5 + 0.5 * 9 + 0.25 * 4)
    module.plateau.stop_patience = 0  # looks, and moves nothing
    batch = (torch.tensor([[-0.25]]), torch.tensor([1]), points)
    found = module.step(batch, [])
    assert found["hinge"].item() == pytest.approx(0.5)
    assert found["loss"].item() == pytest.approx(3 * 0.5 + 0.5 * 9 + 0.25 * 4)
    assert module.step((*batch[:2], points[:0]), [])["loss"].item() == pytest.approx(0.5), "the hinge loss alone"


def test_without_points_the_l2_is_there_where_asked_for() -> None:
    network = Linear((1,), 2)
    network.head[0].weight.data, network.head[0].bias.data = torch.tensor([[2.0]]), torch.tensor([1.0])
    module = Joint(network, learner(hinge_weight=3.0, l2=0.25, without_points="joint", stop_patience=0))
    batch = (torch.tensor([[-0.25]]), torch.tensor([1]), torch.zeros(0, 1))
    assert module.step(batch, [])["loss"].item() == pytest.approx(3 * 0.5 + 0.25 * 4)
    with pytest.raises(UserError, match=r"^learner\.without_points=l2 is not known: use hinge or joint$"):
        learner(without_points="l2")


def test_the_shorter_set_is_padded_by_the_mean_point_or_by_going_round() -> None:
    inputs, labels = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([0, 1, 1])
    longer = pad_shorter(inputs, labels, torch.tensor([[4.0], [8.0]]))
    assert longer[0] is inputs and longer[2].flatten().tolist() == [4, 8, 6]
    more = pad_shorter(inputs, labels, torch.arange(5.0)[:, None])
    assert more[0].flatten().tolist() == [1, 2, 3, 1, 2] and more[1].tolist() == [0, 1, 1, 0, 1]
    for points in (inputs[:0], inputs):
        assert all(map(torch.equal, pad_shorter(inputs, labels, points), (inputs, labels, points)))
    assert [len(rows) for rows in pad_shorter(inputs[:0], labels[:0], inputs)] == [0, 0, 3]


def test_a_training_on_padded_sets_is_another_and_the_same_where_they_are_of_one_length() -> None:
    for count, alike in ((10, False), (60, True)):
        plain, padded = (
            hyperplane(learner(epochs=20, pad=pad).fit(pool_of(count, lines(60)), None, seed=0), SIZE)[0]
            for pad in (False, True)
        )
        assert torch.equal(plain, padded) == alike


def test_a_plateau_cuts_the_rate_and_then_ends() -> None:
    plateau = Plateau(0.2, cut_patience=2, stop_patience=5)
    rates = []
    for loss in (3.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.5, 1.0, 1.0):
        assert not plateau.stopped
        plateau.see(loss)
        rates.append(round(float(plateau.factor), 4))
    assert rates == [1, 1, 1, 0.2, 0.2, 0.2, 0.04, 0.04, 0.008, 0.008]
    assert plateau.stopped


def test_a_run_of_equal_losses_stops_updating(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(Joint, "update", lambda self, optimizer, loss: seen.append(float(loss.detach())))
    learner(epochs=50, cut_patience=3, stop_patience=10).fit(pool_of(10, lines(3)), None, seed=0)
    assert len(seen) == 11, "nothing moves, so the first loss stays the lowest, and ten more follow"


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the plateau counted is part of the checkpoint."""
    made = learner(epochs=60, cut_patience=3, optimizer=partial(torch.optim.Adam, lr=0.5))
    pool = pool_of(10, lines(5))
    whole = made.fit(pool, None, seed=0).state_dict()
    save, pending = checkpoint.Checkpoint.save, []

    def saved(self: checkpoint.Checkpoint, step: int, *rest: Any) -> None:
        save(self, step, *rest)
        if step == 40:
            pending.append(True)

    monkeypatch.setattr(checkpoint.Checkpoint, "due", lambda self: True)
    monkeypatch.setattr(checkpoint.Checkpoint, "save", saved)
    monkeypatch.setattr(interruption, "pending", lambda: bool(pending))
    monkeypatch.setattr("al_bench.training.fit.add_cost", lambda *account: None)
    monkeypatch.setattr(checkpoint.Checkpoint, "remove", lambda self: None)
    made.fit(pool, None, 0, tmp_path)
    pending.clear()
    resumed = made.fit(pool, None, 0, tmp_path).state_dict()
    assert len(list(tmp_path.iterdir())) == 1
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


@pytest.mark.parametrize(
    ("pool", "made", "sentence"),
    [
        (Pool.unlabeled_from(torch.zeros(0, 4), 10), learner(), "this data set has 10: use one of two classes"),
        (Pool.unlabeled_from(torch.zeros(0, 1, 4, 4), 2, (4, 4)), learner(), "2 on label maps: use one of two classes"),
        (
            Pool.unlabeled_from(torch.zeros(0, 1, 4, 4), 2),
            replace(learner(), network=partial(SmallCnn, channels=[2], hidden=2, dropout=0.5)),
            "which network=small_cnn is not: use network=linear",
        ),
    ],
)
def test_refuses_what_has_no_single_hyperplane(pool: Pool, made: Boundary, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        made.empty(pool, seed=0)


def test_refuses_a_loss_that_it_does_not_know() -> None:
    with pytest.raises(UserError, match="use boundary or labels"):
        learner(loss="hinge")


def test_its_file_has_the_settings_of_the_authors_code() -> None:
    made: Boundary = part("learner", "dataset=mnist_two", "strategy=adba")
    assert (made.hinge_weight, made.boundary_weight, made.l2) == (0.5, 0.5, 1.0)
    assert (made.epochs, made.cut, made.cut_patience, made.stop_patience) == (100, 0.2, 3, 10)
    assert made.optimizer([torch.zeros(1)]).param_groups[0]["lr"] == 0.005
