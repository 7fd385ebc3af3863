"""MAL's C on label maps: its logits lie where those of the network lie that ends in the same features."""

import pytest
import torch
from composing import part
from torch import nn

from al_bench.active.pool import Pool
from al_bench.network.aligned import Aligned
from al_bench.network.upsampling import BilinearUpsampling


def aligned(size: tuple[int, int], *choices: str) -> Aligned:
    learner = part("learner", "dataset=shapes_seg", "learner=mal", *choices)
    pool = Pool.unlabeled_from(torch.zeros((1, 3, *size), dtype=torch.uint8), 3, size)
    model = learner.empty(pool, 0)
    assert isinstance(model, Aligned)
    return model


def upsampling(head: nn.Module) -> BilinearUpsampling:
    return next(part for part in head.modules() if isinstance(part, BilinearUpsampling))


@pytest.mark.parametrize("size", [(8, 8), (9, 9), (9, 15), (20, 20), (33, 3), (49, 56), (57, 57), (64, 40)])
@pytest.mark.parametrize("head", ["linear", "cosine"])
def test_prototypes_of_maps_are_upsampled_by_the_stride_of_the_features(size: tuple[int, int], head: str) -> None:
    """As `Drn` itself is, whatever multiple of it the image is; the smallest factor that reaches 20 pixels is 7."""
    model = aligned(size, "network=drn", "network.width=1", f"learner.head={head}")
    assert upsampling(model.classifier.head).factor == 8
    assert upsampling(model.network.head).factor == 8


def test_embeddings_in_the_size_of_the_image_are_left_in_it() -> None:
    model = aligned((9, 15), "network=small_fcn", "network.width=2", "learner.head=cosine")
    assert upsampling(model.classifier.head).factor == 2  # of the features
    assert upsampling(model.network.head).factor == 1
    assert model.network(torch.zeros(2, 3, 9, 15)).shape == (2, 3, 9, 15)
