"""What every matcher promises to the strategies (al_bench/matcher/__init__.py). That the exact ones find the very
nearest is tests/matcher/test_match_rule.py."""

import pytest
import torch
from composing import members, part
from torch import Tensor

from al_bench.matcher import Matcher
from al_bench.seeding import generator

NONE = torch.arange(0)


@pytest.fixture(params=members("matcher"))
def matcher(request: pytest.FixtureRequest) -> Matcher:
    made: Matcher = part("matcher", f"matcher={request.param}")
    made.fit(features())
    return made


def features() -> Tensor:
    return torch.randn(300, 10, generator=generator(0))


def test_every_match_is_free_and_given_once(matcher: Matcher) -> None:
    taken = torch.randperm(300, generator=generator(1))[:200]
    found = matcher.match(torch.randn(60, 10, generator=generator(2)), taken, generator(3))
    assert found.indices.dtype == found.ranks.dtype == torch.int64
    assert found.distances.dtype == torch.float64
    assert len(set(found.indices.tolist())) == 60
    assert not set(found.indices.tolist()) & set(taken.tolist())


def test_distances_are_those_of_the_matches(matcher: Matcher) -> None:
    queries = torch.randn(60, 10, generator=generator(2))
    found = matcher.match(queries, NONE, generator(3))
    expected = (features()[found.indices] - queries).double().norm(dim=1)
    torch.testing.assert_close(found.distances, expected, atol=1e-5, rtol=0)
    assert (found.ranks >= 0).all()


def test_a_pool_image_matches_itself_or_the_one_it_was_taken_for(matcher: Matcher) -> None:
    found = matcher.match(features()[:50], NONE, generator(3))
    assert found.indices.tolist() == list(range(50))
    assert not found.ranks.any()
    assert not found.distances.any()
    again = matcher.match(features()[:1].expand(2, -1), NONE, generator(3))
    assert again.indices[0] == 0
    assert again.ranks.tolist() == [0, 1]


def test_takes_all_that_is_left_and_no_more(matcher: Matcher) -> None:
    taken = torch.arange(290)
    found = matcher.match(torch.randn(10, 10, generator=generator(2)), taken, generator(3))
    assert sorted(found.indices.tolist()) == list(range(290, 300))
    with pytest.raises(ValueError, match="11 matches were asked for and 10 of 300 are left"):
        matcher.match(torch.zeros(11, 10), taken, generator(3))


def test_copies_are_taken_evenly_by_the_generator(matcher: Matcher) -> None:
    """Each feature twice, 300 positions apart: by position, the copies of one half were never taken."""
    matcher.fit(features().repeat(2, 1))
    queries, first = torch.randn(60, 10, generator=generator(2)), []
    for seed in range(20):
        found = matcher.match(queries, NONE, generator(seed)).indices
        assert torch.equal(found, matcher.match(queries, NONE, generator(seed)).indices)
        assert len(found.unique()) == 60
        first.append(int((found < 300).sum()))
    assert sum(first) / 1200 == pytest.approx(0.5, abs=0.06), "four standard errors"
    assert 15 < min(first) < max(first) < 45
    assert len(set(first)) > 3


def test_without_ties_nothing_is_drawn(matcher: Matcher) -> None:
    queries = torch.randn(60, 10, generator=generator(2))
    found = [matcher.match(queries, NONE, generator(seed)) for seed in (0, 1)]
    assert torch.equal(found[0].indices, found[1].indices)
    assert torch.equal(found[0].ranks, found[1].ranks)


def test_no_queries_no_matches(matcher: Matcher) -> None:
    assert matcher.match(torch.empty(0, 10), torch.arange(300), generator(3)).indices.shape == (0,)


def test_the_same_twice_and_nothing_is_remembered(matcher: Matcher) -> None:
    queries = torch.randn(20, 10, generator=generator(2))
    assert torch.equal(
        matcher.match(queries, NONE, generator(3)).indices, matcher.match(queries, NONE, generator(3)).indices
    )


def test_a_second_fit_replaces_the_first(matcher: Matcher) -> None:
    matcher.fit(torch.tensor([[5.0, 0.0], [1.0, 0.0], [3.0, 0.0]]))
    assert matcher.match(torch.tensor([[0.0, 0.0], [0.0, 0.0]]), NONE, generator(3)).indices.tolist() == [1, 2]
