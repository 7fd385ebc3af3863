"""MAL Sec. 5.1 prints the counts (11.18M of F, 11.23M of T); torchvision's ResNet18 is the second implementation."""

import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from al_bench import seeding
from al_bench.errors import UserError
from al_bench.network.resnet18 import ResNet18
from al_bench.network.resnet18_dropout import ResNet18Dropout

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def made(shape: tuple[int, ...] = (3, 32, 32), **more: object) -> ResNet18:
    arguments = {"num_classes": 100, "stem": "imagenet", "width": 64, "mean": MEAN, "std": STD, **more}
    return ResNet18(shape, **arguments)  # type: ignore[arg-type]


def made_dropout(**more: object) -> ResNet18Dropout:
    arguments = {"num_classes": 100, "dropout": 0.2, "stem": "imagenet", "width": 64, "mean": MEAN, "std": STD, **more}
    return ResNet18Dropout((3, 32, 32), **arguments)  # type: ignore[arg-type]


def count(module: nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters())


def test_has_the_weights_that_mal_counts() -> None:
    for network in (made(), made_dropout()):
        assert count(network.backbone) == 11_176_512
        assert count(network.head) == 51_300
        assert count(network) == 11_227_812


def test_the_stem_of_cifar_has_fewer() -> None:
    """7 x 7 to 3 x 3 positions of 3 x 64 weights: 11.17M, not the 11.18M that the paper prints."""
    assert count(made(stem="cifar").backbone) == 11_176_512 - (49 - 9) * 3 * 64


def test_is_torchvisions_network() -> None:
    """The same names and the same arithmetic: their weights, and their logits, of standardized pixels."""
    theirs, ours = resnet18(num_classes=100).eval(), made((3, 64, 48)).eval()
    weights = theirs.state_dict()
    ours.head.load_state_dict({"weight": weights.pop("fc.weight"), "bias": weights.pop("fc.bias")})
    ours.backbone.load_state_dict(weights)
    images = torch.rand(2, 3, 64, 48, generator=seeding.generator(0))
    standardized = (images - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    with torch.no_grad():
        assert torch.allclose(ours(images), theirs(standardized), atol=1e-5)


def test_first_weights_are_drawn_as_torchvision_draws_them() -> None:
    """Of a normal distribution with variance 2 / fan-out, where torch's own is uniform."""
    for layer in made().modules():
        if isinstance(layer, nn.Conv2d):
            assert layer.weight.std().item() == pytest.approx(
                (2 / (layer.out_channels * layer.weight[0, 0].numel())) ** 0.5, rel=0.1
            )


@pytest.mark.parametrize(("stem", "positions"), [("imagenet", 1), ("cifar", 16)])
def test_a_stem_decides_how_many_positions_are_averaged(stem: str, positions: int) -> None:
    network = made(stem=stem, width=16).eval()
    maps: list[torch.Size] = []
    network.backbone.layer4.register_forward_hook(lambda _module, _inputs, found: maps.append(found.shape[1:]))
    assert network.features(torch.rand(2, 3, 32, 32)).shape == (2, 128)
    assert maps == [torch.Size((128, int(positions**0.5), int(positions**0.5)))]


def test_dropout_drops_numbers_of_the_last_map() -> None:
    network = made_dropout(stem="cifar", width=16)
    dropout = network.backbone.before_pooling
    found: list[tuple[torch.Tensor, torch.Tensor]] = []
    dropout.register_forward_hook(lambda _module, inputs, outputs: found.append((inputs[0], outputs)))
    network.eval()
    dropout.train()
    with torch.no_grad(), seeding.fork(0):
        network(torch.rand(8, 3, 32, 32))
    ((maps, dropped),) = found
    assert maps.shape == (8, 128, 4, 4)
    alive = maps > 0
    assert 0.17 < (dropped[alive] == 0).float().mean() < 0.23
    kept = alive & (dropped > 0)
    assert torch.allclose(dropped[kept], maps[kept] / 0.8)


def test_without_dropping_both_are_the_same_network() -> None:
    plain, dropping = made().eval(), made_dropout().eval()
    dropping.load_state_dict(plain.state_dict())
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(plain(images), dropping(images))


def test_reads_the_middle_of_larger_images() -> None:
    network = made((3, 40, 36), input_size=32, width=16).eval()
    images = torch.rand(2, 3, 40, 36)
    assert torch.equal(network(images), network(images[:, :, 4:36, 2:34]))


def test_refuses_what_does_not_fit() -> None:
    with pytest.raises(UserError, match=r"network=resnet18 needs images .*\(64,\).*network=linear"):
        made((64,))
    with pytest.raises(UserError, match=r"network=resnet18_dropout needs images .*\(64,\)"):
        ResNet18Dropout((64,), 10, 0.2, "imagenet", 64, MEAN, STD)
    with pytest.raises(UserError, match=r"network\.input_size=224 is larger than images of 32 x 32"):
        made(input_size=224)
    with pytest.raises(UserError, match=r"network\.mean=.*1 channel"):
        made((1, 28, 28))
