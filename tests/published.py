"""Small files, filled with noise, in the layouts in which SVHN, STL10, CelebA, LSUN, CIFAR-100, ImageNet, iNaturalist
and street scenes are published."""

import hashlib
import io
import json
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

import lmdb
import numpy as np
from pictures import noise, save
from PIL import Image
from scipy.io import savemat

from al_bench.dataset.celeba import ATTRIBUTES, PARTITION, PICTURES

SVHN_COUNTS = {"train": 40, "extra": 160, "test": 40}
STL10_COUNTS = {"train": 50, "test": 80}  # a hundredth
CELEBA_NAMES = ("Bangs", "Blond_Hair", "Eyeglasses", "Male", "Wearing_Hat")
SCENES = ("bedroom", "kitchen", "tower")
STREETS = {  # of each data set a picture, its map, the splits and the ids that a map may hold
    "camvid": (
        "{split}/images/{number:04d}.jpg",
        "{split}/labels/{number:04d}.png",
        ("train", "val", "test"),
        range(12),
    ),
    "cityscapes": (
        "leftImg8bit/{split}/ulm/ulm_{number:06d}_leftImg8bit.png",
        "gtFine/{split}/ulm/ulm_{number:06d}_gtFine_labelIds.png",
        ("train", "val"),
        range(34),
    ),
    "bdd100k": (
        "images/10k/{split}/{number:04d}.jpg",
        "labels/sem_seg/masks/{split}/{number:04d}.png",
        ("train", "val"),
        (*range(19), 255),
    ),
}
STREET_COUNTS = {"train": 40, "val": 10, "test": 12}


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def svhn_image(name: str, row: int) -> np.ndarray:
    """(32, 32, 3), other ones for every file and row."""
    return noise(1000 * list(SVHN_COUNTS).index(name) + row, 32, 32)


def svhn_files(folder: Path) -> dict[str, str]:
    """The three .mat files, whose labels count from 1 to 10, and the MD5 of each."""
    folder.mkdir(parents=True, exist_ok=True)
    checksums = {}
    for name, count in SVHN_COUNTS.items():
        images = np.stack([svhn_image(name, row) for row in range(count)], axis=3)
        labels = (np.arange(count) % 10 + 1).astype(np.uint8)[:, None]
        path = folder / f"{name}_32x32.mat"
        savemat(path, {"X": images, "y": labels}, do_compression=True)
        checksums[name] = md5(path)
    return checksums


def stl10_image(name: str, row: int) -> np.ndarray:
    """(96, 96, 3), other ones for every file and row."""
    return noise(1000 * list(STL10_COUNTS).index(name) + row, 96, 96)


def stl10_files(folder: Path) -> dict[str, str]:
    """Images column by column, channel after channel, labels from 1 to 10 in turn; the MD5 of each file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, count in STL10_COUNTS.items():
        columns_first = (stl10_image(name, row).transpose(2, 1, 0) for row in range(count))
        (folder / f"{name}_X.bin").write_bytes(b"".join(image.tobytes() for image in columns_first))
        (folder / f"{name}_y.bin").write_bytes(bytes(row % 10 + 1 for row in range(count)))
    return {path.name: md5(path) for path in folder.glob("*.bin")}


def celeba_lists(folder: Path, count: int) -> dict[str, str]:
    """Both lists, two thirds of the faces for training and the rest for validation and test; their MD5."""
    names = [f"{number:06d}.jpg" for number in range(1, count + 1)]
    values = np.random.default_rng(0).integers(0, 2, (count, len(CELEBA_NAMES))) * 2 - 1
    rows = [name + "".join(f" {value:2d}" for value in row) for name, row in zip(names, values, strict=True)]
    splits = [0 if row < 2 * count // 3 else 1 + row % 2 for row in range(count)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ATTRIBUTES).write_text("\n".join([str(count), " ".join(CELEBA_NAMES), *rows]) + "\n")
    (folder / PARTITION).write_text("".join(f"{name} {split}\n" for name, split in zip(names, splits, strict=True)))
    return {name: md5(folder / name) for name in (PARTITION, ATTRIBUTES)}


def celeba_files(root: Path, count: int = 90) -> dict[str, str]:
    """celeba/ with the lists and the aligned faces; the MD5 of the lists."""
    for number in range(1, count + 1):
        small = Image.fromarray(noise(number, 14, 12))
        face = np.asarray(small.resize((178, 218), Image.Resampling.BILINEAR))
        save(root / "celeba" / PICTURES / f"{number:06d}.jpg", face, quality=90)
    return celeba_lists(root / "celeba", count)


def scene(seed: int, kind: str = "WEBP") -> bytes:
    """The content of one picture file, 80 x 64 pixels."""
    small = Image.fromarray(noise(seed, 8, 10)).resize((80, 64), Image.Resampling.BILINEAR)
    content = io.BytesIO()
    small.save(content, kind, quality=90)
    return content.getvalue()


def database(folder: Path, contents: Mapping[bytes, bytes]) -> Path:
    """An LMDB database of these values."""
    folder.mkdir(parents=True, exist_ok=True)
    with lmdb.open(str(folder), map_size=1 << 26) as opened, opened.begin(write=True) as transaction:
        for key, value in contents.items():
            transaction.put(key, value)
    (folder / "lock.mdb").unlink()
    return folder


def scenes(number: int, count: int, ending: str = "train") -> dict[bytes, bytes]:
    """`count` pictures of the class with this number, under keys as LSUN has them; every fourth is a JPEG."""
    seeds = [10_000 * number + 5_000 * (ending == "val") + row for row in range(count)]
    keys = [hashlib.sha1(str(seed).encode()).hexdigest().encode() for seed in seeds]
    return {key: scene(seed, "WEBP" if seed % 4 else "JPEG") for key, seed in zip(keys, seeds, strict=True)}


def lsun_files(root: Path, classes: Sequence[str] = SCENES, train: int = 90, val: int = 4) -> Path:
    """Databases for training and, unless `val` is 0, for validation, unevenly filled."""
    for number, name in enumerate(classes):
        database(root / f"{name}_train_lmdb", scenes(number, train - 20 * number))
        if val:
            database(root / f"{name}_val_lmdb", scenes(number, val, "val"))
    return root


def street_ids(name: str, number: int) -> np.ndarray:
    """(12, 16) ids of a map: every one that there may be, in other places for every number."""
    ids = np.array(STREETS[name][3], dtype=np.uint8)
    return ids[(np.arange(12 * 16) + 5 * number) % len(ids)].reshape(12, 16)


def street_files(name: str, root: Path) -> Path:
    """Pictures of 12 x 16 pixels and their maps, `STREET_COUNTS` of each split."""
    picture, label_map, splits, _ = STREETS[name]
    for place, split in enumerate(splits):
        for number in range(STREET_COUNTS[split]):
            save(root / picture.format(split=split, number=number), noise(1000 * place + number, 12, 16))
            save(root / label_map.format(split=split, number=number), street_ids(name, number))
    return root


KINDS = ("n01440764", "n01443537", "n01484850")


def imagenet_files(folder: Path, train: int = 40, val: int = 4) -> Path:
    """As many JPEG files of each of KINDS, wider than high."""
    for number, name in enumerate(KINDS):
        for split, first, count in (("train", 0, train), ("val", 500, val)):
            for row in range(first, first + count):
                save(folder / split / name / f"{name}_{row}.JPEG", noise(1000 * number + row, 20, 28), quality=95)
    return folder


def inaturalist_list(names: Sequence[str], categories: Sequence[int]) -> dict[str, object]:
    """A list as published, its annotations in another order than its images."""
    images = [{"id": 7 * row, "file_name": name, "width": 28, "height": 20} for row, name in enumerate(names)]
    given = [{"id": row, "image_id": 7 * row, "category_id": kind} for row, kind in enumerate(categories)]
    return {"info": {}, "images": images, "annotations": given[::-1], "categories": []}


def inaturalist_files(folder: Path, train: int = 40, val: int = 4, kinds: int = 3) -> Path:
    """Both lists, whose classes take turns, and their pictures."""
    for number, (split, count) in enumerate((("train", train * kinds), ("val", val * kinds))):
        names = [f"train_val2018/Plantae/{row % kinds}/{split}{row:04d}.jpg" for row in range(count)]
        for row, name in enumerate(names):
            save(folder / name, noise(1000 * number + row, 20, 28), quality=95)
        made = inaturalist_list(names, [row % kinds for row in range(count)])
        (folder / f"{split}2018.json").write_text(json.dumps(made))
    return folder


def cifar100_image(split: str, row: int) -> np.ndarray:
    """(32, 32, 3), other ones for every split and row."""
    return noise(100_000 * ("train", "test").index(split) + row, 32, 32)


def cifar100_files(root: Path, train: int = 4, test: int = 1) -> dict[str, str]:
    """cifar-100-python with as many pictures of each class, which take turns; the MD5 of its files."""
    folder = root / "cifar-100-python"
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, object] = {"meta": {"fine_label_names": [f"thing{label:02d}" for label in range(100)]}}
    for split, count in (("train", 100 * train), ("test", 100 * test)):
        rows = [cifar100_image(split, row).transpose(2, 0, 1).reshape(-1) for row in range(count)]
        fine = [row % 100 for row in range(count)]
        made[split] = {"data": np.stack(rows), "fine_labels": fine, "coarse_labels": [label // 5 for label in fine]}
    for name, content in made.items():
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))
    return {name: md5(folder / name) for name in ("train", "test", "meta")}
