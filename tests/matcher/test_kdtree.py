import torch

from al_bench.matcher.exact import Exact
from al_bench.matcher.kdtree import KdTree
from al_bench.seeding import generator


def test_agrees_with_the_exact_matcher_on_features_of_asal_size() -> None:
    """50 dimensions, as after ASAL's PCA; the two search in ways that share nothing."""
    features, queries = torch.randn(3000, 50, generator=generator(0)), torch.randn(60, 50, generator=generator(1))
    taken = torch.randperm(3000, generator=generator(2))[:1500]
    exact, tree = Exact("auto"), KdTree()
    exact.fit(features)
    tree.fit(features)
    first, second = exact.match(queries, taken, generator(0)), tree.match(queries, taken, generator(0))
    assert torch.equal(first.indices, second.indices)
    assert torch.equal(first.ranks, second.ranks)
    assert torch.equal(first.distances, second.distances)
    assert (first.ranks > 0).any(), "some nearest neighbors were taken"


def test_one_neighbor_is_a_column_too() -> None:
    tree = KdTree()
    tree.fit(torch.tensor([[0.0], [3.0]]))
    assert tree.search(torch.tensor([[1.0], [2.0]]), 1).tolist() == [[0], [1]]
