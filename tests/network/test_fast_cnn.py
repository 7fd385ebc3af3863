"""The fast network: its maps, its size, and that it tells two textures apart in a few steps."""

import pytest
import torch
from torch.nn import functional

from al_bench import seeding
from al_bench.errors import UserError
from al_bench.network.fast_cnn import FastCnn


def made(channels: tuple[int, ...] = (8, 16, 16), shape: tuple[int, ...] = (3, 32, 32)) -> FastCnn:
    with seeding.fork(0):
        return FastCnn(shape, 10, channels=channels, logit_scale=1 / 9, mean=0.5, std=0.25)


def test_maps_are_those_of_the_record() -> None:
    """31 after the first layer, 15, 7 and 3 after the poolings; 2.0 million weights with its channels."""
    network, sides = made(), []
    for part in network.backbone:
        if isinstance(part, torch.nn.Conv2d | torch.nn.MaxPool2d):
            part.register_forward_hook(lambda _part, _inputs, maps: sides.append(maps.shape[2]))
    network(torch.zeros(2, 3, 32, 32))
    assert sides == [31, 31, 15, 15, 15, 7, 7, 7, 3, 3]
    whole = made((64, 256, 256))
    assert 1.9e6 < sum(weights.numel() for weights in whole.parameters()) < 2.1e6


def test_logits_are_scaled() -> None:
    network = made().eval()
    embedding = network.embed(torch.rand(2, 3, 32, 32, generator=seeding.generator(0)))
    assert torch.allclose(network.classify(embedding), embedding @ network.head.weight.T / 9, atol=1e-6)  # type: ignore[operator, union-attr]


def test_it_learns_textures_in_a_few_steps() -> None:
    """Stripes along rows and along columns, anywhere."""
    rng = seeding.generator(1)
    stripes = (torch.arange(32) // 2 % 2).float().expand(32, 32)
    labels = torch.randint(2, (64,), generator=rng)
    images = torch.stack([stripes if label else stripes.T for label in labels])[:, None].expand(-1, 3, -1, -1)
    images = images + 0.3 * torch.randn(images.shape, generator=rng)
    network = made()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.5, momentum=0.85, nesterov=True)
    for _ in range(10):
        optimizer.zero_grad()
        functional.cross_entropy(network(images), labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert (network(images).argmax(1) == labels).float().mean() > 0.95


def test_small_images_are_refused() -> None:
    with pytest.raises(UserError, match=r"fast_cnn with 3 blocks needs images .* 9 x 9 .* got \(3, 8, 8\)"):
        made(shape=(3, 8, 8))
