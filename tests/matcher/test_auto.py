import importlib.util
import logging

import pytest
import torch

from al_bench.matcher.auto import Auto, grown
from al_bench.matcher.exact import Exact
from al_bench.matcher.hnsw import Hnsw
from al_bench.matcher.ivf import Ivf
from al_bench.matcher.tuning import nearest_squared, recall
from al_bench.seeding import generator
from benchmarks.matcher import folded

IVF = {"lists": None, "probes": 1, "sample_per_list": 64, "seed": 0}
HNSW = {"neighbors": 16, "ef_construction": 40, "ef": 1}


def auto(*candidates, **options):
    keys = {"min_recall": 0.99, "exact_up_to": 0, "sample": 4_000, "held_out": 1_000, "queries": 10_000, "seed": 0}
    return Auto(candidates or (lambda: Ivf(**IVF), lambda: Hnsw(**HNSW)), **{**keys, **options})


@pytest.fixture(scope="module")
def pool():
    return folded(13_000).split([12_000, 1_000])


def told(caplog):
    (line,) = (record.message for record in caplog.records if record.levelno == logging.INFO)
    return line


def test_takes_lists_where_a_scan_takes_more_and_says_why(pool, caplog):
    points, queries = pool
    matcher, exact = auto(), Exact("auto")
    with caplog.at_level(logging.INFO, logger="al_bench.matcher.auto"):
        matcher.fit(points)
    assert isinstance(matcher.chosen, Ivf)
    assert told(caplog).startswith(
        "matcher=auto takes ivf: distances for a query, building shared by 10,000: exact 12,000"
    )
    assert f"effort {matcher.chosen.effort}, recall 0.99" in told(caplog) or "recall 1.000" in told(caplog)
    exact.fit(points)
    assert recall(matcher, queries, nearest_squared(exact, queries)) >= 0.99
    assert matcher.chosen.features.data_ptr() == points.data_ptr(), "no copy"


def test_a_graph_is_taken_where_building_is_shared_by_enough(pool):
    points = pool[0][:3_000]
    options = {"sample": 2_400, "held_out": 300}
    assert isinstance(chosen(points, lambda: Hnsw(**HNSW), queries=10**9, **options), Exact), (
        "25 times a scan's distance"
    )
    graph = chosen(
        points.repeat(40, 1) + torch.randn(120_000, 50, generator=generator(1)), Cheap, queries=10**9, **options
    )
    assert isinstance(graph, Cheap)
    assert isinstance(chosen(points, Cheap, queries=1, **options), Exact), "building alone takes more than scanning"


class Cheap(Hnsw):
    """A graph whose hops cost little; it is not built beyond the trial."""

    def __init__(self):
        super().__init__(**HNSW)

    def build(self, features):
        if len(features) <= 2_400:
            super().build(features)

    def work(self, queries):
        building, searching = super().work(queries)
        return building, searching / 25


def chosen(points, *candidates, **options):
    matcher = auto(*candidates, **options)
    matcher.fit(points)
    return matcher.chosen


def test_exact_where_neighbors_are_everywhere(caplog):
    """50 dimensions of equal deviation: to keep the recall, lists have to be probed nearly all."""
    points = torch.randn(6_000, 50, generator=generator(0))
    with caplog.at_level(logging.INFO, logger="al_bench.matcher.auto"):
        assert isinstance(chosen(points, lambda: Ivf(**IVF), queries=2_000), Exact)
    assert "matcher=auto takes exact: distances for a query" in told(caplog)
    assert "exact 6,000, ivf" in told(caplog)


def test_exact_where_the_recall_is_lost(pool):
    class Lossy(Ivf):
        def search(self, queries, count):
            return super().search(queries, count).masked_fill(torch.arange(len(queries))[:, None] % 50 == 0, -1)

    assert isinstance(chosen(pool[0], lambda: Lossy(**IVF)), Exact)
    assert isinstance(chosen(pool[0], lambda: Lossy(**IVF), min_recall=0.95), Lossy)


def test_small_pools_are_not_worth_a_trial(pool, caplog):
    with caplog.at_level(logging.INFO, logger="al_bench.matcher.auto"):
        assert isinstance(chosen(pool[0], exact_up_to=12_000), Exact)
    assert told(caplog) == "matcher=auto takes exact: 12,000 features are at most exact_up_to=12,000"
    assert isinstance(chosen(pool[0], exact_up_to=11_999), Ivf)
    assert all(isinstance(chosen(pool[0][:size]), Exact) for size in (1, 3, 39))
    assert chosen(pool[0][:40]) is not None


def test_exact_without_faiss(pool, monkeypatch, caplog):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with caplog.at_level(logging.INFO, logger="al_bench.matcher.auto"):
        assert isinstance(chosen(pool[0][:500]), Exact)
    assert told(caplog) == "matcher=auto takes exact: no other searches 500 features on cpu"


def test_the_same_choice_and_the_same_matches_again(pool):
    """What a resumed run stands on: nothing of the choice is timed or remembered."""
    points, queries = pool[0][:5_000], pool[1][:100]
    first, again = auto(), auto()
    again.fit(points[:700])
    for matcher in (first, again):
        matcher.fit(points)
    assert first.why == again.why
    for one, other in zip(vars_of(first, queries), vars_of(again, queries), strict=True):
        assert torch.equal(one, other)


def vars_of(matcher, queries):
    found = matcher.match(queries, torch.arange(50), generator(0))
    return found.indices, found.ranks, found.distances


def test_no_query_is_among_the_rows(pool):
    points = torch.arange(5_000.0)[:, None]
    rows, queries = auto()._sampled(points)
    assert (len(rows), len(queries)) == (4_000, 500)
    assert len(torch.cat([rows, queries]).unique()) == 4_500
    rows, queries = auto(sample=100_000)._sampled(points)
    assert len(rows) == 4_500, "all the others"


def test_grows_as_it_grew_and_never_shrinks():
    assert grown((10, 20), 16) == pytest.approx(80), "twice for four, four times for sixteen"
    assert grown((20, 10), 16) == 10
    assert grown((100, 400), 4) == pytest.approx(1600), "linear stays linear"
    assert grown((7, 9), 1) == 9
    assert grown((7,), 4) == 7, "what was not tried further"
