import importlib.util

import faiss
import pytest
import torch

from al_bench.errors import UserError
from al_bench.matcher.ivf import Ivf
from al_bench.seeding import generator


def fitted(features, **options):
    matcher = Ivf(**{"lists": None, "probes": 1, "sample_per_list": 64, "seed": 0, **options})
    matcher.fit(features)
    return matcher


def test_lists_are_thrice_the_root_and_at_most_the_features():
    features = torch.randn(2500, 3, generator=generator(0))
    assert fitted(features).index.nlist == 150
    assert fitted(features, lists=7).index.nlist == 7
    assert fitted(features[:3], lists=7).index.nlist == 3
    assert fitted(features[:1]).index.nlist == 1


def test_looks_into_the_nearest_cells_and_nowhere_else():
    """Two far groups: with one probe, what is not in the query's group is not found."""
    features = torch.cat([torch.randn(30, 2, generator=generator(0)), torch.randn(20, 2, generator=generator(1)) + 100])
    one, both = fitted(features, lists=2), fitted(features, lists=2, probes=2)
    near_second = torch.tensor([[100.0, 100.0]])
    assert sorted(one.search(near_second, 50)[0].tolist()) == [-1] * 30 + list(range(30, 50))
    assert sorted(both.search(near_second, 50)[0].tolist()) == list(range(50))
    assert one.match(near_second, torch.arange(30, 50), generator(0)).indices < 30, "found by looking at all"


def test_the_same_seed_the_same_index():
    features, queries = torch.randn(4000, 8, generator=generator(0)), torch.randn(40, 8, generator=generator(1))
    first, again, other = (fitted(features, sample_per_list=2, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.search(queries, 60), again.search(queries, 60))
    assert not torch.equal(first.search(queries, 60), other.search(queries, 60))


def test_work_is_what_faiss_counts():
    features, queries = torch.randn(5000, 4, generator=generator(0)), torch.randn(2000, 4, generator=generator(1))
    matcher = fitted(features, probes=9)
    faiss.cvar.indexIVF_stats.reset()
    matcher.search(queries, 1)
    counted = faiss.cvar.indexIVF_stats.ndis / len(queries)
    building, searching = matcher.work(queries)
    assert searching - 212 == pytest.approx(counted, rel=0.15)
    assert building == pytest.approx(0.3 * (5000 + 10 * 5000) * 212), "each feature to each center, and ten rounds"


def test_says_what_is_missing_without_faiss(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="matcher=ivf: FAISS is not installed; install faiss-cpu or use matcher=exact"):
        fitted(torch.zeros(2, 1))


@pytest.mark.gpu
@pytest.mark.skipif(faiss.get_num_gpus() == 0, reason="needs faiss-gpu")
def test_on_a_gpu_as_on_the_cpu():
    """As far as rounding goes; beyond the neighbors and probes that FAISS takes there, too."""
    features = torch.randn(20_000, 6, generator=generator(0))
    queries, taken = torch.randn(50, 6, generator=generator(1)), torch.arange(15_000)
    here = fitted(features, probes=40).match(queries, taken, generator(0)).indices
    there = fitted(features.cuda(), probes=40)
    assert "Gpu" in type(there.index).__name__
    assert (there.match(queries.cuda(), taken, generator(0)).indices.cpu() == here).double().mean() > 0.9
    assert fitted(features.cuda(), lists=4000, probes=4000).search(queries.cuda(), 3000).shape == (50, 3000)


def test_lists_filled_to_their_length_are_those_that_faiss_fills(monkeypatch):
    monkeypatch.setattr("al_bench.matcher.ivf._ROWS", 700)
    features, queries = torch.randn(3000, 4, generator=generator(0)), torch.randn(50, 4, generator=generator(1))
    ours = fitted(features, probes=3)
    theirs = faiss.clone_index(ours.index)
    theirs.reset()
    theirs.add(ours._columns(features))
    assert theirs.ntotal == ours.index.ntotal == 3000
    for cell in range(theirs.nlist):
        lists = (ours.index.invlists, theirs.invlists)
        assert len({tuple(faiss.rev_swig_ptr(one.get_ids(cell), one.list_size(cell)).tolist()) for one in lists}) == 1
    theirs.nprobe = 3
    expected = torch.from_numpy(theirs.search(ours._columns(queries), 40)[1])
    assert torch.equal(ours.search(queries, 40), expected)
    assert ours.evenness == pytest.approx(theirs.invlists.imbalance_factor())


@pytest.mark.parametrize(("size", "columns"), [(3, 16), (16, 16), (50, 64)])
def test_half_precision_in_whole_reads_holds_far_and_large_features(size, columns):
    """With every list probed: those of norm 1e6 would overflow, and the spread of those far from zero be lost."""
    features, queries = torch.randn(2000, size, generator=generator(0)), torch.randn(100, size, generator=generator(1))
    nearest = torch.cdist(queries.double(), features.double()).argmin(1)
    for scale, offset in ((1.0, 0.0), (1e6, 0.0), (1e-6, 0.0), (1.0, 30.0)):
        matcher = fitted(features * scale + offset, probes=2000)
        assert matcher.index.d == columns
        found = matcher.match(queries[:50] * scale + offset, torch.arange(0), generator(0))
        first = found.ranks == 0
        assert first.sum() > 40
        assert torch.equal(found.indices[first], nearest[:50][first])


def test_all_features_at_one_point():
    matcher = fitted(torch.zeros(100, 5))
    assert sorted(matcher.match(torch.zeros(100, 5), torch.arange(0), generator(0)).indices.tolist()) == list(
        range(100)
    )
