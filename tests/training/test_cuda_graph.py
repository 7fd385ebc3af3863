"""A step replayed as a CUDA graph is the step. All of it needs a GPU."""

from dataclasses import replace

import pytest
import torch

from al_bench.training.cost import measure_cost
from al_bench.training.schedule import StepDecay
from benchmarks.gan import begin_alike, made_images, moved_alike, tables_gan

pytestmark = pytest.mark.gpu


@pytest.fixture(autouse=True)
def deterministic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels that add in a fixed order: two eager games would otherwise differ too."""
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_captured_game_ends_as_an_eager_one(precision: str) -> None:
    """Twenty iterations, seventeen of them replayed, with a learning rate that falls in between."""
    gan = replace(tables_gan((8, 16, 32), 20), precision=precision, schedule=StepDecay((0.5,), 0.1))
    images = made_images().cuda()
    eager, losses = gan.fit(images)
    with measure_cost() as cost:
        captured, same_losses = replace(gan, capture=True).fit(images)
    assert moved_alike(gan.networks(images.shape[1:]), captured, eager)
    assert cost.optimizer_steps == 20 * (gan.num_critic + 1)
    for name, values in losses.items():
        assert same_losses[name] == pytest.approx(values, rel=1e-2, abs=1e-3)


def test_it_is_the_game_that_one_would_write_by_hand() -> None:
    assert begin_alike(replace(tables_gan((8, 16, 32), 8), capture=True), made_images().cuda())
