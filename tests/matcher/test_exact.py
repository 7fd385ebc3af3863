import importlib.util
from typing import Literal

import faiss
import pytest
import torch

from al_bench.errors import UserError
from al_bench.matcher.exact import Exact, nearest
from al_bench.seeding import generator


@pytest.fixture
def without_faiss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


@pytest.mark.parametrize("backend", ["faiss", "torch"])
@pytest.mark.parametrize(("rows", "columns"), [(256, 2**16), (3, 7), (1, 1), (100, 10)])
def test_blocks_of_any_size_find_the_same(
    monkeypatch: pytest.MonkeyPatch, backend: Literal["faiss", "torch"], rows: int, columns: int
) -> None:
    features, queries = torch.randn(100, 5, generator=generator(0)), torch.randn(11, 5, generator=generator(1))
    for name, size in (("_QUERIES", rows), ("_FEATURES", columns), ("_CACHED", columns)):
        monkeypatch.setattr(f"al_bench.matcher.exact.{name}", size)
    by_definition = torch.cdist(queries.double(), features.double()).argsort(1)
    matcher = Exact(backend)
    matcher.fit(features)
    for count in (1, 8, 100):
        assert torch.equal(matcher.search(queries, count), by_definition[:, :count])


@pytest.mark.usefixtures("without_faiss")
def test_auto_does_without_faiss() -> None:
    matcher = Exact("auto")
    matcher.fit(torch.tensor([[0.0], [2.0]]))
    assert matcher.rows is None and matcher.index is None
    assert matcher.match(torch.tensor([[1.5]]), torch.arange(0), generator(0)).indices.tolist() == [1]


def test_auto_takes_faiss_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    matcher = Exact("auto")
    matcher.fit(torch.tensor([[0.0], [2.0]]))
    monkeypatch.setattr("al_bench.matcher.exact.nearest", None)
    assert matcher.match(torch.tensor([[1.5]]), torch.arange(0), generator(0)).indices.tolist() == [1]


@pytest.mark.parametrize("backend", ["faiss", "torch"])
def test_keeps_no_copy_of_the_features(backend: Literal["faiss", "torch"]) -> None:
    matcher, features = Exact(backend), torch.randn(50, 4, generator=generator(0))
    matcher.fit(features)
    assert matcher.features.data_ptr() == features.data_ptr()
    assert matcher.rows is None or matcher.rows.ctypes.data == features.data_ptr()


@pytest.mark.usefixtures("without_faiss")
def test_refuses_a_backend_that_is_not_there() -> None:
    with pytest.raises(UserError, match="backend=faiss: FAISS is not installed"):
        Exact("faiss")


def test_faiss_has_as_many_threads_as_torch() -> None:
    matcher = Exact("faiss")
    matcher.fit(torch.zeros(2, 1))
    faiss.omp_set_num_threads(2)
    torch.set_num_threads(1)  # where both share one OpenMP, FAISS's call was torch's too
    matcher.match(torch.zeros(1, 1), torch.arange(0), generator(0))
    assert faiss.omp_get_max_threads() == torch.get_num_threads() == 1


def test_fused_says_that_there_is_no_gpu_and_finds_the_same(caplog: pytest.LogCaptureFixture) -> None:
    features, queries = torch.randn(100, 5, generator=generator(0)), torch.randn(11, 5, generator=generator(1))
    fused, plain = Exact("fused"), Exact("torch")
    for matcher in (fused, plain):
        matcher.fit(features)
    assert torch.equal(fused.search(queries, 16), plain.search(queries, 16))
    why = "the features are on cpu, not on a GPU"
    assert caplog.messages == [f"matcher.backend=fused: {why}, so torch scans them, which finds the same"]


@pytest.mark.gpu
@pytest.mark.parametrize(("count", "size"), [(16, 50), (64, 512), (65, 3)])
def test_one_pass_on_a_gpu_finds_the_nearest(count: int, size: int) -> None:
    """More features than lanes. As far as float32 tells distances apart, each position once."""
    features, queries = (
        torch.randn(80_000, size, generator=generator(0)),
        torch.randn(100, size, generator=generator(1)),
    )
    matcher = Exact("fused")
    matcher.fit(features.cuda())
    assert matcher.scan is not nearest
    found = matcher.search(queries.cuda(), count).cpu()
    distances = torch.cdist(queries.double(), features.double())
    expected = distances.topk(count, largest=False).values
    torch.testing.assert_close(distances.gather(1, found), expected, rtol=1e-5, atol=1e-5)
    assert (found.sort(1).values.diff(dim=1) > 0).all()


@pytest.mark.gpu
@pytest.mark.parametrize("backend", ["auto", "torch", "fused"])
def test_on_a_gpu_as_on_the_cpu(backend: str) -> None:
    """Duplicates make the search fetch more than FAISS returns on a GPU."""
    features = torch.randn(5000, 6, generator=generator(0))
    features[:3000] = 1.0
    queries, taken = torch.ones(20, 6), torch.arange(2995)
    there, here = Exact(backend), Exact("torch")  # type: ignore[arg-type]
    there.fit(features.cuda())
    here.fit(features)
    assert torch.equal(
        there.match(queries.cuda(), taken, generator(0)).indices.cpu(), here.match(queries, taken, generator(0)).indices
    )
