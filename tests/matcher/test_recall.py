"""Recall of the approximate members, as they are configured, against all distances."""

import pytest
import torch
from composing import part

from al_bench.matcher import Matcher
from al_bench.matcher.exact import Exact
from al_bench.matcher.tuning import nearest_squared, recall
from al_bench.seeding import generator
from benchmarks.matcher import falling, folded

NUM_POINTS, NUM_QUERIES = 3_000, 500


@pytest.mark.parametrize(("made", "least"), [(falling, 0.98), (folded, 0.995)])
@pytest.mark.parametrize("member", ["ivf", "hnsw", "auto"])
def test_recall_of_the_nearest(member, made, least):
    """50 dimensions as after ASAL's PCA, half of the pool taken; the rule's matches are those of an exact member."""
    points, queries = made(NUM_POINTS + NUM_QUERIES).split([NUM_POINTS, NUM_QUERIES])
    exact, matcher = Exact("torch"), part("matcher", f"matcher={member}")
    assert isinstance(matcher, Matcher)
    exact.fit(points)
    matcher.fit(points)
    assert recall(matcher, queries, nearest_squared(exact, queries)) >= least
    taken = torch.arange(0, NUM_POINTS, 2)
    same = matcher.match(queries, taken, generator(0)).indices == exact.match(queries, taken, generator(0)).indices
    assert same.double().mean() >= least - 0.01
