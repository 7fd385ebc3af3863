"""What every data set promises (al_bench/dataset/__init__.py), over every file of conf/dataset.

Those that are read from files are read from small ones in the published layout, by the same code.
"""

import gzip
import hashlib
import pickle
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from composing import members, part
from pictures import fill
from published import (
    SCENES,
    STREETS,
    celeba_files,
    cifar100_files,
    imagenet_files,
    inaturalist_files,
    lsun_files,
    stl10_files,
    street_files,
    svhn_files,
)
from torchvision.datasets import CIFAR10

from al_bench.active.inputs import fingerprint
from al_bench.dataset import Dataset, Split, fashion_mnist, index_file, mnist
from al_bench.errors import UserError
from al_bench.procedure.promises import refuse_dataset
from al_bench.training.losses import IGNORED

Maker = Callable[[Path, pytest.MonkeyPatch], list[str]]


def idx_files(name: str, module: ModuleType) -> Maker:
    """MNIST's four files: 300 images for training and 100 for the test, the ten classes in turn."""

    def make(folder: Path, patch: pytest.MonkeyPatch) -> list[str]:
        rng, checksums = np.random.default_rng(0), {}
        for part_name, count in (("train", 300), ("t10k", 100)):
            images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
            labels = (np.arange(count) % 10).astype(np.uint8)
            for kind, values in (("images-idx3", images), ("labels-idx1", labels)):
                header = struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
                content, path = header + values.tobytes(), folder / name / "raw" / f"{part_name}-{kind}-ubyte.gz"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(gzip.compress(content))
                checksums[path.stem] = hashlib.md5(content).hexdigest()
        patch.setattr(module, "CHECKSUMS", checksums)
        return [f"paths.data={folder}", "dataset.validation_size=50"]

    return make


def cifar_batches(folder: Path, patch: pytest.MonkeyPatch) -> list[str]:
    """Six batches of forty images."""
    place, checksums = folder / "cifar-10-batches-py", []
    place.mkdir(parents=True)
    for seed, (name, _) in enumerate([*CIFAR10.train_list, *CIFAR10.test_list]):
        data = np.random.default_rng(seed).integers(0, 256, (40, 3072), dtype=np.uint8)
        content = pickle.dumps({"data": data, "labels": [row % 10 for row in range(40)]}, protocol=2)
        (place / name).write_bytes(content)
        checksums.append(f"{name}: {hashlib.md5(content).hexdigest()}")
    return [f"paths.data={folder}", f"+dataset.checksums={{{', '.join(checksums)}}}"]


def pictures(folder: Path, patch: pytest.MonkeyPatch) -> list[str]:
    """Class folders with train, val and test."""
    root = fill(folder / "mine", {"train": 80, "val": 4, "test": 5})
    return [f"dataset.root={root}", f"paths.outputs={folder / 'outputs'}"]


def house_numbers(folder: Path, patch: pytest.MonkeyPatch) -> list[str]:
    """The three .mat files."""
    return [f"paths.data={folder}", f"+dataset.checksums={listed(svhn_files(folder / 'svhn'))}"]


def house_numbers_divided(folder: Path, patch: pytest.MonkeyPatch) -> list[str]:
    """The same, without the extra images."""
    made = house_numbers(folder, patch)
    (folder / "svhn" / "extra_32x32.mat").unlink()
    return [*made, "dataset.validation_size=10"]


def cifar_batches_divided(folder: Path, patch: pytest.MonkeyPatch) -> list[str]:
    return [*cifar_batches(folder, patch), "dataset.validation_size=50"]


def things(folder: Path, patch: pytest.MonkeyPatch) -> list[str]:
    """The four files of STL10."""
    checksums = listed(stl10_files(folder / "stl10_binary"))
    sizes = ["dataset.validation_size=10", "dataset.test_size=40"]
    return [f"paths.data={folder}", f"+dataset.checksums={checksums}", *sizes]


def things_as_published(folder: Path, patch: pytest.MonkeyPatch) -> list[str]:
    return things(folder, patch)[:2]


def faces(folder: Path, patch: pytest.MonkeyPatch) -> list[str]:
    """Ninety faces and the two lists."""
    places = [f"paths.data={folder}", f"paths.outputs={folder / 'outputs'}"]
    return [*places, f"+dataset.checksums={listed(celeba_files(folder))}"]


def databases(folder: Path, patch: pytest.MonkeyPatch) -> list[str]:
    """Two kinds of scenes, for training and validation."""
    lsun_files(folder / "lsun", SCENES[:2], train=120)
    places = [f"paths.data={folder}", f"paths.outputs={folder / 'outputs'}"]
    return [*places, f"dataset.classes=[{','.join(SCENES[:2])}]", "dataset.test_size=60"]


def streets(name: str) -> Maker:
    """Pictures and maps in their folders, of the size that they have."""

    def make(folder: Path, patch: pytest.MonkeyPatch) -> list[str]:
        street_files(name, folder / name)
        places = [f"paths.data={folder}", f"paths.outputs={folder / 'outputs'}"]
        return [*places, "dataset.image_size=[12,16]", "dataset.counts=null"]

    return make


def kinds(folder: Path, patch: pytest.MonkeyPatch) -> list[str]:
    """Three class folders for training and the test."""
    imagenet_files(folder / "imagenet")
    return [
        f"paths.data={folder}",
        f"paths.outputs={folder / 'outputs'}",
        "dataset.expected=null",
        "dataset.image_size=16",
    ]


def species(folder: Path, patch: pytest.MonkeyPatch) -> list[str]:
    """Both lists and their pictures."""
    inaturalist_files(folder / "inaturalist2018")
    return [
        f"paths.data={folder}",
        f"paths.outputs={folder / 'outputs'}",
        "dataset.expected=null",
        "dataset.image_size=16",
    ]


def hundred(folder: Path, patch: pytest.MonkeyPatch) -> list[str]:
    """Four pictures of each fine class for training."""
    return [f"paths.data={folder}", f"+dataset.checksums={listed(cifar100_files(folder))}"]


def hundred_uneven(folder: Path, patch: pytest.MonkeyPatch) -> list[str]:
    return [*hundred(folder, patch), "dataset.imbalance.floor=1"]


def twenty(folder: Path, patch: pytest.MonkeyPatch) -> list[str]:
    """Class folders with train and val."""
    fill(folder / "tiny_imagenet20", {"train": 40, "val": 4}, ending="JPEG")
    return [f"paths.data={folder}", f"paths.outputs={folder / 'outputs'}"]


def ten_of_fifteen(folder: Path, patch: pytest.MonkeyPatch) -> list[str]:
    """Class folders with train, of fifteen classes."""
    fill(folder / "tiny-imagenet-200", {"train": 20}, [f"n{number:08d}" for number in range(15)], ending="JPEG")
    return [f"paths.data={folder}", f"paths.outputs={folder / 'outputs'}"]


def listed(checksums: dict[str, str]) -> str:
    return "{" + ", ".join(f"{name}: '{checksum}'" for name, checksum in checksums.items()) + "}"


FILES: dict[str, Maker] = {
    "mnist": idx_files("MNIST", mnist),
    "mnist_two": idx_files("MNIST", mnist),
    "fashion_mnist": idx_files("FashionMNIST", fashion_mnist),
    "cifar10": cifar_batches,
    "cifar10_two": cifar_batches,
    "image_folder": pictures,
    "cifar10_waal": cifar_batches_divided,
    "svhn": house_numbers,
    "svhn_waal": house_numbers_divided,
    "stl10": things,
    "stl10_alcg": things_as_published,
    "celeba_blond_hair": faces,
    "celeba_wearing_hat": faces,
    "celeba_bangs": faces,
    "celeba_eyeglasses": faces,
    "lsun": databases,
    **{name: streets(name) for name in STREETS},
    "cifar100": hundred,
    "cifar100_imbalanced": hundred_uneven,
    "tiny_imagenet": twenty,
    "tiny_imagenet10": ten_of_fifteen,
    "imagenet": kinds,
    "inaturalist2018": species,
}

Read = Callable[..., Dataset]


@pytest.fixture(params=members("dataset"), scope="module")
def read(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Read:
    """Makes the data set of one file anew, with overrides."""
    with pytest.MonkeyPatch.context() as patch:
        make = FILES.get(request.param)
        made = make(tmp_path_factory.mktemp(request.param), patch) if make else []

        def of(*overrides: str) -> Dataset:
            dataset: Dataset = part("dataset", f"dataset={request.param}", *made, *overrides)
            return dataset

        yield of


@pytest.fixture(scope="module")
def dataset(read: Read) -> Dataset:
    return read()


def splits(dataset: Dataset) -> dict[str, Split]:
    found = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    return {name: split for name, split in found.items() if split is not None}


def labels_at(split: Split, positions: list[int] | None = None) -> list[object]:
    """The labels at these places, or all: classes, or maps as lists."""
    places = torch.arange(len(split)) if positions is None else torch.tensor(positions)
    found: list[object] = split.labels[places].tolist()
    return found


def rows(split: Split) -> list[bytes]:
    """Each image's bytes."""
    return [image.numpy().tobytes() for image in split.images[torch.arange(len(split))]]


def test_images_are_bytes_of_one_shape_read_by_index(dataset: Dataset) -> None:
    for split in splits(dataset).values():
        assert len(split) == len(split.images) == len(split.labels) > 0
        assert split.images.dtype == torch.uint8
        assert len(split.images.shape) == 4
        assert split.images.shape[1] in (1, 3)
        assert split.images.shape[1:] == dataset.train.images.shape[1:]
        assert split.images.device == split.labels.device == torch.device("cpu")
        first = split.images[torch.tensor([len(split) - 1, 0, 0])]
        assert first.shape == (3, *split.images.shape[1:])
        assert torch.equal(first[1], first[2])
        assert first.max() > 1, "in [0, 255]"


def test_labels_are_classes_or_maps(dataset: Dataset) -> None:
    for split in splits(dataset).values():
        labels = split.labels
        if dataset.map_shape:
            assert labels.dtype == torch.uint8
            assert labels.shape[1:] == dataset.map_shape == split.images.shape[2:]
            maps = labels[torch.arange(len(labels))]
            found = maps[maps != IGNORED]
        else:
            assert labels.dtype == torch.int64
            assert labels.shape == (len(split),)
            found = split.classes
        assert found.unique().tolist() == list(range(dataset.num_classes)), "every class is in every split"


def test_a_run_takes_it(dataset: Dataset) -> None:
    refuse_dataset(dataset)


def test_classes_have_names(dataset: Dataset) -> None:
    assert dataset.num_classes >= 2
    assert len(set(dataset.class_names)) == len(dataset.class_names) == dataset.num_classes
    assert all(isinstance(name, str) and name for name in dataset.class_names)


def test_no_image_is_in_two_splits(dataset: Dataset) -> None:
    found = [set(rows(split)) for split in splits(dataset).values()]
    assert len(set().union(*found)) == sum(len(images) for images in found)


def test_the_same_arguments_give_the_same_data(read: Read, dataset: Dataset) -> None:
    for first, again in zip(splits(dataset).values(), splits(read()).values(), strict=True):
        assert fingerprint(first.images) == fingerprint(again.images)
        assert fingerprint(first.labels) == fingerprint(again.labels)


def test_max_images_cuts_the_training_split_alone(read: Read, dataset: Dataset) -> None:
    cut = read("dataset.max_images=20")
    assert len(cut.train) == 20
    whole, kept = rows(dataset.train), rows(cut.train)
    positions = [whole.index(row) for row in kept]
    assert positions == sorted(positions), "in their first order"
    assert labels_at(cut.train) == labels_at(dataset.train, positions)
    for name in splits(dataset).keys() - {"train"}:
        assert fingerprint(splits(cut)[name].images) == fingerprint(splits(dataset)[name].images)
    assert cut.class_names == dataset.class_names
    assert len(read("dataset.max_images=1000000").train) == len(dataset.train)


def test_imbalance_thins_the_training_split_alone(read: Read, dataset: Dataset) -> None:
    """Of every data set of classes; before `max_images`."""
    if dataset.map_shape:
        return
    half = "dataset.imbalance={_target_: al_bench.dataset.imbalance.Imbalance, ratios: [0.5], floor: 1}"
    whole, cut = read("dataset.imbalance=null"), read(half)
    counts = [(count + 1) // 2 for count in whole.train.classes.bincount().tolist()]
    assert cut.train.classes.bincount().tolist() == counts
    of_whole = rows(whole.train)
    positions = [of_whole.index(row) for row in rows(cut.train)]
    assert positions == sorted(positions), "in their first order"
    assert labels_at(cut.train) == labels_at(whole.train, positions)
    for name in splits(dataset).keys() - {"train"}:
        assert fingerprint(splits(cut)[name].images) == fingerprint(splits(whole)[name].images)
    both = read(half, "dataset.max_images=12").train
    assert len(both) == 12 and set(rows(both)) < set(rows(cut.train))


def test_a_split_is_handed_on(read: Read, dataset: Dataset, tmp_path: Path) -> None:
    """Written, changed in everything that divides, and taken back; or refused where positions are not counted."""
    file = tmp_path / "split.json"
    if dataset.train.positions is None:
        with pytest.raises(UserError, match="no index file"):
            index_file.write(file, dataset)
        return
    index_file.write(file, dataset)
    again = read(f"++dataset.split={file}", "++dataset.validation_size=0")
    for name, split in splits(dataset).items():
        assert fingerprint(splits(again)[name].images) == fingerprint(split.images)
        assert labels_at(splits(again)[name]) == labels_at(split)


def test_max_held_out_cuts_the_other_splits_alone(read: Read, dataset: Dataset) -> None:
    cut = read("dataset.max_held_out=8")
    assert fingerprint(cut.train.images) == fingerprint(dataset.train.images)
    assert splits(cut).keys() == splits(dataset).keys()
    for name in splits(dataset).keys() - {"train"}:
        whole, kept = rows(splits(dataset)[name]), rows(splits(cut)[name])
        positions = [whole.index(row) for row in kept]
        assert len(kept) == min(8, len(whole))
        assert positions == sorted(positions), "in their first order"
        assert labels_at(splits(cut)[name]) == labels_at(splits(dataset)[name], positions)


def test_max_test_cuts_the_test_alone_as_max_held_out_does(read: Read, dataset: Dataset) -> None:
    cut, whole = read("dataset.max_test=8"), splits(dataset)
    assert splits(cut).keys() == whole.keys()
    for name in whole.keys() - {"test"}:
        assert fingerprint(splits(cut)[name].images) == fingerprint(whole[name].images)
    as_held_out = read("dataset.max_held_out=8").test
    assert len(cut.test) == min(8, len(dataset.test))
    assert fingerprint(cut.test.images) == fingerprint(as_held_out.images)
    assert fingerprint(cut.test.labels) == fingerprint(as_held_out.labels)
    for both in ("dataset.max_held_out=5", "dataset.max_held_out=1000"):
        assert len(read("dataset.max_test=8", both).test) == min(8, 5 if both.endswith("=5") else 8, len(dataset.test))


def test_a_scale_reaches_it(read: Read, dataset: Dataset) -> None:
    cut = read("scale=smoke", "scale.images=30", "scale.held_out=9")
    assert len(cut.train) == min(30, len(dataset.train))
    for name in splits(cut).keys() - {"train"}:
        assert len(splits(cut)[name]) == min(9, len(splits(dataset)[name]))


def test_a_blind_view_shows_training_images_alone(dataset: Dataset) -> None:
    blind = replace(dataset, names=["cat/1.png"]).blind()
    assert blind.train.images is dataset.train.images
    assert blind.names is None, "a folder's name may be its class"
    assert blind.num_classes == dataset.num_classes
    for use in (
        lambda: blind.train.labels[0],
        lambda: blind.train.labels.tolist(),
        lambda: blind.map_shape,
        lambda: blind.test.images,
        lambda: len(blind.test),
        lambda: blind.validation.labels,  # type: ignore[union-attr]
        lambda: bool(blind.validation),
    ):
        with pytest.raises(PermissionError, match="see no hidden label"):
            use()


def test_a_device_is_taken_whole(dataset: Dataset) -> None:
    moved = dataset.to(torch.device("cpu"))
    for first, there in zip(splits(dataset).values(), splits(moved).values(), strict=True):
        assert there.images.device == there.labels.device == torch.device("cpu")
        assert fingerprint(there.labels) == fingerprint(first.labels)
        assert fingerprint(there.images) == fingerprint(first.images)
