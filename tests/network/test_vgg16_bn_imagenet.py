"""MAL Sec. 5.1 prints the counts (14.72M of F, 17.23M of T); torchvision's VGG16-BN is the second implementation."""

import pytest
import torch
from torch import nn
from torchvision.models import vgg16_bn

from al_bench import seeding
from al_bench.errors import UserError
from al_bench.network.vgg16_bn_imagenet import Vgg16BnImagenet

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def made(shape: tuple[int, ...] = (3, 32, 32), input_size: int | None = None) -> Vgg16BnImagenet:
    return Vgg16BnImagenet(shape, 100, MEAN, STD, input_size)


def count(module: nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters())


def test_has_the_weights_that_mal_counts() -> None:
    network = made()
    assert count(network.backbone) == 14_723_136
    assert count(network) == 17_232_036


@pytest.mark.parametrize(("shape", "positions"), [((3, 32, 32), 1), ((3, 64, 96), 6)])
def test_has_as_many_features_of_any_size(shape: tuple[int, int, int], positions: int) -> None:
    """32 x 32 pixels leave one position, which stands 49 times."""
    with torch.no_grad():
        features = made(shape).eval().features(torch.rand(2, *shape))
    assert features.shape == (2, 25_088)
    assert len(features[0].view(512, 49)[features[0].view(512, 49).amax(1).argmax()].unique()) >= min(positions, 2)
    assert (positions == 1) == bool((features.view(2, 512, 49) == features.view(2, 512, 49)[:, :, :1]).all())


def test_has_torchvisions_convolutions() -> None:
    theirs, ours = vgg16_bn().eval(), made((3, 64, 64)).eval()
    weights = theirs.state_dict()
    ours.backbone.load_state_dict({name: value for name, value in weights.items() if name.startswith("features.")})
    images = torch.rand(2, 3, 64, 64, generator=seeding.generator(0))
    standardized = (images - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    with torch.no_grad():
        want = theirs.avgpool(theirs.features(standardized)).flatten(1)
        assert torch.allclose(ours.features(images), want, atol=1e-4)


def test_reads_the_middle_of_larger_images() -> None:
    network, images = made((3, 40, 36), 32).eval(), torch.rand(2, 3, 40, 36)
    with torch.no_grad():
        assert torch.equal(network(images), network(images[:, :, 4:36, 2:34]))


def test_refuses_what_does_not_fit() -> None:
    for shape, input_size in (((3, 31, 32), None), ((3, 64, 64), 31)):
        with pytest.raises(UserError, match=r"network=vgg16_bn_imagenet needs .*32 x 32 .*network=resnet18"):
            made(shape, input_size)
    with pytest.raises(UserError, match=r"network=vgg16_bn_imagenet needs images"):
        made((64,))
