import pytest
import torch
from torch import Tensor

from al_bench import seeding
from al_bench.errors import UserError
from al_bench.training.augmentation import Flip, FlipCrop
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


def test_a_smaller_square_is_cut_at_every_place(images: Tensor) -> None:
    """Of 5 x 7 pixels a square of 4 has 2 x 4 places, and both directions with a flip."""
    many = images[:1].expand(400, -1, -1, -1)
    with seeding.fork(3):
        cut, _ = FlipCrop(0, flip=True, size=4)(many, torch.zeros(400))
    places = [images[0, :, top : top + 4, left : left + 4] for top in range(2) for left in range(4)]
    allowed = [*places, *(place.flip(2) for place in places)]
    found = [next(number for number, want in enumerate(allowed) if torch.equal(image, want)) for image in cut]
    assert cut.shape == (400, 3, 4, 4)
    assert set(found) == set(range(16))


def test_a_map_is_cut_where_its_image_is(images: Tensor) -> None:
    with seeding.fork(4):
        cut, labels = FlipCrop(1, flip=True, size=6)(images, images[:, 0].clone())
    inside = cut[:, 0] > 0
    assert labels.shape == (COUNT, 6, 6)
    assert torch.equal(labels[inside], cut[:, 0][inside])
    assert (labels[~inside] == IGNORED).all()


def test_a_square_that_does_not_fit_is_refused(images: Tensor) -> None:
    with pytest.raises(UserError, match=r"augmentation\.size=8 is larger than images of 5 pixels, padded to 7"):
        FlipCrop(1, flip=False, size=8)(images, torch.zeros(COUNT))


def test_every_second_image_is_mirrored_with_its_map() -> None:
    images = torch.arange(24, dtype=torch.uint8).view(1, 2, 3, 4).expand(4000, -1, -1, -1)
    with seeding.fork(5):
        moved, maps = Flip()(images, images[:, 0])
        _, labels = Flip()(images, torch.arange(4000))
    mirrored = (moved[:, 0, 0, 0] == 3).nonzero().squeeze(1)
    assert 1850 < len(mirrored) < 2150  # binomial: 2000 +- 4.7 standard deviations
    want = images.clone()
    want[mirrored] = want[mirrored].flip(3)
    assert torch.equal(moved, want)
    assert torch.equal(maps, want[:, 0])
    assert torch.equal(labels, torch.arange(4000))


def test_flipping_features_is_refused_with_a_remedy() -> None:
    with pytest.raises(UserError, match=r"^recipe\.augmentation needs images .*\(4, 10\).*augmentation=null"):
        Flip()(torch.zeros(4, 10), torch.zeros(4))
