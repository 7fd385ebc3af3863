import pytest
import torch
from composing import part
from torch import Tensor, nn
from torch.nn.functional import conv2d

from al_bench import seeding
from al_bench.errors import UserError
from al_bench.network.all_cnn import AllCnn


def made(input_shape: tuple[int, ...] = (3, 32, 32), num_classes: int = 10, last_padding: int = 1) -> AllCnn:
    with seeding.fork(0):
        return AllCnn(input_shape, num_classes, 0.2, 0.5, last_padding, initialization="he_glorot").eval()


def shapes(network: nn.Module, images: Tensor) -> list[tuple[int, ...]]:
    """Of every convolution's output, the batch left out."""
    seen: list[tuple[int, ...]] = []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda _, __, output: seen.append(tuple(output.shape[1:])))
    network(images)
    return seen


def test_has_the_parameters_of_all_cnn_c() -> None:
    """1,369,738 of them, the "~1.4 million" of ASAL A.4."""
    assert sum(p.numel() for p in made().parameters()) == 1_369_738


def test_has_the_layers_of_table_7() -> None:
    network = made()
    expected = [(96, 32, 32), (96, 32, 32), (96, 16, 16), (192, 16, 16), (192, 16, 16), (192, 8, 8), (192, 8, 8)]
    assert shapes(network, torch.zeros(1, 3, 32, 32)) == [*expected, (192, 8, 8)]
    rates = [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)]
    assert rates == [0.2, 0.5, 0.5], "of the image, after the third and after the sixth convolution"


def test_without_padding_the_last_map_has_the_original_s_6_x_6_positions() -> None:
    assert shapes(made(last_padding=0), torch.zeros(1, 3, 32, 32))[-2:] == [(192, 6, 6), (192, 6, 6)]


def test_logits_are_table_7_s_1_x_1_convolution_averaged() -> None:
    network, images = made(), torch.rand(2, 3, 32, 32)
    last_map = network.backbone[:-2](images)
    maps = conv2d(last_map, network.head.weight[:, :, None, None], network.head.bias)
    torch.testing.assert_close(network(images), maps.mean((2, 3)))
    torch.testing.assert_close(network.embed(images), last_map.mean((2, 3)), msg="F_CLS is the map of 192 averaged")
    assert network.embed(images).shape == (2, 192)


def test_an_untrained_one_tells_images_apart() -> None:
    """Torch's own first weights leave logits that hardly move; 1,000 labels are too few steps to mend it."""
    images = torch.rand(20, 3, 32, 32, generator=seeding.generator(0)) * torch.linspace(0, 1, 20)[:, None, None, None]
    with torch.no_grad():
        assert float(made()(images).std(0).mean()) > 0.03
        with seeding.fork(0):
            plain = AllCnn((3, 32, 32), 10, 0.2, 0.5, 1, initialization="torch").eval()
        assert float(plain(images).std(0).mean()) < 0.001


def test_the_configuration_says_which_input_dropout() -> None:
    rates = [
        next(layer.p for layer in network.modules() if isinstance(layer, nn.Dropout))
        for override in ((), ("network.input_dropout=0",))
        for network in [part("network", "network=all_cnn", *override)(input_shape=(3, 32, 32), num_classes=10)]
    ]
    assert rates == [0.2, 0]


@pytest.mark.parametrize("shape", [(64,), (3, 11, 32)])
def test_refuses_what_does_not_fit(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=r"network=all_cnn needs .*12 x 12 .*network=small_cnn"):
        made(shape)
    for padding in (0, 1):
        assert made((1, 12, 12), 2, padding)(torch.rand(2, 1, 12, 12)).shape == (2, 2)
