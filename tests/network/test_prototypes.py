"""Prototypes, the reversal of gradients and the discriminator, with numbers by hand."""

import pytest
import torch
from torch import nn

from al_bench.network.labeledness import LabelednessDiscriminator
from al_bench.network.prototypes import Prototypes, reverse_gradient, unit_length
from al_bench.network.upsampling import BilinearUpsampling


def test_a_logit_is_the_prototypes_projection_over_the_temperature() -> None:
    head = Prototypes.of_vectors(2, 2, temperature=0.05)
    head.vectors.weight.data[:] = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    assert torch.allclose(head(torch.tensor([[3.0, 4.0]])), torch.tensor([[0.6 / 0.05, 1.6 / 0.05]]))
    assert sum(value.numel() for value in head.parameters()) == 4, "no bias"


def test_on_maps_every_position_is_a_vector() -> None:
    on_maps = Prototypes.of_maps(3, 4, 0.05, BilinearUpsampling(1, (2, 2)))
    vectors = Prototypes.of_vectors(3, 4, 0.05)
    vectors.vectors.weight.data[:] = on_maps.vectors.weight.data.flatten(1)
    maps = torch.randn(2, 3, 2, 2)
    logits = on_maps(maps)
    assert logits.shape == (2, 4, 2, 2)
    assert torch.allclose(logits[:, :, 1, 0], vectors(maps[:, :, 1, 0]), atol=1e-5)


def test_reversal_changes_the_sign_of_gradients_alone() -> None:
    value = torch.tensor([1.0, 2.0], requires_grad=True)
    turned = reverse_gradient(value)
    assert torch.equal(turned, value)
    (turned * torch.tensor([3.0, 5.0])).sum().backward()
    assert value.grad is not None
    assert value.grad.tolist() == [-3.0, -5.0]


def test_unit_length_at_each_position() -> None:
    maps = torch.randn(2, 5, 3, 3)
    assert torch.allclose(unit_length(maps).norm(dim=1), torch.ones(2, 3, 3), atol=1e-6)


@pytest.mark.parametrize(("num_features", "count"), [(512, 525_825), (25_088, 13_108_737)])
def test_the_discriminator_has_the_papers_size(num_features: int, count: int) -> None:
    """Sec. 5.1: 525.83K with ResNet18, 13.11M with VGG16-BN."""
    discriminator = LabelednessDiscriminator(num_features, [512, 512], [256, 128, 64], on_maps=False, temperature=1.0)
    assert sum(value.numel() for value in discriminator.parameters()) == count


def test_the_discriminator_answers_once_for_a_map() -> None:
    discriminator = LabelednessDiscriminator(6, [4, 4], [5, 4, 3], on_maps=True, temperature=1.0)
    assert [type(layer) for layer in discriminator.layers].count(nn.Conv2d) == 3
    assert discriminator(torch.randn(2, 6, 9, 7)).shape == (2,)
    assert discriminator.layers[:6](torch.randn(2, 6, 9, 7)).shape == (2, 3, 2, 1), "each halves the map"


def test_the_discriminator_of_classes_reads_the_mean_of_a_map() -> None:
    discriminator = LabelednessDiscriminator(6, [4], [], on_maps=False, temperature=1.0)
    maps = torch.randn(3, 6, 2, 6)
    assert torch.allclose(discriminator(maps), discriminator(maps.mean((2, 3))), atol=1e-6)


def test_the_discriminator_sees_directions_and_divides_by_its_temperature() -> None:
    discriminator = LabelednessDiscriminator(6, [4], [], on_maps=False, temperature=1.0)
    features = torch.randn(3, 6)
    answers = discriminator(features)
    assert torch.allclose(discriminator(7 * features), answers, atol=1e-6)
    discriminator.temperature = 0.05
    assert torch.allclose(discriminator(features), answers / 0.05, atol=1e-4)
