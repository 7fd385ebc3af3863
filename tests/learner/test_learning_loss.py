"""Half of the inputs have labels that nobody could guess: their loss stays high, and the head can see which."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from al_bench import seeding
from al_bench.active.inputs import read_all
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.errors import UserError
from al_bench.learner.learning_loss import LearningLoss, LossPredicting, Ranked
from al_bench.network import Network
from al_bench.training import losses

COUNT = 200


class Small(Network):
    """Eight features, four embeddings behind a dropout."""

    def __init__(self, input_shape: tuple[int, ...], num_classes: int) -> None:
        backbone = nn.Sequential(nn.Linear(3, 8), nn.Tanh())
        neck = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Dropout(0.5))
        super().__init__(backbone, neck, nn.Linear(4, num_classes))


def learner(**changes: Any) -> LearningLoss:
    settings: dict[str, Any] = {
        "epochs": 20, "batch_size": 20, "optimizer": partial(torch.optim.Adam, lr=0.01), "weight": 1.0, "margin": 1.0,
        "detach_at": 0.6, "width": 16,
    }  # fmt: skip
    return LearningLoss(network=Small, **settings | changes)


def made_pool() -> Pool:
    """The first dimension tells the class; where the second is positive, a coin does."""
    rng = seeding.generator(0)
    inputs = torch.randn(COUNT, 3, generator=rng)
    labels = (inputs[:, 0] > 0).long()
    hard = inputs[:, 1] > 0
    labels[hard] = torch.randint(2, (int(hard.sum()),), generator=rng)
    return Pool.unlabeled_from(inputs, 2).with_labels(PoolQuery(torch.arange(COUNT)), labels)


def batch() -> tuple[Tensor, Tensor]:
    inputs, labels = made_pool().training_set()
    return read_all(inputs), labels


def gradients(detached: bool, weight: float) -> dict[str, Tensor]:
    """Of one step from the same weights, by parameter; without dropout."""
    model = learner().empty(made_pool(), seed=0)
    assert isinstance(model, LossPredicting)
    module = Ranked(model, learner(weight=weight)).eval()
    module.detached = detached
    module.update = lambda optimizer, loss: loss.backward()  # type: ignore[method-assign]
    module.step(batch(), [None])  # type: ignore[list-item]
    return {name: value.grad for name, value in model.named_parameters() if value.grad is not None}


def test_it_learns_where_the_classifier_is_wrong() -> None:
    pool = made_pool()
    model = learner(epochs=30).fit(pool, None, seed=0)
    assert isinstance(model, LossPredicting)
    view, labels = pool.training_set()
    inputs = read_all(view)
    with torch.no_grad():
        predicted = model.predicted_loss(inputs)
        true = losses.cross_entropy_each(model(inputs), labels)
    hard = inputs[:, 1] > 0
    assert float((predicted[hard][:, None] > predicted[~hard]).double().mean()) > 0.9, "nearly every pair is ordered"
    assert float(true[hard].mean()) > 2 * float(true[~hard].mean())


def test_a_detached_head_leaves_the_network_to_its_own_loss() -> None:
    alone, detached, joined = gradients(True, 0.0), gradients(True, 5.0), gradients(False, 5.0)
    own = [name for name in alone if name.startswith("network.")]
    assert own
    for name in own:
        assert torch.allclose(alone[name], detached[name], atol=1e-7)
    assert not torch.allclose(alone["network.backbone.0.weight"], joined["network.backbone.0.weight"], atol=1e-3)
    assert any(float(detached[name].abs().sum()) > 0 for name in detached if name.startswith("readers"))


def test_losses_take_no_gradient_from_their_own_prediction() -> None:
    """The classifier's last layer is behind the head's inputs, so the ranking does not reach it at all."""
    alone, joined = gradients(False, 0.0), gradients(False, 5.0)
    assert torch.allclose(alone["network.head.weight"], joined["network.head.weight"], atol=1e-7)


def test_the_ranking_counts_by_its_weight() -> None:
    """Gradients are linear in lambda: of the network's own loss alone at 0, and of the ranking alone in the head."""
    none, once, thrice = (gradients(False, weight) for weight in (0.0, 1.0, 3.0))
    assert all(float(none[name].abs().sum()) == 0 for name in none if not name.startswith("network."))
    for name, alone in none.items():
        assert torch.allclose(thrice[name] - alone, 3 * (once[name] - alone), atol=1e-6)
    assert float((once["network.backbone.0.weight"] - none["network.backbone.0.weight"]).abs().max()) > 1e-3


@pytest.mark.parametrize(("fraction", "detached"), [(0.0, False), (0.59, False), (0.6, True), (0.99, True)])
def test_it_detaches_after_a_fraction_of_the_training(fraction: float, detached: bool) -> None:
    model = learner().empty(made_pool(), seed=0)
    assert isinstance(model, LossPredicting)
    module = Ranked(model, learner())
    module.set_rates(fraction, [])
    assert module.detached == detached


def test_one_pass_gives_both_answers_so_they_share_its_dropout() -> None:
    model = learner().empty(made_pool(), seed=0).train()
    assert isinstance(model, LossPredicting)
    seen: list[Tensor] = []
    model.network.neck.register_forward_hook(lambda _, __, output: seen.append(output))
    logits, _ = model.both(batch()[0], detached=False)
    assert len(seen) == 1
    assert torch.equal(logits, model.network.head(seen[0]))


def test_it_reads_features_and_embedding() -> None:
    model = learner(width=5).empty(made_pool(), seed=0)
    assert isinstance(model, LossPredicting)
    assert [reader[0].in_features for reader in model.readers] == [8, 4]  # type: ignore[index]
    assert model.joined.in_features == 10


def test_refuses_batches_without_pairs() -> None:
    with pytest.raises(UserError, match=r"learner\.batch_size=1 "):
        learner(batch_size=1)


def test_of_label_maps_it_minimises_what_other_learners_do() -> None:
    """The mean over pixels; that of images' means took a map of which all is ignored for a perfect answer."""
    logits, maps = torch.zeros(2, 3, 4, 4), torch.full((2, 4, 4), losses.IGNORED, dtype=torch.uint8)
    maps[0, 0, 0] = 1

    class Both(torch.nn.Module):
        def both(self, inputs: Tensor, detached: bool) -> tuple[Tensor, Tensor]:
            return logits, torch.zeros(2)

    ranked = Ranked(Both(), learner())  # type: ignore[arg-type]
    ranked.update = lambda optimizer, loss: None  # type: ignore[method-assign, assignment]
    found = ranked.step((torch.zeros(2, 1), maps), [None])["cross_entropy"]  # type: ignore[list-item]
    assert float(found) == pytest.approx(float(losses.cross_entropy(logits, maps)))
