import pytest
import torch

from al_bench.active.inputs import as_stored, read_all, to_float
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery, SyntheticQuery


def made_pool(size=6, device="cpu"):
    images = torch.arange(size, dtype=torch.uint8).reshape(size, 1, 1, 1).expand(size, 1, 2, 2).clone()
    return Pool.unlabeled_from(images.to(device), num_classes=3)


def test_labels_are_kept_in_the_order_of_annotation():
    pool = made_pool().with_labels(PoolQuery(torch.tensor([4, 1])), torch.tensor([2, 0]))
    pool = pool.with_labels(PoolQuery(torch.tensor([0])), torch.tensor([1]))
    inputs, labels = pool.training_set()
    assert pool.labeled.tolist() == [4, 1, 0]
    assert read_all(inputs)[:, 0, 0, 0].tolist() == [4, 1, 0]
    assert labels.tolist() == [2, 0, 1]
    assert pool.unlabeled.tolist() == [2, 3, 5]
    assert pool.annotations == 3


def test_an_annotation_that_could_not_be_told_costs_and_is_not_asked_again():
    pool = made_pool().with_labels(PoolQuery(torch.tensor([4, 1])), torch.tensor([-1, 0]))
    assert pool.annotations == 2
    assert pool.unlabeled.tolist() == [0, 2, 3, 5]
    assert pool.training_set()[1].tolist() == [0]
    assert pool.class_counts() == [1, 0, 0]


def test_a_line_of_eleven_images_is_one_annotation():
    """ASAL Sec. 5.3: annotating one line leads to eleven labeled images."""
    line = torch.zeros(2, 11, 1, 2, 2, dtype=torch.uint8)
    pool = made_pool().with_labels(SyntheticQuery(line), torch.ones(2, 11, dtype=torch.int64))
    assert pool.annotations == 2
    assert len(pool.training_set()[0]) == 22
    assert len(pool.unlabeled) == 6


def test_lines_are_given_back_as_they_were_asked():
    line = torch.arange(2 * 3, dtype=torch.uint8).reshape(2, 3, 1, 1, 1).expand(2, 3, 1, 2, 2)
    pool = made_pool().with_labels(SyntheticQuery(line), torch.tensor([[0, 1, -1], [2, 2, 2]]))
    pool = pool.with_labels(PoolQuery(torch.tensor([5])), torch.tensor([1]))
    pool = pool.with_labels(SyntheticQuery(line[:1, :1]), torch.tensor([[1]]))
    assert [inputs[:, 0, 0, 0].tolist() for inputs, _ in pool.lines()] == [[0, 1, 2], [3, 4, 5], [0]]
    assert [labels.tolist() for _, labels in pool.lines()] == [[0, 1, -1], [2, 2, 2], [1]]
    assert made_pool().lines() == []


def test_pool_images_come_before_synthetic_ones():
    pool = made_pool().with_labels(
        SyntheticQuery(torch.full((1, 1, 1, 2, 2), 9, dtype=torch.uint8)), torch.tensor([[2]])
    )
    pool = pool.with_labels(PoolQuery(torch.tensor([5])), torch.tensor([1]))
    inputs, labels = pool.training_set()
    assert read_all(inputs)[:, 0, 0, 0].tolist() == [5, 9]
    assert labels.tolist() == [1, 2]


def test_the_pool_before_is_left_as_it_was():
    before = made_pool()
    before.with_labels(PoolQuery(torch.tensor([0])), torch.tensor([1]))
    assert before.annotations == 0
    assert len(before.unlabeled) == 6


@pytest.mark.parametrize("indices", [[3, 3], [1]])
def test_an_image_is_labeled_once(indices):
    pool = made_pool().with_labels(PoolQuery(torch.tensor([1])), torch.tensor([0]))
    with pytest.raises(ValueError, match="twice or one that was labeled before"):
        pool.with_labels(PoolQuery(torch.tensor(indices)), torch.zeros(len(indices), dtype=torch.int64))


def test_label_maps_count_pixels_and_leave_ignored_ones_out():
    images = torch.zeros(2, 3, 2, 2, dtype=torch.uint8)
    pool = Pool.unlabeled_from(images, 3, map_shape=(2, 2))
    maps = torch.tensor([[[0, 2], [255, 2]]], dtype=torch.uint8)
    pool = pool.with_labels(PoolQuery(torch.tensor([1])), maps)
    assert pool.class_counts() == [1, 0, 2]
    assert pool.training_set()[1].dtype == torch.uint8


def test_stored_and_canonical_are_inverse():
    images = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(as_stored(to_float(images), torch.uint8), images)
    assert to_float(images).min() == 0 and to_float(images).max() == 1
    features = torch.tensor([-3.5, 7.0])
    assert to_float(features) is features
    assert torch.equal(as_stored(features, torch.float32), features)
