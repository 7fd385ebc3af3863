"""Contrastive examples on a made pool, against the definition in loops and against scikit-activeml."""

import math

import numpy as np
import pytest
import torch
from peer_classifier import PeerClassifier
from skactiveml.pool import ContrastiveAL as Peer
from torch import nn

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network
from al_bench.seeding import generator
from al_bench.strategy.contrastive_al import ContrastiveAl, _log_probabilities, contrast


def made(count: int, width: int, classes: int, num_labeled: int, seed: int) -> tuple[Network, Pool]:
    """Drawn weights and points; inputs are embedded as they are."""
    rng = generator(seed)
    network = Network(nn.Identity(), nn.Identity(), nn.Linear(width, classes)).eval()
    with torch.no_grad():
        network.head.weight.copy_(torch.randn(classes, width, generator=rng))  # type: ignore[union-attr, arg-type]
    pool = Pool.unlabeled_from(torch.randn(count, width, generator=rng), classes)
    labeled = torch.arange(num_labeled)
    return network, pool.with_labels(PoolQuery(labeled), labeled % classes)


def test_the_one_that_is_answered_otherwise_than_its_neighbors_comes_first() -> None:
    """On a line the model changes its mind at 0: of 1 and -1 beside what is labeled at 2, -1 is the contrast."""
    network = Network(nn.Identity(), nn.Identity(), nn.Linear(1, 2)).eval()
    with torch.no_grad():
        network.head.weight.copy_(torch.tensor([[2.0], [-2.0]]))  # type: ignore[union-attr, arg-type]
        network.head.bias.zero_()  # type: ignore[union-attr, operator]
    pool = Pool.unlabeled_from(torch.tensor([[2.0], [1.0], [-1.0], [0.1]]), 2)
    query = ContrastiveAl(neighbors=5).query(
        network, pool.with_labels(PoolQuery(torch.tensor([0])), torch.tensor([0])), 3, generator(0)
    )
    assert query.indices.tolist() == [2, 3, 1]
    near, own = 1 / (1 + math.exp(-8)), 1 / (1 + math.exp(4))
    assert query.scores is not None
    divergence = near * math.log(near / own) + (1 - near) * math.log((1 - near) / (1 - own))
    assert float(query.scores[0]) == pytest.approx(divergence, rel=1e-4)


def test_scores_are_the_definition() -> None:
    network, pool = made(40, 3, 4, 12, 1)
    probabilities = network(pool.inputs).softmax(1).tolist()
    points = pool.inputs.tolist()
    query = ContrastiveAl(neighbors=5).query(network, pool, 28, generator(0))
    assert query.scores is not None
    for position, score in zip(query.indices.tolist(), query.scores.tolist(), strict=True):
        near = sorted(range(12), key=lambda row, own=position: math.dist(points[row], points[own]))[:5]
        own = probabilities[position]
        each = [sum(p * math.log(p / q) for p, q in zip(probabilities[row], own, strict=True)) for row in near]
        assert score == pytest.approx(sum(each) / 5, abs=1e-4)


def test_certain_answers_are_finite() -> None:
    """A class that is impossible to the image and to its neighbors counts nothing."""
    logs = torch.tensor([[0.0, -200.0]])
    assert contrast(torch.zeros(1, 2), logs, torch.zeros(3, 2), logs.expand(3, 2), 2).tolist() == [0.0]


@pytest.mark.parametrize("seed", range(3))
def test_picks_are_those_of_scikit_activeml(seed: int) -> None:
    """In order, and utilities too, where no probability is so small that it is clipped there."""
    network, pool = made(120, 6, 5, 30, seed)
    with torch.no_grad():
        network.head.weight.mul_(0.5)  # type: ignore[union-attr, operator]
    labels = np.full(120, np.nan)
    labels[:30] = np.arange(30) % 5
    theirs, utilities = Peer(nearest_neighbors_dict={"n_neighbors": 7}, random_state=0).query(
        pool.inputs.double().numpy(), labels, PeerClassifier(network, range(5)), fit_clf=False, batch_size=20,
        return_utilities=True,
    )  # fmt: skip
    query = ContrastiveAl(neighbors=7).query(network, pool, 20, generator(0))
    assert query.indices.tolist() == list(theirs)
    assert query.scores is not None
    assert query.scores.tolist() == pytest.approx(utilities[0, theirs].tolist(), rel=1e-3)


def test_neighbors_are_the_nearest_wherever_the_embeddings_lie() -> None:
    """Far from 0 a distance by products has no digit left of what tells points apart."""
    rng = generator(3)
    known, others = 0.1 * torch.randn(200, 64, generator=rng), 0.1 * torch.randn(20, 64, generator=rng)
    answered = torch.randn(200, 3, generator=rng).log_softmax(1)
    logs = torch.randn(20, 3, generator=rng).log_softmax(1)
    near, far = (contrast(others + offset, logs, known + offset, answered, 10) for offset in (0, 100))
    assert torch.allclose(near, far, atol=1e-5)


def test_maps_on_which_a_class_underflows_everywhere_have_a_score() -> None:
    logits = torch.tensor([[60.0, 0, -200], [0, 1, 2]])[:, :, None, None].expand(2, 3, 4, 4)
    logs = _log_probabilities(logits)
    assert torch.allclose(logs, logits[:, :, 0, 0].log_softmax(1))
    assert contrast(torch.zeros(2, 1), logs, torch.zeros(2, 1), logs, 2).isfinite().all()
