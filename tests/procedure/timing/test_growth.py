"""A pool larger than the data."""

from pathlib import Path

import torch
from torch import Tensor, nn

from al_bench.feature.pca import fit_pca
from al_bench.feature.pixel import Pixel
from al_bench.procedure.timing.growth import Cycled, GrownFeatures
from al_bench.training.augmentation import FlipCrop

IMAGES = torch.randint(256, (30, 1, 6, 6), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
PCA = fit_pca([IMAGES.flatten(1).float() / 255], 5)


def grown(folder: Path, images: Tensor = IMAGES) -> GrownFeatures:
    return GrownFeatures(images, Pixel(), nn.Linear(1, 1), PCA, FlipCrop(padding=1, flip=True), 3, folder, seed=0)


def test_inputs_over_and_over() -> None:
    inputs = Cycled(IMAGES, 20, 50)
    assert (len(inputs), inputs.shape) == (50, (50, 1, 6, 6))
    assert torch.equal(inputs[torch.tensor([0, 19, 20, 49])], IMAGES[[0, 19, 0, 9]])


def test_the_first_copy_is_the_data_and_the_others_are_augmented(tmp_path: Path) -> None:
    features = grown(tmp_path).grow_to(3)
    assert features.shape == (90, 5)
    first, second, third = features.split(30)
    assert torch.allclose(first, PCA.project(IMAGES.flatten(1).float() / 255))
    unmoved = torch.isclose(first, second).all(1).float().mean()
    assert unmoved < 0.2, "one in eighteen is neither moved nor mirrored"
    assert not torch.equal(second, third)


def test_a_copy_that_was_made_is_not_made_again(tmp_path: Path) -> None:
    first = grown(tmp_path)
    whole = first.grow_to(3).clone()
    (tmp_path / "features-002.safetensors").unlink()
    again = grown(tmp_path, torch.zeros_like(IMAGES))  # which only the third copy is made from
    features = again.grow_to(3)
    assert torch.equal(features[:60], whole[:60])
    assert not torch.equal(features[60:], whole[60:])
    assert again.seconds[:2] == first.seconds[:2]
