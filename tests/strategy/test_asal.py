import math
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from composing import compose
from omegaconf import OmegaConf
from torch import Tensor, nn

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.active.scores import boundary_closeness, entropy
from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError
from al_bench.feature import Feature
from al_bench.feature.classifier import Classifier
from al_bench.feature.pixel import Pixel
from al_bench.gan import GanNetworks
from al_bench.matcher.exact import Exact
from al_bench.network import Network
from al_bench.network.linear import Linear
from al_bench.seeding import generator
from al_bench.storage.artifacts import Artifacts
from al_bench.strategy.asal import Asal
from al_bench.training import cost


class Gray(nn.Module):
    """A latent (B, 1) as an image of one pixel: black at -inf, middle gray at 0, white at +inf."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, latents: Tensor) -> Tensor:
        return (latents * self.scale).sigmoid()[:, :, None, None]


class HandMade:
    """A GAN that needs no training."""

    def trained(self, dataset: Dataset, artifacts: Artifacts) -> GanNetworks:
        return GanNetworks(Gray(), nn.Identity(), 1).eval().requires_grad_(False)


PIXELS = [0, 255, 120, 128, 50, 130, 126, 127, 200, 140]


def model_with_boundary(gray: float, slope: float = 8.0) -> Network:
    """White above `gray`, black below."""
    last = nn.Linear(1, 2)
    last.weight.data, last.bias.data = torch.tensor([[slope], [0.0]]), torch.tensor([-slope * gray / 255, 0.0])
    return Network(nn.Flatten(), nn.Identity(), last).eval()


def made_pool() -> tuple[Network, Pool]:
    """Gray pixels; the model's boundary is at 127.5; 127 is labeled, and so are black and white."""
    pool = Pool.unlabeled_from(torch.tensor(PIXELS, dtype=torch.uint8)[:, None, None, None], 2)
    return model_with_boundary(127.5), pool.with_labels(PoolQuery(torch.tensor([0, 1, 7])), torch.tensor([1, 0, 1]))


def made_strategy(pool: Pool, tmp_path: Path, feature: Feature | None = None, steps: int = 200, **options: Any) -> Asal:
    adam = partial(torch.optim.Adam, lr=0.1)
    settings = {"pca_size": 50, "score": entropy} | options
    strategy = Asal(HandMade(), feature or Pixel(), Exact("auto"), steps, adam, None, **settings)  # type: ignore[arg-type]
    images = Split(pool.inputs, torch.zeros(len(pool)))
    strategy.prepare(Dataset(images, None, images, 2, ("black", "white")).blind(), Artifacts(tmp_path))
    return strategy


def test_asks_for_the_neighbors_of_the_boundary(tmp_path: Path) -> None:
    """All synthetic images come to 127.5; a descent would end at black and white, and take 50 and 200."""
    model, pool = made_pool()
    query = made_strategy(pool, tmp_path).query(model, pool, 5, generator(0))
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
            *("entropy_of_match", "distance_to_match", "generated", "pool_best_entropy"),
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
    # The five nearest to 127.5 are also the pool's five most uncertain, here in their order
    best = torch.tensor([128, 126, 130, 120, 140]) / 255
    torch.testing.assert_close(trace["pool_best_entropy"], entropy(model(best[:, None, None, None])).detach())


def test_the_traces_against_a_slow_second_version(tmp_path: Path) -> None:
    """Of images that are hardly moved, so that no two of the numbers are equal."""
    model, pool = made_pool()
    query = made_strategy(pool, tmp_path, steps=1).query(model, pool, 4, generator(3))
    start = torch.randn(4, 1, generator=generator(3)).flatten().tolist()
    free = {position: PIXELS[position] / 255 for position in pool.unlabeled.tolist()}
    for row, latent in enumerate(start):
        trace = {name: values[row] for name, values in query.trace.items()}
        end = latent - 0.1 * (1 if latent > 0 else -1)  # the first step of Adam is its rate, towards the boundary at 0
        assert float(trace["norm_before"]) == pytest.approx(abs(latent), abs=1e-6)
        assert float(trace["norm_after"]) == pytest.approx(abs(end), abs=1e-5)
        gray = 1 / (1 + math.exp(-end))
        assert float(trace["entropy_before"]) == pytest.approx(entropy_of(1 / (1 + math.exp(-latent))), abs=1e-5)
        assert float(trace["entropy_after"]) == pytest.approx(entropy_of(gray), abs=1e-5)
        assert query.scores is not None
        assert float(query.scores[row]) == pytest.approx(entropy_of(gray), abs=1e-5)
        match = min(free, key=lambda position: abs(free[position] - gray))
        assert query.indices[row] == match
        assert float(trace["distance_to_match"]) == pytest.approx(abs(free[match] - gray), abs=1e-5)
        assert float(trace["entropy_of_match"]) == pytest.approx(entropy_of(free.pop(match)), abs=1e-5)
        assert int(trace["generated"]) == round(gray * 255)
    entropies = sorted((entropy_of(PIXELS[position] / 255) for position in pool.unlabeled.tolist()), reverse=True)
    assert query.trace["pool_best_entropy"].tolist() == pytest.approx(entropies[:4], abs=1e-5)


def entropy_of(gray: float) -> float:
    """Of the model's two answers to a gray, from 0 to 1."""
    p = 1 / (1 + math.exp(-8 * (gray - 0.5)))
    return -p * math.log(p) - (1 - p) * math.log(1 - p)


def test_the_pool_is_not_scanned_where_that_is_not_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, pool = made_pool()
    strategy = made_strategy(pool, tmp_path, scan_pool=False)
    scanned = []
    forward = model.forward
    monkeypatch.setattr(model, "forward", lambda inputs: (scanned.append(len(inputs)), forward(inputs))[1])
    query = strategy.query(model, pool, 2, generator(0))
    assert "pool_best_entropy" not in query.trace
    assert set(scanned) == {2}, "the images that were made and their matches, and no more"


@pytest.mark.parametrize("times", [1, 4])
def test_what_is_recorded_alone_is_not_in_the_querys_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """By a clock that passes a second for each image that the model sees: the query takes as long as its search,
    however large the pool is, and its scan is a cost of its own."""
    model, _ = made_pool()
    grays = torch.tensor(PIXELS * times, dtype=torch.uint8)[:, None, None, None]
    pool = Pool.unlabeled_from(grays, 2).with_labels(PoolQuery(torch.tensor([0, 1])), torch.tensor([1, 0]))
    strategy, seen, forward = made_strategy(pool, tmp_path, steps=6), [0.0], model.forward
    monkeypatch.setattr(model, "forward", lambda inputs: (seen.append(len(inputs)), forward(inputs))[1])
    monkeypatch.setattr(cost.time, "perf_counter", lambda: sum(seen))
    with cost.measure_cost() as spent:
        strategy.query(model, pool, 3, generator(0))
    assert spent.seconds == 6 * 3, "steps times images"
    assert {part: apart.seconds for part, apart in spent.apart.items()} == {
        "scan": len(PIXELS) * times - 2,
        "record": 4 * 3,  # entropies before, after and of the match, and the score
    }


def slowly_matched(grays: list[float], neighbors: int, pool: Pool) -> list[tuple[int, int]]:
    """Position and synthetic image of each candidate: each image's nearest free one, then each one's second, ..."""
    free, found = set(pool.unlabeled.tolist()), []
    for _ in range(neighbors):
        for row, gray in enumerate(grays):
            nearest = min(free, key=lambda position: (abs(PIXELS[position] / 255 - gray), position))
            free.remove(nearest)
            found.append((nearest, row))
    return found


@pytest.mark.parametrize(
    ("candidates_from", "candidates", "synthetic", "neighbors"),
    [
        *[("generator", 4, 4, 1), ("generator", 6, 6, 1), ("generator", 99, 7, 1), ("generator", 1, 2, 1)],
        *[("neighbors", 4, 2, 2), ("neighbors", 7, 2, 3), ("neighbors", 99, 2, 3), ("neighbors", 2, 2, 1)],
    ],
)
def test_the_most_uncertain_of_several_candidates_against_plain_loops(
    candidates_from: str, candidates: int, synthetic: int, neighbors: int, tmp_path: Path
) -> None:
    """Fig. 16. Seven are unlabeled and two are asked for: never fewer candidates, never more than are left."""
    model, pool = made_pool()
    strategy = made_strategy(pool, tmp_path, steps=0, candidates=candidates, candidates_from=candidates_from)
    query = strategy.query(model, pool, 2, generator(8))
    grays = torch.randn(synthetic, 1, generator=generator(8)).sigmoid().flatten().tolist()
    found = slowly_matched(grays, neighbors, pool)
    if len(found) > 2:
        found = sorted(found, key=lambda pair: -entropy_of(PIXELS[pair[0]] / 255))[:2]
    assert query.indices.tolist() == [position for position, _ in found]
    assert query.trace["generated"].flatten().tolist() == [round(grays[row] * 255) for _, row in found]
    distances = [abs(PIXELS[position] / 255 - grays[row]) for position, row in found]
    assert query.trace["distance_to_match"].tolist() == pytest.approx(distances, abs=1e-5)
    assert query.scores is not None
    assert query.scores.tolist() == pytest.approx([entropy_of(grays[row]) for _, row in found], abs=1e-5)
    assert query.ranks is not None
    for (position, row), rank in zip(found, query.ranks.tolist(), strict=True):
        assert rank == sum(abs(p / 255 - grays[row]) < abs(PIXELS[position] / 255 - grays[row]) for p in PIXELS)


def test_a_draw_decides_between_candidates_of_equal_score(tmp_path: Path) -> None:
    """Under a flat model all seven are: which two of them are asked for is another pair by another generator."""
    _, pool = made_pool()
    flat = model_with_boundary(127.5, slope=0.0)
    strategy = made_strategy(pool, tmp_path, steps=0, candidates=7)
    pairs = set()
    for seed in range(6):
        made = torch.randn(7, 1, generator=generator(seed)).sigmoid().mul(255).round().flatten().tolist()
        shown = strategy.query(flat, pool, 2, generator(seed)).trace["generated"].flatten().tolist()
        pairs.add(tuple(made.index(gray) for gray in shown))
    assert len(pairs) > 3


def test_minimum_distance_ascends_and_ranks_by_its_own_score(tmp_path: Path) -> None:
    model, pool = made_pool()
    strategy = made_strategy(pool, tmp_path, score=boundary_closeness, candidates=7)
    query = strategy.query(model, pool, 3, generator(0))
    assert query.scores is not None
    assert [PIXELS[position] for position in query.indices.tolist()] == [128, 126, 130]
    assert query.scores.abs().max() < 0.1
    assert query.scores.max() <= 0


def test_takes_the_pool_to_its_end(tmp_path: Path) -> None:
    model, pool = made_pool()
    query = made_strategy(pool, tmp_path).query(model, pool, 7, generator(0))
    assert sorted(query.indices.tolist()) == pool.unlabeled.tolist()


def test_matching_is_by_features_and_not_by_the_score(tmp_path: Path) -> None:
    """Three values of entropy log 2 under this flat model; the match is still the nearest gray."""
    _, pool = made_pool()
    flat = model_with_boundary(127.5, slope=0.0)
    strategy = made_strategy(pool, tmp_path)
    query = strategy.query(flat, pool, 1, generator(0))
    gray = float(strategy.networks.generator(strategy.networks.draw(1, generator(0)))) * 255
    free = {position: abs(PIXELS[position] - gray) for position in pool.unlabeled.tolist()}
    assert query.indices.tolist() == [min(free, key=free.__getitem__)]


def test_the_pool_is_indexed_once_unless_features_follow_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, pool = made_pool()
    fits = []
    fit = Exact.fit
    monkeypatch.setattr(Exact, "fit", lambda self, features: (fits.append(features), fit(self, features))[1])
    fixed, following = made_strategy(pool, tmp_path), made_strategy(pool, tmp_path, made_classifier())
    assert len(fits) == 1
    for strategy in (fixed, following):
        for _ in range(2):
            strategy.query(model, pool, 1, generator(0))
    assert len(fits) == 3
    assert fits[-1].shape == (10, 1)


def made_classifier() -> Classifier:
    return Classifier(Linear)


class Folded(nn.Module):
    """Grays by how far they are from one of them."""

    def __init__(self, at: float) -> None:
        super().__init__()
        self.at = at

    def forward(self, images: Tensor) -> Tensor:
        return (images.flatten(1) - self.at / 255).abs()


def test_each_cycle_matches_in_the_space_of_its_own_model(tmp_path: Path) -> None:
    """A gray of 100 is, folded at 90, nearest to 80 and, folded at 150, to 200; unmoved by what was indexed before."""
    pool = Pool.unlabeled_from(torch.tensor([80, 200, 115, 255], dtype=torch.uint8)[:, None, None, None], 2)
    strategy = made_strategy(pool, tmp_path, made_classifier(), steps=0)
    strategy.networks.draw = lambda count, rng: torch.full((count, 1), 100 / 255).logit()  # type: ignore[method-assign]
    for at, expected in ((90, 0), (150, 1), (90, 0)):
        model = Network(Folded(at), nn.Identity(), nn.Linear(1, 2)).eval()
        found = strategy.query(model, pool, 1, generator(0)).indices
        assert found is not None
        assert found.tolist() == [expected]


def test_what_it_needs_of_the_model_is_what_its_features_need(tmp_path: Path) -> None:
    _, pool = made_pool()
    assert made_strategy(pool, tmp_path).needs == frozenset()
    assert made_strategy(pool, tmp_path, made_classifier()).needs == {"embedding"}


@pytest.mark.parametrize("pca_size", [10, 50, 100])
def test_dimensions_of_fig_3d(pca_size: int, tmp_path: Path) -> None:
    """Of 64 pixels no more than 64 are left."""
    pool = Pool.unlabeled_from(torch.randint(256, (80, 1, 8, 8), dtype=torch.uint8, generator=generator(0)), 2)
    strategy = made_strategy(pool, tmp_path, pca_size=pca_size)
    assert isinstance(strategy.matcher, Exact)
    assert strategy.matcher.features.shape == (80, min(pca_size, 64))
    pixels = pool.inputs.flatten(1) / 255
    assert torch.allclose(strategy.pca.mean, pixels.mean(0), atol=1e-6), "of the whole pool, as its components are"
    spread = strategy.matcher.features.double().square().sum(0)
    largest = torch.linalg.svdvals((pixels - pixels.mean(0)).double())[: len(spread)].square()
    assert torch.allclose(spread, largest, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "feature"),
    [("auto", "autoencoder"), ("pixel", "pixel"), ("disc", "discriminator"), ("cls", "classifier")],
)
def test_the_four_differ_in_their_features_alone(name: str, feature: str) -> None:
    config = compose("dataset=mnist_two", f"strategy=asal_{name}")
    assert config.hydra.runtime.choices.feature == feature
    keys = OmegaConf.to_container(config.strategy, resolve=False)
    assert keys == OmegaConf.to_container(compose("dataset=mnist_two").strategy, resolve=False)


@pytest.mark.parametrize("name", ["auto", "pixel", "disc", "cls"])
def test_a_thousand_images_of_a_cycle_are_made_a_hundred_at_once(name: str) -> None:
    """ASAL A.4, on CIFAR-10 with ten classes alone."""
    assert compose("recipe=asal/cifar10_ten", f"strategy=asal_{name}").strategy.z_batch == 100
    assert compose("recipe=asal/svhn", f"strategy=asal_{name}").strategy.z_batch is None


@pytest.mark.parametrize(("recipe", "scans"), [("mnist_ten", True), ("celeba", True), ("svhn", False), ("lsun", False)])
def test_the_largest_pools_are_not_scanned(recipe: str, scans: bool) -> None:
    assert compose(f"recipe=asal/{recipe}").strategy.scan_pool is scans


def test_fig_16_adds_candidates() -> None:
    for name, candidates_from in (("asal_generate", "generator"), ("asal_neighbors", "neighbors")):
        strategy = compose("dataset=mnist", f"strategy={name}", "strategy.candidates=400").strategy
        assert (strategy.candidates, strategy.candidates_from) == (400, candidates_from)


def test_minimum_distance_is_a_method_of_all_of_them() -> None:
    config = compose("dataset=mnist_two", "strategy=asal_disc", "gan=dcgan", "method=min_distance")
    assert config.strategy.score.path == "al_bench.active.scores.boundary_closeness"
    assert config.learner.loss.path == "al_bench.training.losses.hinge"
    assert config.hydra.runtime.choices.learner == "hinge"


@pytest.mark.parametrize("missing", ["gan", "feature"])
def test_refuses_to_go_without(missing: str) -> None:
    parts = {"gan": HandMade(), "feature": Pixel()} | {missing: None}
    with pytest.raises(UserError, match=f"{missing}=none"):
        Asal(
            **parts, matcher=Exact("auto"), steps=1, optimizer=torch.optim.Adam, z_batch=None, pca_size=1, score=entropy
        )
