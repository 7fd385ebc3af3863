"""A step replayed as a CUDA graph is the step. All of it needs a GPU."""

from dataclasses import replace

import pytest
import torch

from al_bench.training.cost import measure_cost
from al_bench.training.schedule import StepDecay
from benchmarks.fit import same
from benchmarks.gan import by_hand, made_images, tables_gan

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a GPU")


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_captured_game_ends_as_an_eager_one(precision: str) -> None:
    """Twenty iterations, seventeen of them replayed, with a learning rate that falls in between."""
    gan = replace(tables_gan((8, 16, 32), 20), precision=precision, schedule=StepDecay((0.5,), 0.1))
    images = made_images().cuda()
    eager, losses = gan.fit(images)
    with measure_cost() as cost:
        captured, same_losses = replace(gan, capture=True).fit(images)
    assert same(captured, eager)
    assert cost.optimizer_steps == 20 * (gan.num_critic + 1)
    for name, values in losses.items():
        assert same_losses[name] == pytest.approx(values, rel=1e-3)


def test_it_is_the_game_that_one_would_write_by_hand() -> None:
    gan, images = tables_gan((8, 16, 32), 8), made_images().cuda()
    assert same(replace(gan, capture=True).fit(images)[0], by_hand(gan, images))
