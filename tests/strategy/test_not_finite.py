"""Whatever compares embeddings ends in a sentence where one is no number, and in no library's traceback."""

import pytest
import torch
from composing import members, on_digits, part
from torch import Tensor, nn

from al_bench import seeding
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.errors import UserError
from al_bench.network import Network


class Shown(Network):
    """Its inputs are its embeddings, but for dropout."""

    def __init__(self) -> None:
        super().__init__(nn.Identity(), nn.Dropout(0.5), nn.Linear(4, 3))


def needs_embedding(name: str) -> bool:
    strategy = part("strategy", *on_digits(f"strategy={name}"))
    return "embedding" in strategy.needs and not strategy.needs_images


NAMES = [name for name in members("strategy") if needs_embedding(name)]


def test_there_are_some() -> None:
    assert {"coreset", "kmeans", "typiclust", "probcover", "badge", "k_median", "contrastive_al"} <= set(NAMES)


@pytest.mark.parametrize("lost", [torch.nan, torch.inf])
@pytest.mark.parametrize("name", NAMES)
def test_an_embedding_that_is_not_finite(name: str, lost: float) -> None:
    points: Tensor = torch.randn(40, 4, generator=seeding.generator(0))
    points[20:] = lost  # more than is asked for without
    first = torch.arange(6)
    pool = Pool.unlabeled_from(points, 3).with_labels(PoolQuery(first), first % 3)
    strategy = part("strategy", *on_digits(f"strategy={name}"), "network=linear")
    with pytest.raises((FloatingPointError, UserError), match=r"not finite|NaN"):
        strategy.query(Shown(), pool, 20, seeding.generator(1))
