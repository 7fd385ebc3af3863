"""LSUN scenes: small databases in the published layout."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from composing import compose, run_id
from PIL import Image
from published import SCENES, database, lsun_files, scenes

from al_bench.active.inputs import fingerprint
from al_bench.dataset import Dataset, Split
from al_bench.dataset.lsun import divide, lsun
from al_bench.errors import UserError
from al_bench.sources.cache import LazyImages, MappedImages
from al_bench.sources.decoding import Decoder

COUNTS = [30, 10, 20]  # of the classes in their order
TOTAL = sum(COUNTS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds lsun/ and, after the first reading, decoded/ with the lists of keys."""
    place = tmp_path_factory.mktemp("published")
    for number, (name, count) in enumerate(zip(SCENES, COUNTS, strict=True)):
        database(place / "lsun" / f"{name}_train_lmdb", scenes(number, count))
    return place


def read(folder: Path, **more: object) -> Dataset:
    arguments = {"classes": SCENES, "test_size": 20, "split_seed": 0, "image_size": 64, "crop": None, "cache": "never"}
    return lsun(folder / "lsun", **{"decoded": folder / "decoded", **arguments, **more})  # type: ignore[arg-type]


def pairs(split: Split) -> list[tuple[bytes, int]]:
    """Pixels and label of each picture."""
    images = split.images[torch.arange(len(split))]
    return [(image.numpy().tobytes(), label) for image, label in zip(images, split.labels.tolist(), strict=True)]


def originals(classes: tuple[str, ...] = SCENES) -> list[tuple[bytes, int]]:
    """What the pairs of all pictures must be: scaled until the shorter side fits, the rest cut off evenly."""
    found = []
    for label, name in enumerate(classes):
        number = SCENES.index(name)
        for _, content in sorted(scenes(number, COUNTS[number]).items()):
            whole = Image.open(io.BytesIO(content)).convert("RGB")
            pixels = np.asarray(whole.crop((8, 0, 72, 64)))  # 80 x 64
            found.append((pixels.transpose(2, 0, 1).tobytes(), label))
    return found


def test_every_picture_is_in_one_split_with_its_label(folder: Path) -> None:
    dataset = read(folder)
    assert dataset.train.images.shape == (40, 3, 64, 64)
    assert [len(dataset.train), len(dataset.test)] == [TOTAL - 20, 20]
    assert sorted(pairs(dataset.train) + pairs(dataset.test)) == sorted(originals())
    assert dataset.class_names == SCENES
    assert dataset.validation is None


def test_the_order_of_classes_is_the_order_of_labels(folder: Path) -> None:
    dataset = read(folder, classes=["tower", "bedroom"], test_size=5)
    assert sorted(pairs(dataset.train) + pairs(dataset.test)) == sorted(originals(("tower", "bedroom")))


def test_the_pool_keeps_the_order_of_the_databases(folder: Path) -> None:
    published = originals()
    places = [published.index(pair) for pair in pairs(read(folder).train)]
    assert places == sorted(places)


def test_the_test_split_is_drawn_by_its_seed_alone(folder: Path) -> None:
    first = pairs(read(folder).test)
    assert pairs(read(folder, max_images=7).test) == first
    assert pairs(read(folder, split_seed=1).test) != first
    assert set(pairs(read(folder, test_size=10).test)) < set(first), "a smaller test is a part of a larger one"


def test_the_middle_is_cut_out_before_it_is_scaled(folder: Path) -> None:
    found = read(folder, crop=32, image_size=32).train.images[torch.tensor([0])][0]
    whole = torch.from_numpy(np.frombuffer(pairs(read(folder).train)[0][0], dtype=np.uint8).copy()).view(3, 64, 64)
    assert torch.equal(found, whole[:, 16:48, 16:48])
    with pytest.raises(UserError, match=r"80 x 64 .*65 x 65"):
        read(folder, crop=65).train.images[torch.tensor([0])]


def never(*arguments: object) -> None:
    raise AssertionError("decoded")


def test_nothing_is_decoded_before_it_is_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Decoder, "decode", never)
    dataset = read(folder, max_images=12)
    assert isinstance(dataset.train.images, LazyImages)
    assert [len(dataset.train), len(dataset.test)] == [12, 20]
    assert fingerprint(dataset.train.images) != fingerprint(dataset.test.images)
    assert torch.bincount(dataset.train.labels).sum() == 12


def test_a_batch_decodes_its_own_pictures_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train, decode, decoded = read(folder).train, Decoder.decode, []

    def counted(decoder: Decoder, picture: object) -> np.ndarray:
        decoded.append(str(picture))
        return decode(decoder, picture)  # type: ignore[arg-type]

    monkeypatch.setattr(Decoder, "decode", counted)
    assert train.images[torch.tensor([3, 0, 3])].shape == (3, 3, 64, 64)
    assert len(decoded) == 3
    assert len(set(decoded)) == 2


def test_pictures_are_known_by_what_they_are_not_by_where(folder: Path, tmp_path: Path) -> None:
    known = fingerprint(read(folder).train.images)
    shutil.copytree(folder, tmp_path / "copy")
    assert fingerprint(read(tmp_path / "copy").train.images) == known
    for other in ({"test_size": 21}, {"split_seed": 1}, {"crop": 60}, {"image_size": 32}, {"max_images": 39}):
        assert fingerprint(read(folder, **other).train.images) != known


def test_what_was_decoded_is_kept_if_wanted(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lazy = read(folder)
    kept = read(folder, cache="auto", decoded=tmp_path)
    assert isinstance(kept.train.images, MappedImages)
    assert pairs(kept.train) == pairs(lazy.train)
    assert fingerprint(kept.train.images) == fingerprint(lazy.train.images)
    monkeypatch.setattr(Decoder, "decode", never)
    assert pairs(read(folder, cache="auto", decoded=tmp_path).train) == pairs(kept.train)


def test_published_validation_pictures_are_the_validation_split(tmp_path: Path) -> None:
    lsun_files(tmp_path / "lsun", SCENES[:2], train=25)
    dataset = read(tmp_path, classes=SCENES[:2], test_size=5)
    assert dataset.validation is not None
    assert dataset.validation.labels.tolist() == [0] * 4 + [1] * 4
    assert not set(pairs(dataset.validation)) & set(pairs(dataset.train) + pairs(dataset.test))


def test_a_run_is_named_by_the_databases(folder: Path, tmp_path: Path) -> None:
    mine = ("dataset=lsun", "strategy=random", "dataset.classes=[bedroom,kitchen,tower]")
    shutil.copytree(folder / "lsun", tmp_path / "lsun")
    here = run_id(*mine, f"dataset.root={folder / 'lsun'}")
    assert run_id(*mine, f"paths.data={tmp_path}") == here
    assert run_id(*mine, f"paths.data={tmp_path}", "dataset.cache=auto", "paths.decoded=/there") == here
    assert run_id(*mine, f"paths.data={tmp_path / 'none'}") != here
    files = compose(*mine, f"paths.data={tmp_path}").dataset.files
    shutil.copytree(tmp_path / "lsun" / "tower_train_lmdb", tmp_path / "other" / "tower_train_lmdb")
    database(tmp_path / "other" / "bedroom_train_lmdb", scenes(7, 30))
    database(tmp_path / "other" / "kitchen_train_lmdb", scenes(8, 10))
    assert compose(*mine, f"dataset.root={tmp_path / 'other'}").dataset.files not in (files, None)
    with pytest.raises(UserError, match=r"other holds other databases"):
        lsun(tmp_path / "other", SCENES, 20, 0, 64, None, "never", tmp_path / "decoded", files=files)


def test_missing_databases_are_named(folder: Path) -> None:
    said = r"lsun lacks bridge_train_lmdb, dining_room_train_lmdb: unpack .*data\.mdb, or set paths\.data"
    with pytest.raises(UserError, match=said):
        read(folder, classes=["bedroom", "bridge", "dining_room"])


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("classes", ["bedroom", "attic"], r"dataset\.classes=\['bedroom', 'attic'\] .* bedroom, bridge"),
        ("classes", ["bedroom"], r"dataset\.classes"),
        ("classes", ["tower", "tower"], r"dataset\.classes"),
        ("test_size", 0, r"dataset\.test_size=0 .*1 to 59.*60"),
        ("test_size", TOTAL, r"dataset\.test_size=60 "),
    ],
)
def test_values_that_cannot_be(folder: Path, key: str, value: object, said: str) -> None:
    with pytest.raises(UserError, match=said):
        read(folder, **{key: value})


def test_ten_million_are_divided_in_seconds() -> None:
    """At the paper's size, Table 1's 9,604k for training: each position is of one split, and once."""
    total = 9_604_000 + 291_000
    train, test = divide(total, compose("dataset=lsun").dataset.test_size, 0)
    assert (len(train), len(test)) == (9_604_000, 291_000)
    assert torch.equal(torch.bincount(torch.cat([train, test])), torch.ones(total, dtype=torch.int64))
