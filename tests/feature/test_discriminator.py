from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError
from al_bench.feature.discriminator import Discriminator
from al_bench.gan.dcgan import Dcgan
from al_bench.network.conv_gan import ConvCritic, ConvGenerator
from al_bench.network.critic import Critic
from al_bench.seeding import generator
from al_bench.storage.artifacts import Artifacts

IMAGES = torch.randint(256, (40, 1, 8, 8), dtype=torch.uint8, generator=generator(3))


class Dropping(Critic):
    """A critic with dropout and batch norm before its last layer."""

    def __init__(self, image_shape: Sequence[int]) -> None:
        super().__init__(nn.Linear(9, 1))
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 9), nn.BatchNorm1d(9), nn.Dropout(0.5))

    def own_features(self, inputs: Tensor) -> Tensor:
        made: Tensor = self.layers(inputs)
        return made


def made(discriminator: partial[Critic] | type[Critic]) -> Discriminator:
    """Of a GAN that is trained for an iteration."""
    adam = partial(torch.optim.Adam, lr=1e-3)
    drawn = partial(
        ConvGenerator, channels=[4], kernel_size=3, activation=nn.ReLU, batch_norm=False, output="tanh",
        initialization="he_glorot",
    )  # fmt: skip
    gan = Dcgan(drawn, discriminator, adam, adam, 3, iterations=1, batch_size=8, num_critic=1)
    return Discriminator(gan)


def prepared(discriminator: partial[Critic] | type[Critic], folder: Path) -> Discriminator:
    images = Split(IMAGES, torch.zeros(len(IMAGES)))
    feature = made(discriminator)
    feature.prepare(Dataset(images, None, images, 2, ("a", "b")).blind(), Artifacts(folder))
    return feature


def critic(input_range: str) -> partial[Critic]:
    return partial(
        ConvCritic, channels=[6], kernel_size=3, slope=0.2, norm="none", input_range=input_range,
        initialization="he_glorot",
    )  # fmt: skip


@pytest.mark.parametrize("input_range", ["signed", "canonical"])
def test_looks_through_the_discriminators_own_range_at_what_it_judges_by(input_range: str, tmp_path: Path) -> None:
    feature = prepared(critic(input_range), tmp_path)
    assert feature.networks is not None
    discriminator, images = feature.networks.discriminator, IMAGES[:5] / 255
    features = feature.extract(images, None)
    seen = images * 2 - 1 if input_range == "signed" else images
    torch.testing.assert_close(features, discriminator.layers(seen).flatten(1))  # type: ignore[operator]
    torch.testing.assert_close(discriminator.head(features).squeeze(1), discriminator(images))  # type: ignore[operator]


def test_dropout_is_off_and_batch_norm_stands_still(tmp_path: Path) -> None:
    feature = prepared(Dropping, tmp_path)
    assert feature.networks is not None
    images = IMAGES[:5] / 255
    linear, norm = feature.networks.discriminator.layers[1:3]  # type: ignore[index]
    deviation = (norm.running_var + norm.eps).sqrt()
    expected = (linear(images.flatten(1)) - norm.running_mean) / deviation * norm.weight + norm.bias
    assert not torch.equal(norm.running_mean, torch.zeros(9)), "it was trained in train mode"
    torch.testing.assert_close(feature.extract(images, None), expected)
    torch.testing.assert_close(feature.extract(images[:1], None), expected[:1])


def test_its_size_is_known_before_anything_is_trained() -> None:
    before = torch.get_rng_state()
    assert made(critic("signed")).size((1, 8, 8)) == 6 * 4 * 4
    assert made(Dropping).size((1, 8, 8)) == 9
    assert torch.equal(torch.get_rng_state(), before)


def test_refuses_to_go_without_a_gan() -> None:
    with pytest.raises(UserError, match="gan=none"):
        Discriminator(None)  # type: ignore[arg-type]
