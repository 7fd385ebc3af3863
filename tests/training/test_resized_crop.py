import pytest
import torch
from torch import Tensor

from al_bench import seeding
from al_bench.errors import UserError
from al_bench.training.resized_crop import ResizedCrop

SIDE = 32


def ramps(count: int) -> Tensor:
    """Images (count, 3, SIDE, SIDE) whose first channel tells the column, and whose second the row."""
    along = torch.arange(SIDE, dtype=torch.uint8) * 8
    image = torch.stack([along.expand(SIDE, SIDE), along[:, None].expand(SIDE, SIDE), torch.full((SIDE, SIDE), 128)])
    return image.to(torch.uint8).expand(count, -1, -1, -1)


def cut(images: Tensor, seed: int = 0, **more: float) -> Tensor:
    with seeding.fork(seed):
        return ResizedCrop(**{"least_area": 0.25, **more})(images, torch.zeros(len(images)))[0]


def test_parts_are_as_large_and_as_wide_as_said_and_half_of_them_mirrored() -> None:
    """The slope of a ramp inside a part is what it was scaled by, and its sign whether it was mirrored."""
    found = cut(ramps(400))
    assert found.dtype == torch.float32
    middle = SIDE // 2
    slopes = found[:, 0, middle, 20] - found[:, 0, middle, 12], found[:, 1, 20, middle] - found[:, 1, 12, middle]
    width, height = (slope.abs() / (8 * 8 / 255) for slope in slopes)
    assert (width <= 1.01).all() and (height <= 1.01).all() and (slopes[1] > 0).all()
    area = width * height
    assert 0.24 < area.min() < 0.3 and area.max() > 0.9
    assert ((width / height) < 1.34).all() and ((width / height) > 0.74).all()
    assert 150 < (slopes[0] < 0).sum() < 250


def test_the_whole_image_is_left_as_it_is_or_mirrored() -> None:
    """A part of the whole area is not square, and so a little less than the whole in one direction."""
    before = ramps(20).float() / 255
    after = cut(ramps(20), least_area=1.0)
    either = torch.minimum((after - before).abs().amax((1, 2, 3)), (after - before.flip(3)).abs().amax((1, 2, 3)))
    assert (either < 0.25).all()
    assert torch.allclose(after[:, :, SIDE // 2, SIDE // 2], before[:, :, SIDE // 2, SIDE // 2], atol=0.25)


def test_light_and_colors_change_by_the_factors_that_are_allowed() -> None:
    plain = torch.full((200, 3, 8, 8), 100, dtype=torch.uint8)
    found = cut(plain, jitter=0.2)
    ratios = found.mean((1, 2, 3)) / (100 / 255)
    assert 0.8 <= ratios.min() < 0.85 and 1.15 < ratios.max() <= 1.2001
    bright = cut(torch.full((50, 3, 8, 8), 255, dtype=torch.uint8), jitter=0.5)
    assert bright.min() >= 0 and bright.max() == 1


def test_nothing_is_mirrored_where_left_and_right_matter() -> None:
    found = cut(ramps(50), flip=False)
    assert (found[:, 0, SIDE // 2, 20] > found[:, 0, SIDE // 2, 12]).all()


def test_draws_by_the_global_generator_and_leaves_labels_alone() -> None:
    images, labels = ramps(5), torch.arange(5)
    assert torch.equal(cut(images, 1), cut(images, 1))
    assert not torch.equal(cut(images, 1), cut(images, 2))
    assert ResizedCrop(0.5)(images, labels)[1] is labels


def test_features_and_label_maps_are_refused() -> None:
    for images, labels in ((torch.zeros(2, 5), torch.zeros(2)), (ramps(2), torch.zeros(2, SIDE, SIDE))):
        with pytest.raises(UserError, match=r"recipe\.augmentation needs images .*recipe\.augmentation=null"):
            ResizedCrop(0.5)(images, labels)
