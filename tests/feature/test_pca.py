import weakref
from pathlib import Path

import pytest
import torch
from sklearn.decomposition import PCA

from al_bench.feature.pca import fit_pca


def correlated(num_rows: int, size: int, offset: float = 0.0) -> torch.Tensor:
    rng = torch.Generator().manual_seed(0)
    mixing = torch.randn(size, size, generator=rng)
    return torch.randn(num_rows, size, generator=rng) @ mixing + offset


def test_equals_scikit_learn_signs_included():
    features = correlated(500, 12)
    expected = PCA(5, svd_solver="full").fit(features.double().numpy())
    pca = fit_pca(features.split(64), 5)
    torch.testing.assert_close(pca.components.double(), torch.from_numpy(expected.components_), atol=1e-5, rtol=0)
    projected = torch.from_numpy(expected.transform(features.double().numpy()))
    torch.testing.assert_close(pca.project(features).double(), projected, atol=1e-4, rtol=0)


def test_few_of_many_equal_scikit_learn_too():
    """Twelve features that vary and 388 that hardly do: the leading directions are found without the others."""
    features = torch.cat(
        [correlated(300, 12), 1e-3 * torch.randn(300, 388, generator=torch.Generator().manual_seed(1))], 1
    )
    expected = PCA(5, svd_solver="full").fit(features.double().numpy())
    pca = fit_pca(features.split(64), 5)
    torch.testing.assert_close(pca.components.double(), torch.from_numpy(expected.components_), atol=1e-5, rtol=0)


def test_more_directions_than_the_rows_have():
    """Twenty rows of 400 features: 19 directions, the others are orthonormal all the same."""
    components = fit_pca([torch.randn(20, 400, generator=torch.Generator().manual_seed(0))], 30).components
    torch.testing.assert_close(components @ components.T, torch.eye(30), atol=1e-5, rtol=0)


def of_rank(rank, offset=0.0):
    rng = torch.Generator().manual_seed(rank)
    return torch.randn(60, rank, generator=rng) @ torch.randn(rank, 100, generator=rng) + offset


@pytest.mark.parametrize(
    "rows",
    [
        torch.zeros(60, 100),
        torch.ones(60, 100),
        torch.rand(1, 100, generator=torch.Generator().manual_seed(0)).expand(60, -1),
        torch.cat([of_rank(3)[:, :3], torch.ones(60, 97)], 1),
        torch.cat([of_rank(1)[:, :1], torch.zeros(60, 99)], 1),
        of_rank(1),
        of_rank(4, offset=100.0),
    ],
    ids=["black", "white", "one", "three that vary", "one that varies", "a line", "four directions"],
)
def test_rows_of_fewer_directions_than_are_asked_for(rows):
    """Orthonormal directions, the same each time, that lose none of the distances."""
    first, second = (fit_pca(rows.split(16), 10) for _ in range(2))
    assert torch.equal(first.components, second.components)
    torch.testing.assert_close(first.components @ first.components.T, torch.eye(10), atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.pdist(first.project(rows)), torch.pdist(rows), atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("batch_size", [1, 7, 500])
def test_does_not_depend_on_the_batches_even_far_from_zero(batch_size):
    """A covariance from raw sums of float32 squares would lose all digits at an offset of 1e4."""
    near, far = fit_pca([correlated(500, 6)], 6), fit_pca(correlated(500, 6, offset=1e4).split(batch_size), 6)
    torch.testing.assert_close(far.components, near.components, atol=2e-3, rtol=0)


def test_all_components_keep_distances():
    features = correlated(40, 6)
    projected = fit_pca([features], 50).project(features)
    assert projected.shape == (40, 6)
    torch.testing.assert_close(torch.pdist(projected), torch.pdist(features), atol=1e-4, rtol=0)


def test_refuses_what_is_not_finite():
    with pytest.raises(FloatingPointError, match="finite"):
        fit_pca([torch.tensor([[1.0, float("nan")]])], 1)
    with pytest.raises(ValueError, match="got none"):
        fit_pca([], 1)


def test_holds_one_batch_at_a_time_however_many_there_are():
    """What is held of the pool is its mean and scatter; a batch is gone when the next but one is read."""
    batches = []

    def read():
        for number in range(30):
            assert sum(batch() is not None for batch in batches) <= 2
            batch = torch.randn(100, 8, generator=torch.Generator().manual_seed(number))
            batches.append(weakref.ref(batch))
            yield batch

    fit_pca(read(), 5)
    assert len(batches) == 30


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="reads the peak of memory as Linux tells it")
def test_memory_does_not_grow_with_the_pool():
    """A stream of 256 MiB through 256 features, whose scatter takes half a MiB and whose batches take 2."""
    batch = torch.randn(2048, 256, generator=torch.Generator().manual_seed(0))
    fit_pca([batch] * 2, 5)  # what the libraries take once
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    fit_pca((batch + number for number in range(128)), 5)
    assert resident("VmHWM") - before < 50 * 2**20


def resident(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))
