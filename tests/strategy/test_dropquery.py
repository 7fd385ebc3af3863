"""Embeddings whose first number is the class and whose others are a place: without the first, the bias is the class."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from skactiveml.base import SkactivemlClassifier
from skactiveml.pool import DropQuery as Peer
from torch import Tensor, nn

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network
from al_bench.seeding import generator
from al_bench.strategy.dropquery import DropQuery, disagreement

CENTERS = torch.tensor([[0.0, 0.0], [50.0, 0.0], [0.0, 50.0]])


def linear(weight: list[list[float]], bias: list[float]) -> nn.Linear:
    head = nn.Linear(len(weight[0]), len(bias))
    head.weight.data, head.bias.data = torch.tensor(weight), torch.tensor(bias)
    return head


def made_pool() -> tuple[Network, Pool]:
    """Three clusters of ten around images 0, 10 and 20 whose class is their first number's alone, so that dropout of it
    gives the other; as many images far from them, 30 to 39, whose class is the bias's; image 40 is labeled."""
    ring = torch.randn(3, 9, 2, generator=generator(0))
    ring = ring - ring.mean(1, keepdim=True)
    torn = torch.cat([CENTERS[:, None], CENTERS[:, None] + ring], dim=1).flatten(0, 1)
    places = torch.cat([torn, torch.full((11, 2), 500.0)])
    first = torch.cat([torch.ones(30), torch.zeros(11)])
    network = Network(nn.Identity(), nn.Identity(), linear([[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]], [0.0, 1.0]))
    pool = Pool.unlabeled_from(torch.cat([first[:, None], places], 1), 2)
    return network.eval(), pool.with_labels(PoolQuery(torch.tensor([40])), torch.tensor([0]))


@pytest.mark.parametrize("seed", range(3))
def test_asks_for_the_middles_of_what_dropout_changes(seed: int) -> None:
    """With nineteen of twenty numbers gone, nearly every image of the three clusters is torn, and no other one."""
    query = DropQuery(passes=3, dropout=0.95).query(*made_pool(), 3, generator(seed))
    assert query.scores is not None and (query.scores > 0.5).all()
    assert sorted((query.indices // 10).tolist()) == [0, 1, 2]


def test_where_fewer_disagree_the_next_stand_in() -> None:
    """The other way round, so that those that are torn are the last of the pool, 11 to 40."""
    model, pool = made_pool()
    pool = replace(pool, inputs=pool.inputs[torch.arange(40, -1, -1)], labeled=torch.tensor([0]))
    query = DropQuery(passes=3, dropout=0.95).query(model, pool, 38, generator(0))
    assert query.scores is not None
    assert set(range(11, 41)) <= set(query.indices.tolist())
    assert sorted(query.scores.tolist())[:8] == [0.0] * 8


def test_the_share_is_that_of_the_masks_that_hide_what_decides() -> None:
    """One of two numbers decides the class, and a mask hides it with the probability of dropout."""
    head = linear([[4.0, 0.0], [0.0, 0.0]], [0.0, 1.0])
    torch.manual_seed(0)
    share = disagreement(head, torch.ones(20, 2), 2000, 0.3)
    assert share.mean() == pytest.approx(0.3, abs=4 * (0.3 * 0.7 / 40_000) ** 0.5)
    assert not disagreement(head, torch.zeros(20, 2), 10, 0.3).any()


def test_of_a_map_the_share_is_that_of_its_pixels() -> None:
    """Half of the pixels have the class of the bias, which no mask changes; of the others a mask hides all or none."""
    head = nn.Conv2d(1, 2, 1)
    head.weight.data, head.bias.data = torch.tensor([4.0, 0.0]).reshape(2, 1, 1, 1), torch.tensor([0.0, 1.0])
    embedding = torch.tensor([[1.0, 1.0], [0.0, 0.0]])[None, None].expand(400, 1, 2, 2)
    torch.manual_seed(0)
    share = disagreement(head, embedding, 1, 0.5)
    assert set(share.tolist()) <= {0.0, 0.25, 0.5}
    assert share.mean() == pytest.approx(0.25, abs=0.05)


class Recorded(SkactivemlClassifier):
    """Answers with given predictions, one after another, whatever it is asked."""

    def __init__(self, answers: Iterator[np.ndarray]) -> None:
        super().__init__(classes=[0, 1])
        self.answers = answers

    def fit(self, *_: np.ndarray) -> "Recorded":
        return self

    def predict(self, *_: np.ndarray) -> np.ndarray:
        return next(self.answers)

    def predict_proba(self, *_: np.ndarray) -> np.ndarray:
        raise NotImplementedError


@pytest.mark.parametrize("seed", range(3))
def test_picks_those_of_scikit_activeml_on_the_same_votes_and_features(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its filter and clustering are given our plain predictions, those of our three passes and the embeddings; masks
    are another generator's there. Clusters lie apart, so that both k-means find the same ones."""
    model, pool = made_pool()
    answers: list[Tensor] = []
    forward = model.head.forward

    def noted(embedding: Tensor) -> Tensor:
        logits: Tensor = forward(embedding)
        answers.append(logits.argmax(1))
        return logits

    monkeypatch.setattr(model.head, "forward", noted)
    query = DropQuery(passes=3, dropout=0.8).query(model, pool, 3, generator(seed))
    assert len(answers) == 4
    torn = (torch.stack(answers[1:]) != answers[0]).float().mean(0) > 0.5
    assert 3 < torn.sum() < 30, "the filter takes some of the images that can be torn"
    labels = np.full(41, np.nan)
    labels[40] = 0
    peer = Peer(0.8, 3, cluster_algo_dict={"n_init": 10, "random_state": 0}, random_state=0)
    given = Recorded(iter([answer.numpy() for answer in answers]))
    found = peer.query(pool.inputs.numpy(), labels, given, fit_clf=False, batch_size=3)
    assert sorted(found.tolist()) == sorted(query.indices.tolist())
