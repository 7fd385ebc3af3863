import torch
from torch import Tensor, nn

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network
from al_bench.seeding import generator
from al_bench.strategy.learning_loss import LearningLoss


class Predicting(Network):
    """Predicts the first pixel."""

    def __init__(self) -> None:
        super().__init__(nn.Flatten(), nn.Identity(), nn.Linear(4, 2))

    def predicted_loss(self, inputs: Tensor) -> Tensor:
        return inputs[:, 0, 0, 0]


def test_asks_for_the_highest_predicted_loss_first() -> None:
    """A sign error would ask for 0 and 3; 1 is labeled."""
    pixels = torch.tensor([10, 250, 90, 20, 200, 80], dtype=torch.uint8)
    pool = Pool.unlabeled_from(pixels[:, None, None, None].expand(6, 1, 2, 2).clone(), 2)
    pool = pool.with_labels(PoolQuery(torch.tensor([1])), torch.tensor([0]))
    query = LearningLoss().query(Predicting(), pool, 3, generator(0))
    assert query.scores is not None
    assert query.indices.tolist() == [4, 2, 5]
    assert torch.allclose(query.scores, torch.tensor([200, 90, 80]) / 255)
