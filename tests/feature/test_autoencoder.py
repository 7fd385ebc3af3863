from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from al_bench.active.inputs import to_float
from al_bench.active.part import describe
from al_bench.dataset import Dataset
from al_bench.dataset.digits import digits
from al_bench.errors import UserError
from al_bench.feature.autoencoder import Autoencoder, Reconstruction
from al_bench.network.conv_autoencoder import ConvAutoencoder
from al_bench.storage.artifacts import Artifacts
from al_bench.training.cost import measure_cost


def made(epochs: int = 1, batch_size: int = 50) -> Autoencoder:
    network = partial(
        ConvAutoencoder, channels=(8, 8), decoder_channels=(8,), kernel_size=3, slope=0.2, initialization="he_glorot"
    )
    return Autoencoder(network, partial(torch.optim.Adam, lr=0.003), epochs, batch_size)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return digits(test_share=0.2, split_seed=0, max_images=500)


def test_squared_error_is_summed_over_pixels() -> None:
    """The half of images of 0.2 and 1 in 6 pixels: (6 * 0.01 + 6 * 0.25) / 2 = 0.78 on average."""

    class Half(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.full((1,), 0.5))

        def forward(self, images: Tensor) -> Tensor:
            return images * self.weight

    module = Reconstruction(Half(), torch.optim.SGD)
    module.update = lambda optimizer, loss: None  # type: ignore[method-assign,misc]
    images = torch.tensor([51, 255], dtype=torch.uint8)[:, None, None, None].expand(2, 1, 2, 3)
    losses = module.step(images[None], module.configure_optimizers())
    assert float(losses["squared_error"]) == pytest.approx(0.78)


def test_learns_more_than_the_mean_image(dataset: Dataset) -> None:
    images = to_float(dataset.train.images)
    network, trace = made(epochs=40).fit(dataset.train.images)
    error = (network(images) - images).square().flatten(1).sum(1).mean().detach()
    by_mean = (images.mean(0) - images).square().flatten(1).sum(1).mean()
    assert error < 0.4 * by_mean
    assert trace["squared_error"][-1] < trace["squared_error"][0]


def test_both_drivers_end_at_the_same_weights(dataset: Dataset) -> None:
    by_loop, expected = made().fit(dataset.train.images)
    by_trainer, trace = replace(made(), trainer=pl.Trainer).fit(dataset.train.images)
    assert trace == expected
    for name, tensor in by_loop.state_dict().items():
        assert torch.equal(tensor, by_trainer.state_dict()[name]), name


def test_epochs_count_whole_batches(dataset: Dataset) -> None:
    with measure_cost() as cost:
        made(epochs=3, batch_size=60).fit(dataset.train.images)
    assert (cost.optimizer_steps, cost.images_seen) == (3 * 8, 3 * 480)
    with measure_cost() as cost:
        made(epochs=3, batch_size=501).fit(dataset.train.images)
    assert cost.optimizer_steps == 3


def test_iterations_count_batches(dataset: Dataset) -> None:
    counted = replace(made(batch_size=60), epochs=None, iterations=7)
    with measure_cost() as cost:
        counted.fit(dataset.train.images)
    assert (cost.optimizer_steps, cost.images_seen) == (7, 7 * 60)
    assert (counted.steps(10), made(epochs=3, batch_size=60).steps(500)) == (7, 24)


@pytest.mark.parametrize(("epochs", "iterations"), [(3, 7), (None, None)])
def test_refuses_two_lengths_and_none(epochs: int | None, iterations: int | None) -> None:
    with pytest.raises(UserError, match=f"epochs={epochs} and iterations={iterations}: set one"):
        replace(made(), epochs=epochs, iterations=iterations)


def test_is_trained_once_and_ready_to_use(dataset: Dataset, tmp_path: Path) -> None:
    feature, again = made(), made()
    feature.prepare(dataset.blind(), Artifacts(tmp_path))
    with measure_cost() as cost:
        again.prepare(dataset.blind(), Artifacts(tmp_path))
    assert cost.optimizer_steps == 0
    images = to_float(dataset.train.images[:3])
    codes = feature.extract(images, None)
    assert torch.equal(codes, again.extract(images, None))
    assert codes.shape == (3, 32)
    assert not codes.requires_grad


def test_what_was_prepared_is_no_part_of_its_name(dataset: Dataset, tmp_path: Path) -> None:
    feature = made()
    before = describe(feature)
    feature.prepare(dataset.blind(), Artifacts(tmp_path))
    assert describe(feature) == before
    assert describe(made(epochs=2)) != before
