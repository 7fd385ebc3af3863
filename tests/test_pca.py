import pytest
import torch
from sklearn.decomposition import PCA

from al_bench.pca import fit_pca


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
    with pytest.raises(ValueError, match="finite"):
        fit_pca([torch.tensor([[1.0, float("nan")]])], 1)
    with pytest.raises(ValueError, match="got none"):
        fit_pca([], 1)
