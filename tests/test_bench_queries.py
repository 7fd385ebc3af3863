"""The bench's claims on queries: both sides of each pick the same, within the memory that is told."""

import pytest
import torch

from al_bench.active import scores
from al_bench.network.lenet import LeNet
from al_bench.network.lenet5 import LeNet5
from al_bench.network.predict import predict
from al_bench.seeding import fork, generator
from al_bench.strategy.coreset import furthest_first
from benchmarks import (
    coreset,
    deepfool,
    million,
    scoring,
)


def test_core_set_the_straight_way_picks_the_same():
    points, centers = coreset.embeddings(200, 30)
    assert (len(points), len(centers)) == (170, 30)
    picks = coreset.straight(points, centers, 60)
    assert len(picks.unique()) == 60
    assert torch.equal(picks, furthest_first(points, centers, 60, generator(0))[0])


@pytest.mark.parametrize(("growth", "missed"), [(lambda n: 5_000 * n, False), (lambda n: 4 * n * n, True)])
def test_memory_that_grows_with_the_pairs_is_missed(monkeypatch, growth, missed):
    monkeypatch.setattr(coreset, "peak_memory", lambda points, labeled: growth(points))
    assert coreset.memory(10_000, 1_000).missed is missed


@pytest.mark.slow
def test_peak_memory_is_what_the_arrays_take():
    """At least the copy that is moved to the middle; at most three times that, where all pairs would be 16 times."""
    embeddings = 4 * 8_000 * coreset.SIZE
    assert 0.9 * embeddings < coreset.peak_memory(8_000, 100) < 3 * embeddings


@pytest.mark.parametrize("alone", [False, True])
def test_deepfool_one_image_at_a_time_ends_as_far_from_each_image(alone, monkeypatch):
    with fork(0):
        model = LeNet5((1, 28, 28), 10, 0.13, 0.31).eval()
    images = deepfool.made_pool(6).inputs[-6:]
    found, _ = deepfool.STRATEGY.perturbations(model, images, torch.arange(6))
    torch.testing.assert_close(deepfool.one_at_a_time(model, images / 255, alone), found, rtol=1e-3, atol=0)
    assert found.min() > 0
    row = deepfool.compared(model, images, 4, 2, "of some kind", None, alone)
    assert row.agrees and "6 images 1 x 28 x 28" in row.how and "of some kind" in row.how and "on 4 of them" in row.how
    monkeypatch.setattr(deepfool, "one_at_a_time", lambda model, images, alone: 1.01 * found[: len(images)])
    assert deepfool.compared(model, images, 2, 1, "of some kind", None, alone).missed, "a hundredth too far"


def test_a_bare_loop_gives_the_same_scores():
    network = LeNet((1, 28, 28), 10).eval()
    images = torch.randint(256, (150, 1, 28, 28), generator=generator(0)).to(torch.uint8)
    found = predict(network, images, torch.arange(150), scores.entropy)
    assert found.std() > 0
    torch.testing.assert_close(scoring.bare(network, images / 255), found)


def test_memory_and_seconds_of_pools_that_grow(monkeypatch):
    monkeypatch.setattr(million, "apart", lambda task, *arguments: task(*arguments))
    names = {"entropy": {}, "kmeans": {"library": "faiss"}, "k_median": {"subset": 150}}
    rows = list(million.measure((200, 400), 7, names))
    assert [row.name for row in rows] == [f"{name}, memory at 400 x 512" for name in names]
    assert all(str(row.goal) == "at most 6.0 GiB" and not row.missed for row in rows)
    assert rows[2].how.startswith("7 asked, subset=150: ") and "exponent" in rows[2].how
    taken = [(1.0, 2**30), (2.0, 2**31), (20.0, 7 * 2**30)]
    missed = million.row("slow", {}, (10, 100, 1000), 5, taken)
    assert missed.missed and missed.how.endswith("20.0 s and 7.00 GiB at 1,000; exponent 1.00")


@pytest.mark.parametrize("name", million.STRATEGIES)
def test_each_strategy_of_the_million_is_one(name):
    query = million.made(name, million.STRATEGIES[name]).query(
        million.made_model(), million.made_pool(300), 20, generator(0)
    )
    assert len(set(query.indices.tolist())) == 20
