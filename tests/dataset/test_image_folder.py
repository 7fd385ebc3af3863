import logging
import shutil
from pathlib import Path

import pytest
import torch
from composing import part
from pictures import CLASSES, fill, noise, save

from al_bench.dataset import Dataset
from al_bench.dataset.image_folder import image_folder
from al_bench.errors import UserError
from al_bench.sources.archives import unpack
from al_bench.sources.cache import LazyImages, MappedImages
from al_bench.sources.listing import pictures_id


def read(root: Path | str | None, **changed: object) -> Dataset:
    arguments: dict[str, object] = {
        "image_size": None,
        "crop": "center",
        "mode": "rgb",
        "test_share": 0.25,
        "split_seed": 0,
        "cache": "auto",
        "decoded": Path(root or ".").parent / "decoded",
        **changed,
    }
    return image_folder(root, **arguments)  # type: ignore[arg-type]


def rows(dataset: Dataset) -> dict[str, list[tuple[bytes, int]]]:
    """Each split's pixels and labels."""
    splits = {"train": dataset.train, "val": dataset.validation, "test": dataset.test}
    return {
        name: [
            (image.numpy().tobytes(), label)
            for image, label in zip(split.images[torch.arange(len(split))], split.labels.tolist(), strict=True)
        ]
        for name, split in splits.items()
        if split is not None
    }


@pytest.mark.parametrize("second", ["test", "val"])
def test_train_and_test_or_val(tmp_path: Path, second: str) -> None:
    dataset = read(fill(tmp_path / "mine", {"train": 4, second: 2}))
    assert dataset.class_names == CLASSES
    assert dataset.num_classes == 3
    assert dataset.validation is None
    assert dataset.train.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert dataset.test.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert dataset.train.labels.dtype == torch.int64
    first = torch.from_numpy(noise(0).transpose(2, 0, 1).copy())
    assert torch.equal(dataset.train.images[torch.tensor([0])][0], first)


def test_with_all_three_val_is_the_validation_split(tmp_path: Path) -> None:
    dataset = read(fill(tmp_path / "mine", {"train": 4, "val": 1, "test": 2}))
    assert dataset.validation is not None
    assert [len(split) for split in (dataset.train, dataset.validation, dataset.test)] == [12, 3, 6]


@pytest.mark.parametrize("place", ["", "train"])
def test_without_test_pictures_a_share_of_each_class_is_taken(tmp_path: Path, place: str) -> None:
    root = fill(tmp_path / "mine", {place: 8})
    found = rows(read(root))
    assert [label for _, label in found["test"]] == [0, 0, 1, 1, 2, 2]
    assert len(found["train"]) == 18
    assert len({*found["train"], *found["test"]}) == 24, "no picture is in both"
    assert rows(read(root)) == found
    assert rows(read(root, split_seed=1)) != found
    save(root / place / "cat" / "new.png", noise(99))
    again = rows(read(root))
    assert [row for row in again["test"] if row[1]] == [row for row in found["test"] if row[1]], "each class on its own"


def test_every_class_has_a_picture_for_training_and_for_the_test(tmp_path: Path) -> None:
    root = fill(tmp_path / "mine", {"": 2})
    for share in (0.01, 0.99):
        dataset = read(root, test_share=share)
        assert dataset.train.labels.tolist() == dataset.test.labels.tolist() == [0, 1, 2]


def test_deep_folders_odd_files_and_sizes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    root = fill(tmp_path / "mine", {"train": 2, "test": 1})
    save(root / "train" / "cat" / "more" / "x.jpg", noise(50, 30, 60))
    save(root / "test" / "dog" / "y.gif", noise(51, 20, 12, 1))
    (root / "train" / "cat" / "Thumbs.db").write_text("?")
    (root / "classes.txt").write_text("cat dog owl")
    save(root / "train" / "stray.png", noise(52))
    dataset = read(root, image_size=[6, 10], mode="gray")
    assert dataset.train.images.shape == (7, 1, 6, 10)
    assert dataset.test.images.shape == (4, 1, 6, 10)
    assert dataset.train.labels.tolist() == [0, 0, 0, 1, 1, 2, 2]
    assert "1 pictures in" in caplog.text and "lie beside the class folders" in caplog.text


def test_classes_that_are_chosen(tmp_path: Path) -> None:
    root = fill(tmp_path / "mine", {"train": 2, "test": 1})
    dataset = read(root, classes=["owl", "cat"])
    assert dataset.class_names == ("owl", "cat")
    whole = rows(read(root))
    assert rows(dataset)["test"] == [(whole["test"][2][0], 0), (whole["test"][0][0], 1)]


def test_max_images_cuts_the_training_split_before_it_is_decoded(tmp_path: Path) -> None:
    root = fill(tmp_path / "mine", {"train": 10, "test": 2})
    dataset = read(root, max_images=7)
    whole, cut = rows(read(root)), rows(dataset)
    assert isinstance(dataset.train.images, MappedImages)
    assert len(cut["train"]) == 7
    assert cut["train"] == [row for row in whole["train"] if row in cut["train"]]
    assert cut["test"] == whole["test"]


def test_never_keeping_decoded_pictures(tmp_path: Path) -> None:
    root = fill(tmp_path / "mine", {"train": 3, "test": 1})
    lazy = read(root, cache="never")
    assert isinstance(lazy.train.images, LazyImages) and isinstance(lazy.test.images, LazyImages)
    assert not list(tmp_path.glob("decoded/*.npy"))
    assert rows(lazy) == rows(read(root))


def refused(sentence: str, root: Path | str | None, **changed: object) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        read(root, **changed)
    assert "\n" not in str(caught.value)


def test_what_is_no_image_folder(tmp_path: Path) -> None:
    refused(r"dataset\.root is not given: .*dataset\.root=DIR", None)
    refused(r"absent is not a folder", tmp_path / "absent")
    empty = tmp_path / "empty"
    empty.mkdir()
    refused(r"empty holds no pictures \(\.bmp .*\): put a folder of pictures for each class there", empty)
    (empty / "cat").mkdir()
    refused(r"empty holds no pictures", empty)
    file = save(tmp_path / "picture.png", noise(0))
    refused(r"picture\.png is not a folder", file)
    flat = tmp_path / "flat"
    for number in range(3):
        save(flat / f"{number}.png", noise(number))
    refused(r"flat holds 3 pictures and no class folders", flat)
    refused(r"has no folder train beside test", fill(tmp_path / "untrained", {"test": 2}))


def test_classes_that_do_not_fit(tmp_path: Path) -> None:
    refused("one gives the classes cat, and at least two", fill(tmp_path / "one", {"": 3}, classes=["cat"]))
    root = fill(tmp_path / "mine", {"train": 3, "test": 1})
    (root / "train" / "wolf").mkdir()
    refused(r"train/wolf holds no picture: remove it, or put pictures of wolf there", root)
    save(root / "train" / "wolf" / "1.png", noise(0))
    refused(r"test has no picture of wolf, which training has", root)
    save(root / "test" / "wolf" / "1.png", noise(1))
    save(root / "test" / "yak" / "1.png", noise(2))
    refused(r"test has the classes yak, which training has not", root)
    refused(r"train has no pictures of lion: it has cat, dog, owl, wolf", root, classes=["cat", "lion"])
    refused(r"train gives the classes cat, cat, and", root, classes=["cat", "cat"])
    assert read(root, classes=["cat", "wolf"]).num_classes == 2
    shutil.rmtree(root / "test")
    refused(r"has one picture of wolf, which leaves none", root)


def test_values_that_cannot_be(tmp_path: Path) -> None:
    root = fill(tmp_path / "mine", {"": 2})
    for size in ([8], [8, 8, 8]):
        refused(r"dataset\.image_size=.* cannot be: give a side", root, image_size=size)


def test_pictures_that_cannot_be_used(tmp_path: Path) -> None:
    root = fill(tmp_path / "mine", {"train": 3, "test": 2})
    save(root / "test" / "owl" / "9.png", noise(0, 9, 9))
    refused(r"test/owl/9\.png has 9 x 9 pixels and others have 8 x 8: .*dataset\.image_size=64", root)
    for path in (root / "test").rglob("*.png"):
        save(path, noise(0, 9, 9))
    refused(r"those for training have 8 x 8 pixels and those for test have 9 x 9", root)
    assert read(root, image_size=8).test.images.shape == (7, 3, 8, 8)
    path = root / "train" / "dog" / "1.png"
    path.write_bytes(path.read_bytes()[:90])
    for cache in ("auto", "never"):
        refused(r"train/dog/1\.png cannot be read as a picture", root, image_size=8, cache=cache)


def test_a_folder_that_is_not_the_runs_own(tmp_path: Path) -> None:
    root = fill(tmp_path / "mine", {"": 3})
    known = pictures_id(str(root))
    assert read(root, files=known).num_classes == 3
    refused("holds other pictures than the run was made with", fill(tmp_path / "other", {"": 4}), files=known)


@pytest.mark.real_data
@pytest.mark.slow
def test_tiny_imagenet(real_data: Path, tmp_path: Path) -> None:
    root, _ = unpack(real_data / "tiny_imagenet20.tar.xz", tmp_path)
    arguments = ("dataset=image_folder", f"dataset.root={root}", f"paths.outputs={tmp_path / 'outputs'}")
    dataset: Dataset = part("dataset", *arguments)
    assert dataset.train.images.shape == (10_000, 3, 64, 64)
    assert torch.bincount(dataset.train.labels).tolist() == [500] * 20
    assert torch.bincount(dataset.test.labels).tolist() == [50] * 20
    assert dataset.class_names[0] == "n01644900"
    small: Dataset = part("dataset", *arguments, "dataset.image_size=32", "dataset.mode=gray", "scale=smoke")
    assert small.train.images.shape == (200, 1, 32, 32)
