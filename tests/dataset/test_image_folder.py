import errno
import logging
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from composing import part
from pictures import CLASSES, fill, noise, save

from al_bench.dataset import Dataset
from al_bench.dataset.image_folder import image_folder
from al_bench.dataset.imbalance import Imbalance
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
    assert "1 picture in" in caplog.text and "beside the class folders" in caplog.text


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
    refused(r"dataset.classes=\[cat,cat\] must name at least two classes", root, classes=["cat", "cat"])
    refused(r"dataset.classes=\[cat,cat,owl\] must name", root, classes=["cat", "cat", "owl"])
    assert read(root, classes=["cat", "wolf"]).num_classes == 2
    shutil.rmtree(root / "test")
    refused(r"has one picture of wolf, which leaves none", root)


@pytest.mark.parametrize(
    ("train", "val", "test"),
    [
        ("Train", None, "Test"),
        ("training", None, "testing"),
        ("TRAIN", "VAL", "Testing"),
        ("train", "valid", "test"),
        ("training", "Validation", "test"),
        ("train", "dev", "test"),
    ],
)
def test_splits_by_any_of_their_names(tmp_path: Path, train: str, val: str | None, test: str) -> None:
    """The same pictures in the same splits, whatever the folders are called."""
    usual, named = {"train": 4, "val": 1, "test": 2}, {train: 4, val: 1, test: 2}
    usual, named = ({name: count for name, count in one.items() if name} for one in (usual, named))
    if val is None:
        del usual["val"]
    found = read(fill(tmp_path / "named", named))
    assert rows(found) == rows(read(fill(tmp_path / "usual", usual)))
    assert (found.validation is None) == (val is None)


def test_folders_that_would_be_one_split_and_classes_called_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    refused("both has the folders val and valid, which are the same", fill(tmp_path / "both", {"val": 1, "valid": 1}))
    refused("cases has the folders Train and train, which", fill(tmp_path / "cases", {"Train": 2, "train": 2}))
    refused("has no folder train beside dev", fill(tmp_path / "again", {"": 2, "dev": 2}))
    assert read(fill(tmp_path / "teams", {"": 4}, ["dev", "ops"])).class_names == ("dev", "ops")
    assert "dev among the classes: without class folders for training beside it is no split" in caplog.text
    assert read(fill(tmp_path / "vehicles", {"": 4}, ["train", "car"])).class_names == ("car", "train")
    read(fill(tmp_path / "more", {"train": 2, "test": 1, "extra": 1}))
    assert "left out beside train and test, for they are no splits: extra" in caplog.text


def nested(root: Path) -> Path:
    for place, seed in (("animals/cat", 0), ("animals/dog", 20), ("things/fork", 40), ("things/spoon", 60)):
        for number in range(5):
            save(root / place / f"{number}.png", noise(seed + number))
    return root


def test_classes_and_splits_are_said_and_lie_as_deep_as_asked(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    root = nested(tmp_path / "mine")
    assert read(root).num_classes == 2
    assert (
        "2 classes: animals (10 in cat, dog), things (10 in fork, spoon); 16 train, 4 test; dataset.class_depth=2 "
        "makes classes of the folders in them"
    ) in caplog.text
    caplog.clear()
    deep = read(root, class_depth=2, classes=["things/fork", "animals/cat"])
    assert deep.class_names == ("things/fork", "animals/cat") and deep.train.labels.tolist() == [0] * 4 + [1] * 4
    assert "2 classes: things/fork (5), animals/cat (5); 8 train, 2 test\n" in caplog.text
    split = tmp_path / "split"
    nested(split / "train")
    nested(split / "test")
    assert read(split, class_depth=2).class_names == ("animals/cat", "animals/dog", "things/fork", "things/spoon")
    save(split / "train" / "animals" / "stray.png", noise(99))
    read(split, class_depth=2)
    assert "1 picture in" in caplog.text and "beside the class folders" in caplog.text
    refused("holds 20 pictures and no class folders 3 folders deep, as dataset.class_depth=3 asks", root, class_depth=3)
    caplog.clear()
    read(fill(tmp_path / "many", {"": 2}, [f"c{number:03d}" for number in range(100)], side=1))
    assert "100 classes: c000 (2), c001 (2), c002 (2), c003 (2), c004 (2) and 95 more; 100 train" in caplog.text


@pytest.mark.parametrize("more", [{}, {"class_names": ["cat", "dog"], "image_size": 8}])
def test_what_is_left_out_is_counted_and_named_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, more: dict[str, Any]
) -> None:
    """Where folders are the classes, and where a person says them."""
    root = fill(tmp_path / "mine", {"": 2})
    for name in ("cat/a.jfif", "cat/b.jfif", "dog/README", ".hidden"):
        (root / name).write_text("")
    (root / "owl" / "gone.png").symlink_to("nowhere.png")
    read(root, **more)
    (line,) = [record.getMessage() for record in caplog.records if "left out" in record.getMessage()]
    assert line.startswith(
        f"5 left out below {root}: 2 .jfif (cat/a.jfif, cat/b.jfif), 1 a link to nothing (owl/gone.png), "
        "1 hidden (.hidden), 1 without a suffix (dog/README); pictures are .bmp .gif"
    )


def test_links_that_the_page_will_not_follow_are_said_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    outside, root = fill(tmp_path / "outside", {"": 2}), fill(tmp_path / "mine", {"": 2})
    (root / "deeper").symlink_to(outside)
    read(root)
    assert "lead out of" not in caplog.text, "nobody is to see them"
    caplog.clear()
    read(root, class_names=["cat", "dog"], image_size=8)
    assert caplog.messages[0].startswith(
        f"6 pictures of 12 can be reached by links that lead out of {root} alone, such"
    )
    assert "deeper/cat/0.png, and the page shows none of these: put the files" in caplog.messages[0]


def test_names_that_are_no_utf_8(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    root = fill(tmp_path / "mine", {"": 3})
    (root / "cat").rename(root / os.fsdecode(b"caf\xe9"))
    (root / "dog" / "1.png").rename(root / "dog" / os.fsdecode(b"\xff\n.png"))
    (root / "dog" / os.fsdecode(b"\xfe.txt")).write_text("")
    found = read(root)
    assert found.class_names == (r"caf\udce9", "dog", "owl")
    found.class_names[0].encode()
    caplog.text.encode()
    (root / "dog" / os.fsdecode(b"\xff\n.png")).write_bytes(b"none")
    with pytest.raises(UserError) as caught:
        read(root)
    assert r"dog/\udcff\n.png cannot be read" in str(caught.value)
    str(caught.value).encode()


def test_broken_pictures_are_left_out_where_that_is_asked_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = fill(tmp_path / "mine", {"train": 4, "test": 2})
    whole = rows(read(root))
    for name in ("train/cat/0.png", "train/owl/3.png", "test/dog/1.png"):
        (root / name).write_bytes((root / name).read_bytes()[:-30])
    refused("2 pictures cannot be used, remove or replace them: .*train/cat/0.png", root)
    for cache in ("auto", "never", "auto"):
        found = read(root, broken="skip", cache=cache)
        assert found.skipped == 3
        assert rows(found)["train"] == [row for place, row in enumerate(whole["train"]) if place not in (0, 11)]
        assert rows(found)["test"] == [row for place, row in enumerate(whole["test"]) if place != 3]
    assert "left out: 2 pictures that cannot be read: train/cat/0.png, train/owl/3.png" in caplog.text
    kept = sorted((tmp_path / "decoded").glob("*.broken.json"))
    kept[0].write_text("[[1]]")
    assert read(root, broken="skip").skipped == 3, "what is kept is not believed where it cannot be"
    (root / "test" / "dog" / "0.png").write_bytes(b"")
    refused(r"no picture of dog can be read, such as .*test/dog/0\.png", root, broken="skip")


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, scandir = fill(tmp_path / "mine", {"": 2}), os.scandir

    def locked(place: Path) -> object:
        if Path(place).name == "dog":
            raise PermissionError(errno.EACCES, "Permission denied", str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", locked)
    refused(r"mine/dog cannot be read \(Permission denied\): mend it, or leave it out", root)


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


def test_unlabeled_pictures_whose_names_are_no_utf_8_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = fill(tmp_path / "mine", {"": 3})
    for number in range(4):
        (root / "cat" / "0.png").rename(root / "cat" / os.fsdecode(b"%d\xff.png" % number))
        save(root / "cat" / "0.png", noise(number))
    read(root, class_names=["cat", "dog"], image_size=8)
    said = "left out: 4 pictures named by what is no UTF-8: rename cat/0\\udcff.png, cat/1\\udcff.png, "
    assert f"{said}cat/2\\udcff.png and others" in caplog.text


@pytest.mark.parametrize("given", [{"classes": ["cat"]}, {"class_depth": 2}, {"imbalance": Imbalance((1.0, 0.5))}])
def test_what_chooses_among_labels_is_refused_for_pictures_without_any(tmp_path: Path, given: dict[str, Any]) -> None:
    root = fill(tmp_path / "mine", {"": 3})
    words = f"dataset.{next(iter(given))} chooses among labels"
    refused(words, root, class_names=["cat", "dog"], image_size=8, **given)
