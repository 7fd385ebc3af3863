import torch
from torch import Tensor

from al_bench.dataset import Dataset
from al_bench.dataset.shapes_seg import shapes_seg
from al_bench.training.losses import IGNORED


def small(train_size: int = 60, max_images: int | None = None) -> Dataset:
    return shapes_seg(train_size, 40, 32, draw_seed=0, max_images=max_images)


def test_images_and_maps_fit_each_other() -> None:
    dataset = small()
    assert dataset.train.images.shape == (60, 3, 32, 32)
    assert dataset.train.images.dtype == torch.uint8
    assert dataset.train.labels.shape == (60, 32, 32)
    assert dataset.train.labels.dtype == torch.uint8
    assert dataset.map_shape == (32, 32)
    assert dataset.num_classes == 4
    assert dataset.train.labels.unique().tolist() == [0, 1, 2, 3, IGNORED]


def test_every_class_has_pixels_and_background_most() -> None:
    shares = torch.bincount(small(200).train.labels.flatten().long(), minlength=256)[[0, 1, 2, 3, IGNORED]] / 200 / 1024
    assert shares[0] > 0.5
    assert (shares[1:] > 0.03).all()
    assert shares[4] < 0.15


def test_a_ring_parts_every_shape_from_everything_else() -> None:
    labels = small().train.labels.long()
    for first, second in ((labels[:, 1:], labels[:, :-1]), (labels[:, :, 1:], labels[:, :, :-1])):
        touching = (first != second) & (first != IGNORED) & (second != IGNORED)
        assert not touching.any()


def test_the_same_seed_draws_the_same_and_the_test_split_stands_alone() -> None:
    first, again, longer = small(), small(), small(90)
    assert torch.equal(first.train.images[:], again.train.images[:])
    assert torch.equal(first.test.images[:], longer.test.images[:])
    assert not torch.equal(first.train.images[:40], first.test.images[:])
    assert len(small(max_images=10).train) == 10


def test_shapes_are_what_their_names_say() -> None:
    """The area of a shape that lies alone and free, as a fraction of the smallest circle around it."""
    dataset = shapes_seg(150, 1, 96, draw_seed=1)
    shares: dict[int, list[float]] = {1: [], 2: [], 3: []}
    for labels in dataset.train.labels:
        kinds = labels[(labels > 0) & (labels != IGNORED)].unique().tolist()
        border = torch.cat([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
        if len(kinds) == 1 and (border == 0).all():
            shares[kinds[0]].append(filled(labels == kinds[0]))
    expected = {1: 1.0, 2: 2 / torch.pi, 3: 3 * 3**0.5 / 4 / torch.pi}
    for kind, found in shares.items():
        assert abs(torch.tensor(found).median() - expected[kind]) < 0.08


def filled(mask: Tensor) -> float:
    """Area over that of the circle around the center of mass that reaches the farthest pixel."""
    places = mask.nonzero().double()
    reach = (places - places.mean(0)).norm(dim=1).max()
    return float(len(places) / (torch.pi * reach**2))
