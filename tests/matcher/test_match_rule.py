"""The rule of `Matcher.match`: for each query in turn the nearest position that is still free."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from al_bench.matcher import Matcher
from al_bench.matcher.exact import Exact
from al_bench.matcher.kdtree import KdTree
from al_bench.seeding import generator

MEMBERS = {"faiss": lambda: Exact("faiss"), "torch": lambda: Exact("torch"), "kdtree": KdTree}
members = pytest.mark.parametrize("member", MEMBERS)


def by_loop(features, queries, taken, order):
    """A second implementation: every distance in float64, one query after the other. order: that of equals, (N,)."""
    places, free = order.argsort().tolist(), set(range(len(features))) - set(taken.tolist())
    indices, ranks, distances = [], [], []
    for query in queries.double():
        squared = (features.double() - query).square().sum(1)
        nearest = sorted(range(len(features)), key=lambda position: (float(squared[position]), places[position]))
        rank, best = next((rank, position) for rank, position in enumerate(nearest) if position in free)
        free.remove(best)
        indices.append(best)
        ranks.append(rank)
        distances.append(float(squared[best]) ** 0.5)
    return torch.tensor(indices), torch.tensor(ranks), torch.tensor(distances, dtype=torch.float64)


def drawn_order(count, seed=0):
    """(N,) positions in the order that is drawn for equals: the one in which copies of one point are given out."""
    matcher = Exact("torch")
    matcher.fit(torch.zeros(count, 1))
    return matcher.match(torch.zeros(count, 1), torch.arange(0), generator(seed)).indices


def agrees(matcher: Matcher, features, queries, taken, seed=0):
    matcher.fit(features)
    found = matcher.match(queries, taken, generator(seed))
    indices, ranks, distances = by_loop(features, queries, taken, drawn_order(len(features), seed))
    assert found.indices.tolist() == indices.tolist()
    assert found.ranks.tolist() == ranks.tolist()
    torch.testing.assert_close(found.distances, distances)
    assert (found.indices.dtype, found.ranks.dtype) == (torch.int64, torch.int64)


@st.composite
def on_a_grid(draw):
    """Few distinct integer points: ties and duplicates everywhere, distances exact in float32."""
    num_features = draw(st.integers(1, 90))
    size = draw(st.integers(1, 3))
    rng = torch.Generator().manual_seed(draw(st.integers(0, 10**6)))
    scale = draw(st.sampled_from([1, 2, 5]))
    num_taken = draw(st.integers(0, num_features))
    num_queries = draw(st.integers(0, num_features - num_taken))
    features = torch.randint(-scale, scale + 1, (num_features, size), generator=rng).float()
    queries = torch.randint(-2 * scale, 2 * scale + 1, (num_queries, size), generator=rng).float() / 2
    return features, queries, torch.randperm(num_features, generator=rng)[:num_taken]


@members
@settings(deadline=None)
@given(case=on_a_grid(), seed=st.integers(0, 10**6))
def test_equals_a_loop_with_ties_and_duplicates(member, case, seed):
    agrees(MEMBERS[member](), *case, seed)


@members
@settings(deadline=None)
@given(seed=st.integers(0, 10**6), offset=st.sampled_from([0.0, 30.0]), spread=st.sampled_from([1e-3, 1.0, 100.0]))
def test_equals_a_loop_where_float32_searches_err(member, seed, offset, spread):
    """Far from zero, or with queries far from the pool, float32 squared distances lose what tells neighbors apart."""
    rng = torch.Generator().manual_seed(seed)
    features = torch.randn(70, 4, generator=rng) + offset
    queries = torch.randn(12, 4, generator=rng) * spread + offset
    agrees(MEMBERS[member](), features, queries, torch.randperm(70, generator=rng)[:20])


@members
def test_queries_far_outside_the_pool(member):
    """At |q| = 1e7 float32 holds squared distances to 1e7 only, which is what the nearest ones differ by."""
    rng = torch.Generator().manual_seed(0)
    features = torch.randn(1000, 8, generator=rng)
    agrees(MEMBERS[member](), features, torch.randn(20, 8, generator=rng) * 3e6, torch.arange(900))


@members
def test_one_point_many_times(member):
    """Duplicates are given out in a drawn order, beyond any number of neighbors fetched at first."""
    matcher, orders = MEMBERS[member](), []
    matcher.fit(torch.ones(100, 2))
    for seed in range(3):
        found = matcher.match(torch.zeros(100, 2), torch.arange(0), generator(seed))
        assert found.ranks.tolist() == list(range(100))
        orders.append(found.indices.tolist())
        assert sorted(orders[-1]) == list(range(100))
    assert len({tuple(order) for order in orders}) == 3


@members
def test_each_of_many_at_one_distance_is_as_likely(member):
    """On a circle of eight, of which the last is taken, the other seven: 700 draws, each 100 times and four deviations
    of 9.3."""
    angles = torch.arange(8) // 2 * torch.pi / 2
    features = torch.stack([angles.cos().round(), angles.sin().round()], 1)
    matcher = MEMBERS[member]()
    matcher.fit(features)
    rng = generator(0)
    drawn = [int(matcher.match(torch.zeros(1, 2), torch.tensor([7]), rng).indices) for _ in range(700)]
    counts = torch.bincount(torch.tensor(drawn), minlength=8).tolist()
    assert counts[7] == 0
    assert all(63 < count < 137 for count in counts[:7])


@members
def test_a_generator_that_goes_on_draws_other_ties_and_only_one_number(member):
    matcher, rng, other = MEMBERS[member](), generator(0), generator(0)
    matcher.fit(torch.ones(50, 2))
    first, second = (matcher.match(torch.zeros(5, 2), torch.arange(0), rng).indices for _ in range(2))
    assert not torch.equal(first, second)
    for _ in range(2):
        torch.randint(2**62, (), generator=other)
    assert torch.equal(rng.get_state(), other.get_state())


@members
def test_an_exhausted_pool(member):
    matcher = MEMBERS[member]()
    matcher.fit(torch.arange(10.0)[:, None])
    taken = torch.tensor([0, 1, 2, 3, 4, 5, 6, 7])
    found = matcher.match(torch.zeros(2, 1), taken, generator(0))
    assert found.indices.tolist() == [8, 9]
    assert found.ranks.tolist() == [8, 9]
    with pytest.raises(ValueError, match=r"3 .*2 of 10"):
        matcher.match(torch.zeros(3, 1), taken, generator(0))


class Blind(Matcher):
    """An index that knows the first `known` features only."""

    def __init__(self, known):
        self.known, self.asked = known, []

    def build(self, features):
        self.exact = Exact("torch")
        self.exact.fit(features[: self.known])

    def search(self, queries, count):
        self.asked.append(count)
        found = self.exact.search(queries, min(count, self.known))
        return torch.nn.functional.pad(found, (0, count - found.shape[1]), value=-1)


def test_what_an_index_does_not_find_is_matched_when_nothing_else_is_free():
    features = torch.arange(100.0)[:, None]
    matcher = Blind(6)
    matcher.fit(features)
    found = matcher.match(torch.tensor([[50.0], [0.0], [50.2], [4.6]]), torch.tensor([1, 2, 3, 50]), generator(0))
    assert found.indices.tolist() == [5, 0, 4, 6], "nearest of those known, and then of all"
    assert found.ranks.tolist() == [0, 0, 1, 2], "of those known, and then of all"
    torch.testing.assert_close(found.distances, torch.tensor([45, 0, 46.2, 1.4]).double(), atol=1e-5, rtol=0)
    assert matcher.asked == [16], "an index that found fewer than it was asked for is not asked for more"


def test_of_all_features_a_draw_decides_ties():
    matcher, first = Blind(1), set()
    matcher.fit(torch.tensor([[0.0], [9.0], [2.0], [2.0], [-2.0]]))
    for seed in range(20):
        found = matcher.match(torch.zeros(3, 1), torch.tensor([0]), generator(seed))
        assert sorted(found.indices.tolist()) == [2, 3, 4]
        assert found.indices.tolist() == [one for one in drawn_order(5, seed).tolist() if one > 1]
        assert found.ranks.tolist() == [1, 2, 3]
        first.add(int(found.indices[0]))
    assert first == {2, 3, 4}


@members
def test_in_blocks_of_any_size(member, monkeypatch):
    monkeypatch.setattr("al_bench.matcher._ROWS", 7)
    features = torch.randint(-3, 4, (60, 2), generator=torch.Generator().manual_seed(0)).float()
    agrees(MEMBERS[member](), features, features[:30] * 2, torch.arange(3, 33))
    features[59, 1] = torch.inf
    with pytest.raises(FloatingPointError, match="row 59"):
        MEMBERS[member]().fit(features)


@members
def test_no_queries(member):
    matcher = MEMBERS[member]()
    matcher.fit(torch.zeros(3, 2))
    found = matcher.match(torch.empty(0, 2), torch.tensor([0]), generator(0))
    assert [column.shape for column in (found.indices, found.ranks, found.distances)] == [(0,)] * 3
    assert found.indices.dtype == torch.int64


@members
def test_refuses_what_is_not_finite(member):
    matcher = MEMBERS[member]()
    with pytest.raises(FloatingPointError, match="finite"):
        matcher.fit(torch.tensor([[0.0], [float("nan")]]))
    matcher.fit(torch.zeros(3, 1))
    with pytest.raises(FloatingPointError, match="finite"):
        matcher.match(torch.tensor([[float("inf")]]), torch.arange(0), generator(0))


@members
def test_fitted_anew(member):
    matcher = MEMBERS[member]()
    for features in (torch.tensor([[0.0], [1.0]]), torch.tensor([[5.0], [0.0], [9.0]])):
        agrees(matcher, features, torch.tensor([[0.0]]), torch.arange(0))
