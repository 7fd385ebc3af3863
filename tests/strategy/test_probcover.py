import math
from typing import Any

import numpy as np
import pytest
import torch
from peer_clusters import Given
from skactiveml.pool import ProbCover as Peer
from torch import Tensor, nn

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network
from al_bench.seeding import generator
from al_bench.strategy.probcover import Balls, ProbCover, cover, largest_pure_radius

SIZES = (4, 7, 3, 9)  # of stars on a plane, 10 apart


def strategy(**changes: Any) -> ProbCover:
    settings = {"delta": 1.0, "purity": 0.95, "draw_among": 1, "normalize": False}
    return ProbCover(**{**settings, **changes})


def stars() -> Tensor:
    """(23, 2): of each star the middle, which alone is within 1 of all its points, and points 0.9 from it."""
    parts = []
    for number, size in enumerate(SIZES):
        angles = torch.arange(size - 1) * (2 * math.pi / (size - 1))
        around = 0.9 * torch.stack([angles.cos(), angles.sin()], 1)
        parts.append(torch.cat([torch.zeros(1, 2), around]) + torch.tensor([10.0 * number, 0.0]))
    return torch.cat(parts)


def pool_of(points: Tensor, labeled: list[int]) -> tuple[Network, Pool]:
    network = Network(nn.Identity(), nn.Identity(), nn.Linear(points.shape[1], 2))
    pool = Pool.unlabeled_from(points, 2)
    return network, pool.with_labels(PoolQuery(torch.tensor(labeled)), torch.zeros(len(labeled)))


def straight(points: Tensor, labeled: list[int], picks: list[int], delta: float) -> np.ndarray:
    """(P, N) how many points each would newly cover before every pick, by the whole graph."""
    edges = (points.double()[:, None] - points.double()[None]).norm(dim=2) < delta
    found = []
    for number in range(len(picks)):
        covered = edges[labeled + picks[:number]].any(0)
        found.append((edges & ~covered).sum(1).numpy())
    return np.stack(found)


def test_the_middle_of_the_largest_star_comes_first() -> None:
    """The third has a label in its middle; once all is covered, anything is asked for."""
    query = strategy().query(*pool_of(stars(), [11]), 6, generator(0))
    assert query.indices[:3].tolist() == [14, 4, 0]
    assert query.scores is not None
    assert query.scores.tolist() == [9, 7, 4, 0, 0, 0]
    assert len(set(query.indices.tolist())) == 6


@pytest.mark.parametrize("seed", range(3))
def test_each_covers_most_of_what_is_left(seed: int) -> None:
    points, labeled = torch.randn(300, 3, generator=generator(seed)), list(range(10))
    query = strategy(delta=0.7).query(*pool_of(points, labeled), 60, generator(seed))
    picks = query.indices.tolist()
    gains = straight(points, labeled, picks, 0.7)
    gains[:, labeled] = -1
    assert query.scores is not None
    assert query.scores.tolist() == gains.max(1).tolist() == gains[np.arange(60), picks].tolist()


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    points = torch.randn(200, 3, generator=generator(1))
    numbers = torch.arange(200) % 4
    whole = cover(Balls(points, 0.8), 9, 40, 1, generator(0)), largest_pure_radius(points, numbers, 0.9)
    monkeypatch.setattr("al_bench.strategy.probcover._ROWS", 7)
    monkeypatch.setattr("al_bench.strategy.probcover._COLUMNS", 33)
    assert torch.equal(whole[0][0], cover(Balls(points, 0.8), 9, 40, 1, generator(0))[0])
    assert whole[1] == pytest.approx(largest_pure_radius(points, numbers, 0.9), rel=1e-5)


def test_the_radius_is_the_largest_at_which_enough_balls_are_pure() -> None:
    points = torch.randn(400, 2, generator=generator(3))
    clusters = (points[:, 0] > 0).long() + 2 * (points[:, 1] > 0.5).long()
    apart = (points.double()[:, None] - points.double()[None]).norm(dim=2)
    others = clusters[:, None] != clusters

    def purity(delta: float) -> float:
        return 1 - float(((apart < delta) & others).any(1).double().mean())

    for wanted in (0.5, 0.9, 0.95):
        radius = largest_pure_radius(points, clusters, wanted)
        assert purity(radius * (1 - 1e-5)) >= wanted > purity(radius * (1 + 1e-5))
    assert largest_pure_radius(points, torch.zeros(400, dtype=torch.int64), 0.9) == math.inf


def test_without_a_radius_clusters_give_one() -> None:
    """Two classes, two clusters 20 apart and 2 wide: 19 at least, so that one ball covers a cluster."""
    points = torch.cat([torch.rand(30, 2, generator=generator(0)), 20 + torch.rand(20, 2, generator=generator(1))])
    query = strategy(delta=None).query(*pool_of(points, [0]), 2, generator(0))
    assert query.scores is not None and query.scores.tolist() == [20, 0]
    assert query.indices[0] >= 30


def test_embeddings_are_compared_by_direction_where_normalized() -> None:
    """Forty in one direction, at any length, and ten in another: within 0.1 of each other at length 1 alone."""
    angles = torch.tensor([0.0] * 40 + [2.0] * 10 + [4.0]) + 0.001 * torch.arange(51)
    lengths = 10 ** (3 * torch.rand(51, 1, generator=generator(1)))
    points = lengths * torch.stack([angles.cos(), angles.sin()], 1)
    query = strategy(delta=0.1, normalize=True).query(*pool_of(points, [50]), 2, generator(0))
    assert query.scores is not None and query.scores.tolist() == [40, 10]


def test_no_more_candidates_than_wanted_are_asked_or_covered() -> None:
    network, pool = pool_of(torch.zeros(200, 2) + torch.arange(200)[:, None] % 2, [0])
    query = strategy(subset=30).query(network, pool, 20, generator(0))
    assert query.scores is not None and 1 <= query.scores[0] <= 30
    assert len(set(query.indices.tolist())) == 20
    assert len(strategy(subset=5).query(network, pool, 20, generator(0)).indices) == 20


def test_one_is_drawn_among_those_that_cover_most() -> None:
    first = [int(cover(Balls(stars(), 1.0), 0, 1, 2, generator(seed))[0]) for seed in range(60)]
    assert set(first) == {14, 4}
    left = cover(Balls(stars(), 1.0), 0, 23, 5, generator(0))[0]
    assert sorted(left.tolist()) == list(range(23))


@pytest.mark.filterwarnings("ignore:The maximum purity")  # which the peer does not compute of one radius
def test_covers_as_scikit_activeml_does() -> None:
    """The same picks where one covers most, and before each pick of the peer's the same numbers for all candidates."""
    known = np.full(23, np.nan)
    known[11] = 0
    peer, chosen = Peer(deltas=[1.0], random_state=0), [14, 4, 0]
    assert peer.query(stars().numpy(), known, batch_size=3).tolist() == chosen
    points, labeled = torch.randn(200, 3, generator=generator(2)), list(range(8))
    known = np.full(200, np.nan)
    known[labeled] = 0
    theirs, utilities = Peer(deltas=[0.8], random_state=0).query(
        points.numpy(), known, batch_size=30, return_utilities=True
    )
    balls, rows = Balls(points, 0.8), torch.arange(200)
    for number in range(30):
        before = labeled + theirs[:number].tolist()
        gains = balls.count(rows[balls.count(torch.tensor(before)) == 0]).numpy()
        free = np.setdiff1d(rows, before)
        assert gains[free].tolist() == utilities[number][free].tolist()


def test_the_radius_is_between_those_that_scikit_activeml_takes_and_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the same clusters; the peer tries radii, and borders count."""
    points = torch.randn(300, 3, generator=generator(4))
    clusters = (points[:, 0] > 0).long()
    monkeypatch.setattr(Given, "labels", clusters.numpy(), raising=False)
    radius = largest_pure_radius(points, clusters, 0.95)
    peer = Peer(n_classes=2, deltas=[radius / 2, radius * 0.9999, radius * 1.0001], cluster_algo=Given)
    peer.query(points.numpy(), np.full(300, np.nan))
    assert peer.delta_max_ == radius * 0.9999
