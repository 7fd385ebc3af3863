from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from al_bench.artifacts import Artifacts
from al_bench.dataset import Dataset, Split
from al_bench.errors import InputError
from al_bench.feature import Feature
from al_bench.feature.pixel import Pixel
from al_bench.gan import Players
from al_bench.matcher.exact import Exact
from al_bench.network import Network
from al_bench.pool import Pool
from al_bench.query import Query
from al_bench.scores import entropy
from al_bench.seeding import generator
from al_bench.strategy.asal import Asal


class Gray(nn.Module):
    """A latent (B, 1) as an image of one pixel: black at -inf, middle gray at 0, white at +inf."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, latents: Tensor) -> Tensor:
        return (latents * self.scale).sigmoid()[:, :, None, None]


class HandMade:
    """A GAN that needs no training."""

    def trained(self, dataset: Dataset, artifacts: Artifacts) -> Players:
        return Players(Gray(), nn.Identity(), 1).eval().requires_grad_(False)


class Embedding(Feature):
    """The model's own features, F_CLS of ASAL."""

    follows_model: ClassVar[bool] = True

    def size(self, image_shape: Sequence[int]) -> int:
        return 1

    def extract(self, images: Tensor, model: Network | None) -> Tensor:
        assert model is not None
        return model.embed(images)


PIXELS = [0, 255, 120, 128, 50, 130, 126, 127, 200, 140]


def model_with_boundary(gray: float, slope: float = 8.0) -> Network:
    """White above `gray`, black below."""
    last = nn.Linear(1, 2)
    last.weight.data, last.bias.data = torch.tensor([[slope], [0.0]]), torch.tensor([-slope * gray / 255, 0.0])
    return Network(nn.Flatten(), nn.Identity(), last).eval()


def made_pool() -> tuple[Network, Pool]:
    """Gray pixels; the model's boundary is at 127.5; 127 is labeled, and so are black and white."""
    pool = Pool.unlabeled_from(torch.tensor(PIXELS, dtype=torch.uint8)[:, None, None, None], 2)
    return model_with_boundary(127.5), pool.with_labels(Query(indices=torch.tensor([0, 1, 7])), torch.tensor([1, 0, 1]))


def made_strategy(pool: Pool, tmp_path: Path, feature: Feature | None = None) -> Asal:
    adam = partial(torch.optim.Adam, lr=0.1)
    strategy = Asal(HandMade(), feature or Pixel(), Exact("auto"), 200, adam, None, 50, entropy)  # type: ignore[arg-type]
    images = Split(pool.inputs, torch.zeros(len(pool)))
    strategy.prepare(Dataset(images, None, images, 2, ("black", "white")).blind(), Artifacts(tmp_path))
    return strategy


def test_asks_for_the_neighbors_of_the_boundary(tmp_path: Path) -> None:
    """All synthetic images come to 127.5; a descent would end at black and white, and take 50 and 200."""
    model, pool = made_pool()
    query = made_strategy(pool, tmp_path).query(model, pool, 5, generator(0))
    assert query.indices is not None
    assert query.scores is not None
    assert query.ranks is not None
    assert [PIXELS[position] for position in query.indices.tolist()] == [128, 126, 130, 120, 140]
    assert query.ranks.tolist()[2:] == [3, 4, 5]
    assert set(query.ranks.tolist()[:2]) <= {0, 1, 2}
    torch.testing.assert_close(query.scores, torch.full((5,), 2.0).log(), atol=1e-4, rtol=0)


def test_records_what_happened_inside(tmp_path: Path) -> None:
    model, pool = made_pool()
    trace = made_strategy(pool, tmp_path).query(model, pool, 5, generator(0)).trace
    assert {name: len(rows) for name, rows in trace.items()} == dict.fromkeys(
        [
            *("entropy_before", "entropy_after", "norm_before", "norm_after"),
            *("entropy_of_match", "distance_to_match", "generated"),
        ],
        5,
    )
    assert trace["generated"].dtype == torch.uint8
    assert trace["generated"].shape == (5, 1, 1, 1)
    assert set(trace["generated"].flatten().tolist()) <= {127, 128}
    assert (trace["entropy_after"] > trace["entropy_before"]).all()
    grays = torch.tensor([128, 126, 130, 120, 140]) / 255
    torch.testing.assert_close(trace["distance_to_match"].float(), (grays - 0.5).abs(), atol=1e-3, rtol=0)
    torch.testing.assert_close(trace["entropy_of_match"], entropy(model(grays[:, None, None, None])).detach())


def test_takes_the_pool_to_its_end(tmp_path: Path) -> None:
    model, pool = made_pool()
    query = made_strategy(pool, tmp_path).query(model, pool, 7, generator(0))
    assert query.indices is not None
    assert sorted(query.indices.tolist()) == pool.unlabeled.tolist()


def test_matching_is_by_features_and_not_by_the_score(tmp_path: Path) -> None:
    """Three values of entropy log 2 under this flat model; the match is still the nearest gray."""
    _, pool = made_pool()
    flat = model_with_boundary(127.5, slope=0.0)
    strategy = made_strategy(pool, tmp_path)
    query = strategy.query(flat, pool, 1, generator(0))
    assert query.indices is not None
    gray = float(strategy.players.generator(strategy.players.draw(1, generator(0)))) * 255
    free = {position: abs(PIXELS[position] - gray) for position in pool.unlabeled.tolist()}
    assert query.indices.tolist() == [min(free, key=free.__getitem__)]


def test_the_pool_is_indexed_once_unless_features_follow_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, pool = made_pool()
    fits = []
    fit = Exact.fit
    monkeypatch.setattr(Exact, "fit", lambda self, features: (fits.append(features), fit(self, features))[1])
    fixed, following = made_strategy(pool, tmp_path), made_strategy(pool, tmp_path, Embedding())
    assert len(fits) == 1
    for strategy in (fixed, following):
        for _ in range(2):
            strategy.query(model, pool, 1, generator(0))
    assert len(fits) == 3
    assert fits[-1].shape == (10, 1)


@pytest.mark.parametrize("missing", ["gan", "feature"])
def test_refuses_to_go_without(missing: str) -> None:
    parts = {"gan": HandMade(), "feature": Pixel()} | {missing: None}
    with pytest.raises(InputError, match=f"{missing}=none"):
        Asal(
            **parts, matcher=Exact("auto"), steps=1, optimizer=torch.optim.Adam, z_batch=None, pca_size=1, score=entropy
        )
