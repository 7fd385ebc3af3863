import numpy as np
import pytest
import torch
from skactiveml.pool import MaxHerding as Peer
from torch import Tensor, nn

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network
from al_bench.seeding import generator
from al_bench.strategy.maxherding import MaxHerding, herd


def pool_of(points: Tensor, labeled: list[int]) -> tuple[Network, Pool]:
    """Embedded as they are."""
    network = Network(nn.Identity(), nn.Identity(), nn.Linear(points.shape[1], 2)).eval()
    pool = Pool.unlabeled_from(points, 2)
    return network, pool.with_labels(PoolQuery(torch.tensor(labeled)), torch.zeros(len(labeled), dtype=torch.int64))


def clusters(sizes: list[int], seed: int = 0) -> Tensor:
    """Points around as many axes, close to them."""
    rng = generator(seed)
    return torch.cat([
        5 * torch.eye(len(sizes))[number] + 0.1 * torch.randn(size, len(sizes), generator=rng)
        for number, size in enumerate(sizes)
    ])  # fmt: skip


def test_the_largest_clusters_come_first_and_a_covered_one_last() -> None:
    """Of four clusters of 9, 6, 3 and 8 images the last has a labeled one."""
    points = clusters([9, 6, 3, 8])
    query = MaxHerding(bandwidth=0.5).query(*pool_of(points, [18]), 4, generator(0))
    which = np.repeat(np.arange(4), [9, 6, 3, 8])
    assert which[query.indices.numpy()].tolist()[:3] == [0, 1, 2]
    assert query.scores is not None and query.scores.tolist() == sorted(query.scores.tolist(), reverse=True)


def test_lengths_do_not_count() -> None:
    points, scale = clusters([9, 6, 3]), torch.rand(18, 1, generator=generator(1)) + 0.1
    found = MaxHerding(bandwidth=0.5).query(*pool_of(points, [0]), 6, generator(0))
    assert torch.equal(found.indices, MaxHerding(0.5).query(*pool_of(points * scale, [0]), 6, generator(0)).indices)


def slow(
    points: Tensor, labeled: Tensor, weights: Tensor, bandwidth: float, size: int
) -> tuple[list[int], list[float]]:
    """The definition: of every candidate the coverage with it, from all similarities, anew for each pick."""
    everything = torch.cat([labeled, points]).double()
    similar = (-(torch.cdist(everything, points.double()) ** 2) / bandwidth**2).exp()
    taken, picks, gains = list(range(len(labeled))), [], []
    for _ in range(size):
        covered = similar[taken].amax(0) if taken else torch.zeros(len(points)).double()
        added = [
            float((torch.maximum(similar[len(labeled) + row], covered) - covered) @ weights.double())
            if row not in picks
            else -1.0
            for row in range(len(points))
        ]
        picks.append(int(np.argmax(added)))
        gains.append(max(added) / len(points))
        taken.append(len(labeled) + picks[-1])
    return picks, gains


@pytest.mark.parametrize("bandwidth", [1.0, 0.3, 0.02])
@pytest.mark.parametrize("num_labeled", [0, 12])
def test_picks_are_those_of_the_definition(bandwidth: float, num_labeled: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("al_bench.strategy.maxherding._CHUNK", 130 * 17)
    points = nn.functional.normalize(torch.randn(130 + num_labeled, 6, generator=generator(2)))
    weights = torch.rand(130, generator=generator(3))
    found, gains = herd(points[num_labeled:], points[:num_labeled], weights, bandwidth, 60, generator(4))
    expected, added = slow(points[num_labeled:], points[:num_labeled], weights, bandwidth, 60)
    assert found.tolist() == expected
    assert gains.tolist() == pytest.approx(added, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("bandwidth", [1.0, 0.4])
def test_picks_those_of_scikit_activeml_on_the_same_features(seed: int, bandwidth: float) -> None:
    """All fifty in order, and what each adds, with twenty labeled; its kernel is exp(-gamma |x - y|^2)."""
    points, labeled = torch.randn(400, 16, generator=generator(seed)), list(range(0, 400, 20))
    query = MaxHerding(bandwidth).query(*pool_of(points, labeled), 50, generator(seed))
    labels = np.full(400, np.nan)
    labels[labeled] = 0
    peer = Peer(metric_dict={"gamma": 1 / bandwidth**2}, random_state=0)
    found, utilities = peer.query(points.double().numpy(), labels, batch_size=50, return_utilities=True)
    assert query.scores is not None
    assert query.indices.tolist() == found.tolist()
    assert query.scores.tolist() == pytest.approx(np.nanmax(utilities, axis=1), rel=1e-4)


def test_copies_of_what_is_covered_come_last_and_are_asked_for_once() -> None:
    points = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).repeat_interleave(4, 0)
    query = MaxHerding(bandwidth=0.5).query(*pool_of(points, [0]), 7, generator(0))
    assert sorted(query.indices.tolist()) == [1, 2, 3, 4, 5, 6, 7]
    assert query.indices[0] >= 4
    assert query.scores is not None and query.scores[1:].tolist() == pytest.approx([0] * 6, abs=1e-6)


def test_of_a_subset_as_many_are_asked_for_and_no_other() -> None:
    query = MaxHerding(bandwidth=1.0, subset=5).query(*pool_of(clusters([9, 6, 3]), [0]), 8, generator(0))
    assert len(set(query.indices.tolist())) == 8


def test_refuses_embeddings_that_are_not_finite() -> None:
    with pytest.raises(FloatingPointError, match="not finite"):
        MaxHerding(1.0).query(*pool_of(torch.tensor([[0.0], [torch.nan]]), [0]), 1, generator(0))
