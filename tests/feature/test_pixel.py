import torch

from al_bench.feature.pixel import Pixel


def test_every_value_is_a_feature() -> None:
    images = torch.arange(24.0).reshape(2, 3, 2, 2)
    assert Pixel().extract(images, None)[1].tolist() == list(range(12, 24))
