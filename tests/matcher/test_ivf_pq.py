"""Inverted lists of four-bit codes: what they miss, what is looked at twice, and what they hold."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from faiss import vector_to_array
from torch import Tensor

from al_bench.matcher.exact import Exact
from al_bench.matcher.ivf_pq import IvfPq
from al_bench.matcher.tuning import nearest_squared, recall, tune
from al_bench.seeding import generator


def fitted(features: Tensor, **options: Any) -> IvfPq:
    settings = {"lists": None, "probes": 1, "sample_per_list": 40, "features_per_code": 1, "refine": 4, "seed": 0}
    matcher = IvfPq(**{**settings, **options})
    matcher.fit(features)
    return matcher


def drawn(count: int, size: int = 16, seed: int = 0) -> Tensor:
    return torch.randn(count, size, generator=generator(seed))


def exact(features: Tensor) -> Exact:
    matcher = Exact("torch")
    matcher.fit(features)
    return matcher


def test_lists_are_half_the_root_and_at_most_the_features() -> None:
    features = drawn(2500)
    assert fitted(features).index.nlist == 25
    assert fitted(features, lists=7).index.nlist == 7
    assert fitted(features[:3], lists=7).index.nlist == 3
    assert fitted(features[:1]).index.nlist == 1


def test_recall_is_what_probes_and_a_second_look_make_it() -> None:
    """In sixteen dimensions of equal weight, where codes tell least; without the second look one of eight is lost."""
    features, queries = drawn(20_000), drawn(1000, seed=1)
    least = nearest_squared(exact(features), queries)
    matcher = fitted(features)
    few = recall(matcher, queries, least)
    assert tune(matcher, queries, least, 0.97) >= 0.97
    assert few < 0.6 < 0.97 <= recall(matcher, queries, least)
    assert 1 < matcher.effort < matcher.most_effort
    first = exact(features).search(queries, 1)
    by_code, twice = (
        float((fitted(features, probes=71, refine=refine).search(queries, 1) == first).double().mean())
        for refine in (1, 16)
    )
    assert by_code < 0.9 < 0.99 < twice


def test_of_what_the_codes_bring_up_the_distances_decide() -> None:
    features, queries = drawn(3000), drawn(300, seed=1)
    found = fitted(features, probes=27).search(queries, 20)
    distances = (features[found] - queries[:, None]).norm(dim=2)
    assert (distances.diff(dim=1) >= -1e-6).all()
    assert torch.equal(found[:, 0], exact(features).search(queries, 1)[:, 0])


def test_everything_is_found_where_everything_is_fetched() -> None:
    features = drawn(200)
    found = fitted(features, lists=5, probes=5, refine=10).search(drawn(7, seed=1), 200)
    assert torch.equal(found, exact(features).search(drawn(7, seed=1), 200))


def test_what_is_in_no_cell_that_is_probed_is_not_found() -> None:
    features = torch.cat([drawn(30), drawn(20, seed=1) + 100])
    found = fitted(features, lists=2).search(torch.full((1, 16), 100.0), 50)[0]
    assert sorted(found.tolist()) == [-1] * 30 + list(range(30, 50))
    assert found[20:].eq(-1).all(), "those that are not there stand at the end"


@pytest.mark.parametrize(("per_code", "size", "columns", "code"), [(1, 50, 50, 25), (2, 50, 50, 13), (4, 10, 12, 2)])
def test_codes_are_an_eighth_of_the_features(per_code: int, size: int, columns: int, code: int) -> None:
    features = drawn(2000, size)
    matcher = fitted(features, features_per_code=per_code, probes=22, refine=20)
    assert (matcher.index.d, matcher.index.code_size) == (columns, code)
    assert (matcher.search(features[:100], 1)[:, 0] == torch.arange(100)).double().mean() > 0.98


def test_features_in_a_mapped_file_are_searched_where_they_are(tmp_path: Path) -> None:
    features, queries = drawn(3000), drawn(50, seed=1)
    np.save(tmp_path / "features.npy", features.numpy())
    mapped = torch.from_numpy(np.asarray(np.load(tmp_path / "features.npy", mmap_mode="c")))
    matcher = fitted(mapped)
    assert matcher.features.data_ptr() == mapped.data_ptr()
    expected = fitted(features).match(queries, torch.arange(1000), generator(0))
    assert torch.equal(matcher.match(queries, torch.arange(1000), generator(0)).indices, expected.indices)


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="Linux says there how it reads")
def test_nothing_is_read_ahead_of_rows_here_and_there(tmp_path: Path) -> None:
    np.save(tmp_path / "features.npy", drawn(3000).numpy())
    mapped = torch.from_numpy(np.asarray(np.load(tmp_path / "features.npy", mmap_mode="c")))

    def flags() -> set[str]:
        parts = Path("/proc/self/smaps").read_text().split(str(tmp_path / "features.npy"))[1:]
        return {flag for part in parts for flag in part.split("VmFlags:")[1].splitlines()[0].split()}

    assert "rr" not in flags()
    fitted(mapped)
    assert "rr" in flags(), "random reads"


def test_the_same_seed_the_same_index() -> None:
    features, queries = drawn(4000), drawn(40, seed=1)
    first, again, other = (fitted(features, sample_per_list=2, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.search(queries, 60), again.search(queries, 60))
    assert not torch.equal(first.search(queries, 60), other.search(queries, 60))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e18])
def test_features_of_any_size_and_few_of_them(scale: float, capfd: pytest.CaptureFixture[str]) -> None:
    features = scale * drawn(5, 3)
    found = fitted(features, probes=2).match(features, torch.arange(0), generator(0))
    assert found.indices.tolist() == list(range(5))
    assert not fitted(torch.zeros(100, 3)).match(torch.zeros(9, 3), torch.arange(0), generator(0)).distances.any()
    assert capfd.readouterr() == ("", ""), "FAISS warns of small samples"


def test_codes_are_of_the_seed_too() -> None:
    """One cell has the same center for every seed."""
    features = drawn(500)
    matchers = [fitted(features, lists=1, sample_per_list=500, seed=seed) for seed in (0, 0, 1)]
    first, again, other = (vector_to_array(matcher.index.pq.centroids) for matcher in matchers)
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_uneven_cells_are_more_work() -> None:
    """A query lies in a cell as often as a feature does, and meets all that are there."""
    corners = torch.eye(4, 16)
    matcher = fitted(corners[torch.tensor([0] * 97 + [1, 2, 3])] * 100, lists=4)
    lengths = [matcher.index.invlists.list_size(cell) for cell in range(4)]
    assert max(lengths) >= 97
    assert matcher.evenness == pytest.approx(4 * sum(length**2 for length in lengths) / 100**2)
    assert matcher.work(corners[:1])[1] == pytest.approx(4 + 25 * matcher.evenness)
