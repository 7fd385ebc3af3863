"""Tiny-ImageNet's twenty classes: made pictures in their layout, and the real ones."""

from pathlib import Path

import pytest
import torch
from composing import compose, part
from pictures import fill

from al_bench.config.groups import CONF
from al_bench.dataset import Dataset
from al_bench.dataset.imbalance import Imbalance
from al_bench.dataset.tiny_imagenet import draw_classes, tiny_imagenet
from al_bench.errors import UserError
from al_bench.sources.archives import unpack

CLASSES = ("n01644900", "n01698640", "n01742172", "n01768244")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("published") / "tiny_imagenet20"
    return fill(root, {"train": 8, "val": 2}, CLASSES, side=16, ending="JPEG")


def read(folder: Path, **more: object) -> Dataset:
    arguments = {"image_size": 16, "cache": "never", "decoded": folder.parent / "decoded", **more}
    return tiny_imagenet(folder, **arguments)  # type: ignore[arg-type]


def test_all_classes_or_a_list_in_its_order(folder: Path) -> None:
    assert read(folder).class_names == CLASSES
    some = read(folder, classes=[CLASSES[2], CLASSES[0]], image_size=8)
    assert some.class_names == (CLASSES[2], CLASSES[0])
    assert some.train.images.shape == (16, 3, 8, 8)
    assert some.test.labels.tolist() == [0, 0, 1, 1]
    assert some.validation is None
    with pytest.raises(UserError, match="n99999999"):
        read(folder, classes=[CLASSES[0], "n99999999"])


def test_training_alone_is_thinned(folder: Path) -> None:
    dataset = read(folder, imbalance=Imbalance([1, 0.25], assigned="in_order"))
    assert dataset.train.labels.tolist() == [0] * 8 + [1] * 8 + [2] * 2 + [3] * 2
    assert len(dataset.test) == 8
    whole = {image.numpy().tobytes() for image in read(folder).train.images[torch.arange(24, 32)]}
    kept = [image.numpy().tobytes() for image in dataset.train.images[torch.arange(18, 20)]]
    assert set(kept) <= whole


def test_classes_are_drawn_and_their_training_pictures_divided(folder: Path) -> None:
    """The published val is not read: a picture of it is in neither split."""
    arguments = {"num_classes": 2, "test_share": 0.25}
    found = {seed: read(folder, class_seed=seed, **arguments) for seed in range(5)}
    assert {len(dataset.class_names) for dataset in found.values()} == {2}
    assert len({dataset.class_names for dataset in found.values()}) > 1
    assert all(list(dataset.class_names) == sorted(dataset.class_names) for dataset in found.values())
    dataset = found[0]
    assert torch.bincount(dataset.train.labels).tolist() == [6, 6]
    assert torch.bincount(dataset.test.labels).tolist() == [2, 2]
    assert pictures(dataset) == pictures(read(folder, class_seed=0, **arguments))
    published = read(folder, classes=dataset.class_names)
    assert pictures(dataset) == pictures(published) - {
        row.numpy().tobytes() for row in published.test.images[torch.arange(4)]
    }
    other = read(folder, class_seed=0, split_seed=1, **arguments)
    assert pictures(other) == pictures(dataset)
    assert other.test.images[torch.arange(4)].tolist() != dataset.test.images[torch.arange(4)].tolist()


def pictures(dataset: Dataset) -> set[bytes]:
    """The bytes of every image."""
    splits = (dataset.train.images, dataset.test.images)
    return {image.numpy().tobytes() for images in splits for image in images[torch.arange(len(images))]}


def test_they_are_drawn_from_a_list_and_no_more_than_there_are(folder: Path) -> None:
    some = read(folder, classes=CLASSES[1:], num_classes=2)
    assert set(some.class_names) < set(CLASSES[1:])
    with pytest.raises(UserError, match=r"dataset\.num_classes=5 cannot be: there are 4 classes"):
        read(folder, num_classes=5)
    with pytest.raises(UserError, match=r"dataset\.num_classes=1 cannot be: there are 4 classes, give 2 to 4"):
        read(folder, num_classes=1)


def test_pictures_may_lie_deeper_as_published_and_val_may_be_absent(tmp_path: Path) -> None:
    root = tmp_path / "tiny-imagenet-200"
    for name in CLASSES:
        fill(root / "train" / name, {"images": 4}, [""], ending="JPEG")
    dataset = read(root, num_classes=3, test_share=0.25, image_size=8)
    assert torch.bincount(dataset.train.labels).tolist() == [3, 3, 3]
    with pytest.raises(UserError, match="val is missing"):
        read(root)


def test_the_ten_classes_of_two_hundred_are_those_that_are_told() -> None:
    """Of the published list of classes."""
    names = Path(__file__).with_name("tiny_imagenet_wnids.txt").read_text().split()
    assert (len(set(names)), names) == (200, sorted(names))
    config = compose("dataset=tiny_imagenet10", "strategy=random").dataset
    drawn = draw_classes(names, config.num_classes, config.class_seed)
    assert " ".join(drawn) in " ".join((CONF.parent / "docs/papers/alcg.md").read_text().split())


def test_a_folder_half_there_is_refused(tmp_path: Path) -> None:
    fill(tmp_path / "tiny_imagenet20", {"train": 2}, CLASSES)
    with pytest.raises(UserError, match=r"val is missing: unpack tiny_imagenet20\.tar\.xz .*prepare_data\.py"):
        read(tmp_path / "tiny_imagenet20")
    with pytest.raises(UserError, match=r"train and .*val are missing"):
        read(tmp_path / "absent")


@pytest.mark.real_data
@pytest.mark.slow
def test_the_real_pictures_have_the_published_counts(real_data: Path, tmp_path: Path) -> None:
    unpack(real_data / "tiny_imagenet20.tar.xz", tmp_path)
    places = (f"paths.data={tmp_path}", f"paths.outputs={tmp_path / 'outputs'}")
    dataset: Dataset = part("dataset", "dataset=tiny_imagenet", *places, "dataset.image_size=64")
    assert torch.bincount(dataset.train.labels).tolist() == [500] * 20
    assert torch.bincount(dataset.test.labels).tolist() == [50] * 20
    assert dataset.train.images.shape == (10_000, 3, 64, 64)
    ten: Dataset = part(
        "dataset", "dataset=tiny_imagenet", *places, f"dataset.classes=[{','.join(dataset.class_names[:10])}]"
    )
    assert ten.train.images.shape == (5_000, 3, 32, 32)
    places = (*places, f"dataset.root={tmp_path / 'tiny_imagenet20'}")
    drawn: Dataset = part("dataset", "dataset=tiny_imagenet10", "strategy=random", *places)
    assert torch.bincount(drawn.train.labels).tolist() == [400] * 10
    assert torch.bincount(drawn.test.labels).tolist() == [100] * 10
    assert drawn.train.images.shape == (4000, 3, 32, 32)
