import pytest
import torch
from torch import Tensor

from al_bench import seeding
from al_bench.errors import UserError
from al_bench.training.augmentation import FlipCrop
from al_bench.training.losses import IGNORED

PADDING, COUNT, HEIGHT, WIDTH = 2, 40, 5, 7


@pytest.fixture
def images() -> Tensor:
    """Every pixel's value is one plus its place, so a pixel tells where it came from and padding is 0."""
    places = torch.arange(3 * HEIGHT * WIDTH, dtype=torch.uint8) + 1
    return places.reshape(3, HEIGHT, WIDTH).expand(COUNT, -1, -1, -1).clone()


def shifted(image: Tensor, down: int, right: int, mirrored: bool, outside: int) -> Tensor:
    """(C, H, W): the slow way, pixel by pixel."""
    moved = torch.full_like(image, outside)
    for row in range(HEIGHT):
        for column in range(WIDTH):
            y, x = row + down, (WIDTH - 1 - column if mirrored else column) + right
            if 0 <= y < HEIGHT and 0 <= x < WIDTH:
                moved[:, row, column] = image[:, y, x]
    return moved


def moves(flip: bool) -> list[tuple[int, int, bool]]:
    span = range(-PADDING, PADDING + 1)
    return [(down, right, mirrored) for down in span for right in span for mirrored in ([False, True][: 1 + flip])]


@pytest.mark.parametrize("flip", [False, True])
def test_each_image_is_one_of_the_moves_and_they_differ(images: Tensor, flip: bool) -> None:
    with seeding.fork(0):
        moved, _ = FlipCrop(PADDING, flip)(images, torch.zeros(COUNT))
    allowed = {move: shifted(images[0], *move, outside=0) for move in moves(flip)}
    found = [next(move for move, want in allowed.items() if torch.equal(image, want)) for image in moved]
    assert len(set(found)) > COUNT // 3
    assert {down for down, _, _ in found} == {right for _, right, _ in found} == {-2, -1, 0, 1, 2}
    assert moved.dtype == torch.uint8


def test_label_maps_move_with_their_image(images: Tensor) -> None:
    maps = images[:, 0].clone()
    with seeding.fork(1):
        moved, labels = FlipCrop(PADDING, flip=True)(images, maps)
    inside = moved[:, 0] > 0
    assert torch.equal(labels[inside], moved[:, 0][inside])
    assert (labels[~inside] == IGNORED).all()
    assert not inside.all()


def test_class_labels_stay_and_nothing_moves_without_padding_and_flip(images: Tensor) -> None:
    labels = torch.arange(COUNT)
    moved, same = FlipCrop(0, flip=False)(images, labels)
    assert torch.equal(moved, images)
    assert torch.equal(same, labels)


def test_half_of_the_images_are_mirrored() -> None:
    images = torch.tensor([0, 1], dtype=torch.uint8).expand(4000, 1, 1, 2)
    with seeding.fork(2):
        moved, _ = FlipCrop(0, flip=True)(images, torch.zeros(4000))
    assert 1850 < moved[:, 0, 0, 0].sum() < 2150  # binomial: 2000 +- 4.7 standard deviations


def test_features_are_refused_with_a_remedy() -> None:
    with pytest.raises(UserError, match=r"\(4, 10\).*augmentation=null"):
        FlipCrop(1, flip=True)(torch.zeros(4, 10), torch.zeros(4))
