from functools import partial
from pathlib import Path

import pytest
import torch
from composing import compose
from torch import Tensor, nn

from al_bench.active.pool import Pool
from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError
from al_bench.gan import GanNetworks
from al_bench.network import Network
from al_bench.seeding import generator
from al_bench.storage.artifacts import Artifacts
from al_bench.strategy.gaal import Gaal


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


def made_pool() -> tuple[Network, Pool]:
    """White above 100, black below, with logits 0 and 8 (x - 100 / 255)."""
    last = nn.Linear(1, 2)
    last.weight.data, last.bias.data = torch.tensor([[8.0], [0.0]]), torch.tensor([-800 / 255, 0.0])
    pool = Pool.unlabeled_from(torch.zeros(5, 1, 1, 1, dtype=torch.uint8), 2)
    return Network(nn.Flatten(), nn.Identity(), last).eval(), pool


def made_strategy(pool: Pool, tmp_path: Path, steps: int, max_tries: int = 1, tolerance: float = 0.0) -> Gaal:
    adam = partial(torch.optim.Adam, lr=0.02)
    strategy = Gaal(HandMade(), steps, adam, None, max_tries, tolerance)  # type: ignore[arg-type]
    images = Split(pool.inputs, torch.zeros(len(pool)))
    strategy.prepare(Dataset(images, None, images, 2, ("black", "white")).blind(), Artifacts(tmp_path))
    return strategy


def test_synthesizes_on_the_boundary(tmp_path: Path) -> None:
    """A sign error would end at black and white."""
    model, pool = made_pool()
    query = made_strategy(pool, tmp_path, steps=400).query(model, pool, 4, generator(0))
    assert query.synthetic.shape == (4, 1, 1, 1, 1)
    assert query.synthetic.dtype == torch.uint8
    assert all(98 <= gray <= 102 for gray in query.synthetic.flatten().tolist())


def test_scores_are_distances_of_what_the_annotator_sees(tmp_path: Path) -> None:
    """Without a step the draws themselves are asked for: |8 (x - 100 / 255)| of their rounded gray."""
    model, pool = made_pool()
    query = made_strategy(pool, tmp_path, steps=0).query(model, pool, 4, generator(0))
    assert query.scores is not None
    grays = query.synthetic.flatten().float()
    drawn = torch.randn(4, 1, generator=generator(0)).sigmoid() * 255
    assert torch.equal(grays, drawn.flatten().round())
    torch.testing.assert_close(query.scores, (8 * (grays - 100) / 255).abs())
    assert set(query.trace) == {"entropy_before", "entropy_after", "norm_before", "norm_after", "tries"}


def test_its_annotations_become_training_inputs(tmp_path: Path) -> None:
    model, pool = made_pool()
    query = made_strategy(pool, tmp_path, steps=1).query(model, pool, 3, generator(0))
    inputs, labels = pool.with_labels(query, torch.tensor([[0], [1], [-1]])).training_set()
    assert inputs.shape == (2, 1, 1, 1)
    assert labels.tolist() == [0, 1]


@pytest.mark.parametrize("max_tries", [1, 2, 3, 40])
def test_begins_again_where_a_search_misses_the_boundary(max_tries: int, tmp_path: Path) -> None:
    """Against plain loops: without a step each search is one draw, of which the nearest counts, whatever
    came between it and the last."""
    model, pool = made_pool()
    strategy = made_strategy(pool, tmp_path, steps=0, max_tries=max_tries, tolerance=0.5)
    query = strategy.query(model, pool, 6, generator(3))
    rng = generator(3)
    best, tries = torch.randn(6, 1, generator=rng).flatten().tolist(), [1] * 6
    for _ in range(max_tries - 1):
        missed = [row for row in range(6) if distance(best[row]) > 0.5]
        for row, latent in zip(missed, torch.randn(len(missed), 1, generator=rng).flatten().tolist(), strict=True):
            best[row], tries[row] = min(best[row], latent, key=distance), tries[row] + 1
    assert query.trace["tries"].tolist() == tries
    torch.testing.assert_close(query.trace["norm_after"], torch.tensor(best).abs())
    assert torch.equal(query.synthetic.flatten().float(), (torch.tensor(best).sigmoid() * 255).round())
    assert (max(tries) == max_tries) == (max_tries < 40), "in the end all reach it"


def distance(latent: float) -> float:
    """To the boundary, of the image of a latent."""
    return abs(8 * (float(torch.tensor(latent).sigmoid()) - 100 / 255))


def test_a_search_that_arrives_is_not_repeated(tmp_path: Path) -> None:
    model, pool = made_pool()
    once, often = (
        made_strategy(pool, tmp_path, 400, tries, 0.2).query(model, pool, 4, generator(0)) for tries in (1, 9)
    )
    assert torch.equal(once.synthetic, often.synthetic)
    assert often.trace["tries"].tolist() == [1, 1, 1, 1]


def test_refuses_to_go_without_a_gan() -> None:
    with pytest.raises(UserError, match="gan=none"):
        Gaal(None, 1, torch.optim.Adam, None, 1, 0.0)


def test_its_learner_is_a_support_vector_machine() -> None:
    """ASAL Sec. 2; on a linear network the two logits' difference is what the hinge loss margins."""
    config = compose("dataset=mnist_two", "strategy=gaal")
    assert config.learner.loss.path == "al_bench.training.losses.hinge"
    assert config.hydra.runtime.choices.oracle == "classifier"
    assert "loss" not in config.oracle.learner
