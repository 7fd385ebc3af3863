import importlib.util

import faiss
import pytest
import torch

from al_bench.errors import UserError
from al_bench.matcher.hnsw import Hnsw
from al_bench.seeding import generator


def fitted(features, **options):
    matcher = Hnsw(**{"neighbors": 8, "ef_construction": 40, "ef": 16, **options})
    matcher.fit(features)
    return matcher


def links(matcher):
    return faiss.vector_to_array(matcher.index.hnsw.neighbors).tolist()


def test_built_on_one_thread_and_the_threads_put_back():
    """Links depend on which of two features came first; on two threads that is a matter of luck."""
    features = torch.randn(1500, 6, generator=generator(0))
    first = fitted(features)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        again = fitted(features)
        assert torch.get_num_threads() == 2
        assert faiss.omp_get_max_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert links(first) == links(again)


def test_more_breadth_finds_more_and_takes_more_work():
    features, queries = torch.randn(3000, 20, generator=generator(0)), torch.randn(300, 20, generator=generator(1))
    nearest = torch.cdist(queries, features).argmin(1)
    matcher, kept, works = fitted(features), [], []
    for matcher.effort in (1, 16, 256):
        kept.append(float((matcher.search(queries, 1)[:, 0] == nearest).double().mean()))
        building, searching = matcher.work(queries)
        works.append(searching)
    assert kept == sorted(kept) and kept[0] < 0.7 and kept[2] > 0.99
    assert works == sorted(works) and 16 * 25 < works[1] < 3000 * 25, "more than it returns, less than all"
    assert building == fitted(features).work(queries)[0], "whatever the effort of a search"


def test_one_point_many_times():
    """Duplicates link to each other only and cut a graph in pieces; the rule gives them out all the same."""
    matcher = fitted(torch.ones(200, 2))
    assert sorted(matcher.match(torch.zeros(200, 2), torch.arange(0), generator(0)).indices.tolist()) == list(
        range(200)
    )


def test_says_what_is_missing_without_faiss(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="matcher=hnsw: FAISS is not installed; install faiss-cpu or use matcher=exact"):
        fitted(torch.zeros(2, 1))
