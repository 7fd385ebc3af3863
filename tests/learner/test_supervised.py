from collections.abc import Callable
from functools import partial

import pytest
import torch
from composing import part
from torch import Tensor

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.learner.supervised import Supervised
from al_bench.network import Network
from al_bench.network.linear import Linear
from al_bench.training import losses


def trained(loss: Callable[[Tensor, Tensor], Tensor]) -> tuple[Network, Tensor]:
    """A linear model of two points on a line, at -1 and 1, one of each class; and the points."""
    points = torch.tensor([[-1.0], [1.0]])
    pool = Pool.unlabeled_from(points, 2).with_labels(PoolQuery(torch.arange(2)), torch.tensor([0, 1]))
    sgd = partial(torch.optim.SGD, lr=0.2)
    learner = Supervised(network=Linear, epochs=400, batch_size=2, optimizer=sgd, loss=loss)
    return learner.fit(pool, None, seed=0), points


def margins(model: Network, points: Tensor) -> list[float]:
    """y s of each point, with s = l_1 - l_0."""
    logits = model(points).detach()
    signed: Tensor = (logits[:, 1] - logits[:, 0]) * torch.tensor([-1.0, 1.0])
    return signed.tolist()


def test_hinge_stops_at_its_margin_where_cross_entropy_goes_on() -> None:
    assert all(1 <= margin < 1.2 for margin in margins(*trained(losses.hinge)))
    assert min(margins(*trained(losses.cross_entropy))) > 2


@pytest.mark.parametrize(("learner", "loss"), [("supervised", losses.cross_entropy), ("hinge", losses.hinge)])
def test_minimises_the_loss_of_its_file(learner: str, loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    made: Supervised = part("learner", "dataset=digits", "strategy=random", f"learner={learner}")
    assert made.loss is loss
    assert (made.epochs, made.batch_size) == (40, 16)
