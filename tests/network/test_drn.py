"""Dilated residual networks: sizes as published, dilation in the place of stride."""

from pathlib import Path

import pytest
import torch
from torch import nn

from al_bench.errors import UserError
from al_bench.network.drn import Drn

# Parameters without a head, of fyu/drn's models.
COUNTS = {"d_22": 15_880_752, "d_38": 25_988_912, "c_26": 20_613_584}


def made(kind: str = "d_22", size: tuple[int, int] = (48, 64), width: int = 4, num_classes: int = 5) -> Drn:
    return Drn((3, *size), num_classes, kind, width, 0.5, 0.5).eval()  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", COUNTS)
def test_has_as_many_parameters_as_published(kind: str) -> None:
    network = made(kind, width=16, num_classes=19)
    assert sum(value.numel() for value in network.backbone.parameters()) == COUNTS[kind]
    assert sum(value.numel() for value in network.head.parameters()) == 512 * 19 + 19


@pytest.mark.parametrize("size", [(48, 64), (45, 50)])
def test_features_are_an_eighth_and_logits_whole(size: tuple[int, int]) -> None:
    network = made(size=size)
    images = torch.rand(2, 3, *size)
    assert network.features(images).shape == (2, 128, -(-size[0] // 8), -(-size[1] // 8))
    assert network(images).shape == (2, 5, *size)
    assert network.embed(images).shape == (2, 128)


@pytest.mark.parametrize("kind", COUNTS)
def test_dilates_where_it_would_stride(kind: str) -> None:
    dilations = {
        name.split(".")[0]: layer.dilation[0]
        for name, layer in made(kind).backbone.named_modules()
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3)
    }
    assert [dilations[f"layer{number}"] for number in range(1, 9)] == [1, 1, 1, 1, 2, 4, 2, 1]


def test_the_last_levels_of_c_have_no_shortcut() -> None:
    levels = made("c_26").backbone
    assert [block.residual for block in (levels.layer6[0], levels.layer7[0], levels.layer8[0])] == [True, False, False]


def test_layers_are_named_as_published() -> None:
    names = set(made().backbone.state_dict())
    assert {"layer0.0.weight", "layer1.0.weight", "layer3.0.conv1.weight", "layer5.0.downsample.0.weight"} <= names
    assert {"conv1.weight", "layer1.0.conv1.weight", "layer8.0.bn2.running_var"} <= set(
        made("c_26").backbone.state_dict()
    )


def test_begins_with_published_weights_but_for_their_last_layer(tmp_path: Path) -> None:
    """A file in the published layout, whose `fc` is a 1 x 1 convolution for ImageNet's classes."""
    torch.manual_seed(1)
    given = made(width=2).backbone.state_dict()
    published = {**given, "fc.weight": torch.zeros(1000, 64, 1, 1), "fc.bias": torch.zeros(1000)}
    torch.save(published, tmp_path / "drn_d_22.pth")
    torch.manual_seed(2)
    network = Drn((3, 16, 16), 5, "d_22", 2, 0.5, 0.5, str(tmp_path / "drn_d_22.pth"))
    assert all(torch.equal(value, given[name]) for name, value in network.backbone.state_dict().items())
    with pytest.raises(UserError, match=r"drn_d_22\.pth"):
        Drn((3, 16, 16), 5, "d_38", 2, 0.5, 0.5, str(tmp_path / "drn_d_22.pth"))


def test_refuses_what_is_no_image() -> None:
    with pytest.raises(UserError, match=r"got \(7,\)"):
        Drn((7,), 2, "d_22", 4, 0.5, 0.5)
