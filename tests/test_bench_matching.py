"""The bench's claims on matching: every way finds the same, or as many as it says."""

import dataclasses
import math
import re
import shutil
import tempfile
from types import SimpleNamespace

import faiss
import pytest
import torch

from al_bench.matcher.ivf import Ivf
from al_bench.seeding import generator
from benchmarks import (
    Goal,
    gan,
    indexes_gpu,
    matcher,
    matcher_gpu,
    matcher_mapped,
    matcher_scale,
)


@pytest.mark.parametrize("made", [matcher.falling, matcher.folded])
def test_the_matcher_and_the_tree_find_the_same(made):
    _, how, same = matcher.compared(made(3_000), 1)
    assert same
    assert "2,990 x 50, 10 queries" in how


def test_matching_at_scale_measures_three_ways_on_the_same_points():
    found = matcher_scale.apart(matcher_scale.compared, matcher.folded, 2_000)
    assert found.same, "tree and scan"
    one, other = found.exact.results[0]
    wrong = dataclasses.replace(found.exact, results=[(one, [*other[:-1], other[-1] + 1])])
    assert not dataclasses.replace(found, exact=wrong).same
    assert found.recall >= 0.98 and 1 <= found.probes <= found.lists == 134
    assert found.memory > 0.1
    assert "2,000 x 50, 10 queries" in found.how
    ratio, other, *_ = matcher_scale.rows("toy", found, Goal(1e-9), Goal(1e9))
    assert ratio.missed and other.missed is (found.recall < 0.99)
    lossy = dataclasses.replace(found, recall=0.989)
    assert matcher_scale.rows("toy", lossy, None, None)[1].missed, "fast, and finds something else"


def test_what_auto_took_is_measured_on_all_points():
    row = matcher_scale.auto("intrinsic dimension 12", 6_000)
    assert row.value > 0.98
    assert row.how.startswith("ivf: distances for a query") or row.how.startswith("exact: distances for a query")


def test_the_torch_matcher_and_a_plain_scan_find_the_same():
    against_scan, against_pass = matcher_gpu.compared(matcher.falling(3_000), 1, "a card")
    assert against_scan.agrees and min(against_scan.value, against_pass.value) > 0
    assert "2,990 x 50, 10 queries on a card" in against_scan.how
    assert [str(row.goal) for row in (against_scan, against_pass)] == ["at most 1.000 x", "at most 2.000 x"]


def test_a_rival_is_tuned_measured_on_others_and_missed_where_it_finds_less():
    rival = indexes_gpu.RIVALS["ivf_gpu"]
    points, others = matcher.folded(5_000).split([3_000, 2_000])
    ten, many = rows = indexes_gpu.beside(rival, "toy", points, others, 1, "a card")
    assert ten.name == "FAISS's inverted lists / torch matcher on a GPU, toy, 10 matched"
    assert many.name == "FAISS's inverted lists / torch matcher on a GPU, toy, 1,000 searched at once"
    words = re.compile(
        r"ms, torch [\d.]+ ms; 3,000 x 50 on a card; recall@1 (0\.9\d+|1\.0+) of 1,000 others at effort "
    )
    for row in rows:
        found = words.search(row.how)
        assert found is not None and float(found.group(1)) > 0.97, row.how
        assert row.value > 0 and row.agrees is (float(found.group(1)) >= 0.99)
    for row in indexes_gpu.beside(dataclasses.replace(rival, make=OneList), "toy", points, others, 1, "a card"):
        assert row.missed and "at effort 1 of 1;" in row.how


class OneList(Ivf):
    """Looks into the list of the nearest center alone, whatever it misses."""

    def __init__(self):
        super().__init__(None, 1, 40, 0)

    def build(self, features):
        super().build(features)
        self.most_effort = 1


@pytest.mark.skipif(hasattr(faiss, "StandardGpuResources"), reason="says what faiss-cpu lacks")
@pytest.mark.parametrize("name", indexes_gpu.RIVALS)
def test_a_rival_that_is_not_there_is_a_row_that_says_so(name):
    rival = indexes_gpu.RIVALS[name]
    row = indexes_gpu.skipped(rival, rival.lacks(torch.empty(0)))
    installed = f"FAISS {faiss.__version__} as it is installed"
    lacking = {
        "fused_gpu": "the features are on cpu, not on a GPU",
        "ivf_gpu": f"{installed} finds no GPU; faiss-gpu and faiss-gpu-cuvs are for one",
    }
    assert row.how == f"skipped: {lacking.get(name, f'{installed} was built without cuVS; faiss-gpu-cuvs has it')}"
    assert math.isnan(row.value) and not row.missed


@pytest.mark.gpu
def test_rows_of_a_gpu_name_the_card():
    rows = list(gan.measure_gpu((4, 8, 16), 8))
    assert len(rows) == 4 and all(row.agrees for row in rows)
    assert all(torch.cuda.get_device_name() in row.how for row in [*rows, *matcher_gpu.measure(3_000, 1)])


@pytest.mark.gpu
@pytest.mark.parametrize("name", indexes_gpu.RIVALS)
def test_rivals_on_a_gpu_keep_their_recall_or_say_what_they_lack(name):
    rows = list(indexes_gpu.measure(indexes_gpu.RIVALS[name], 20_000, 1))
    assert all(row.how.startswith("skipped: ") or row.agrees for row in rows)
    assert name != "fused_gpu" or len(rows) == 4


def test_mnists_images_are_measured_where_they_are(real_data):
    rows = matcher_scale.mnist(real_data, num_train=500, pairs=1)
    assert rows[0].agrees, "where no earlier query had the nearest"
    assert all("500 x 50, 10 queries" in row.how for row in rows)


def test_points_have_the_dimensions_that_they_are_said_to_have():
    falling, folded = matcher.falling(4_000), matcher.folded(4_000)
    torch.testing.assert_close(falling.std(0), torch.arange(1, 51).rsqrt(), rtol=0.1, atol=0)
    covariance = folded.T.cov()
    assert (covariance - covariance.diag().diag()).abs().max() < 1e-3 * covariance.max(), "rotated by PCA"
    assert torch.equal(covariance.diag().sort(descending=True).values, covariance.diag())
    assert 8 < intrinsic_dimension(folded) < 16 < intrinsic_dimension(falling)


def intrinsic_dimension(points, neighbors=20):
    """The maximum likelihood estimate of Levina and Bickel (2004), the mean over points as MacKay takes it."""
    distances = torch.cdist(points, points).topk(neighbors + 1, largest=False).values[:, 1:]
    return float(1 / (distances[:, -1:] / distances[:, :-1]).log().mean())


def test_recall_in_a_mapped_file_is_of_other_queries_than_were_tuned_on(monkeypatch, tmp_path):
    monkeypatch.setattr(matcher_mapped, "apart", lambda task, *arguments: task(*arguments))
    monkeypatch.setattr(matcher_mapped, "BLOCK", 700)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    rows = list(matcher_mapped.measure((1000, 3000)))
    kinds = list(matcher_mapped.KINDS)
    sizes = ["1,000, {}, recall", "3,000, {}, recall", "3,000, {}, memory"]
    assert [row.name for row in rows] == ["ivf_pq " + name.format(kind) for kind in kinds for name in sizes]
    assert all(row.value > 0.9 for row in rows if row.name.endswith("recall"))
    assert "3,000 x 50 in a mapped file of 0.0 GiB: " in rows[1].how and " of 27 lists" in rows[1].how
    assert 0.05 < rows[2].value < 3 and not list(tmp_path.iterdir())
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=0))
    skipped = next(iter(matcher_mapped.measure((10**8,))))
    assert skipped.how == f"skipped: 18.6 GiB more are needed in {tmp_path}" and not skipped.missed


def test_points_of_the_mapped_file_are_as_those_of_the_others():
    """In deviation by dimension; folded ones by as many dimensions, turned so that the first varies most."""
    for kind, points in (
        ("deviation 1/sqrt(rank)", matcher.falling(4000)),
        ("intrinsic dimension 12", matcher.folded(4000)),
    ):
        rng = generator(1)
        others = matcher_mapped.KINDS[kind](rng)(4000, rng)
        torch.testing.assert_close(others.std(0), points.std(0), atol=0.02 * float(points.std(0).max()), rtol=0.15)
