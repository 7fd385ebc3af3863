"""CIFAR-10: tiny files in the published layout, and the real pictures."""

import hashlib
import io
import pickle
import tarfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from composing import compose, part
from pictures import noise, save

from al_bench.dataset import Dataset, Split
from al_bench.dataset.cifar10 import CHECKSUMS, CLASS_NAMES, cifar10
from al_bench.dataset.index_file import write
from al_bench.errors import UserError

LABELS = {name: [(3 * batch + row) % 10 for row in range(10)] for batch, name in enumerate(CHECKSUMS)}


def image(name: str, row: int) -> np.ndarray:
    """(32, 32, 3), other ones for every batch and row."""
    return noise(1000 * list(LABELS).index(name) + row, 32, 32)


def batches() -> dict[str, bytes]:
    """As published: rows of 3,072 values, red then green then blue, each from the top left."""
    made = {}
    for name, labels in LABELS.items():
        data = np.stack([image(name, row).transpose(2, 0, 1).reshape(-1) for row in range(len(labels))])
        made[name] = pickle.dumps({"data": data, "labels": labels}, protocol=2)
    return made


@pytest.fixture(scope="module")
def published() -> SimpleNamespace:
    files = batches()
    return SimpleNamespace(files=files, checksums={name: hashlib.md5(data).hexdigest() for name, data in files.items()})


def put(root: Path, files: Mapping[str, bytes]) -> Path:
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return root


def pack(path: Path, files: Mapping[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as opened:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
    return path


def read(
    root: Path, published: SimpleNamespace, source: str = "file:///nowhere/cifar.tar.gz", **more: object
) -> Dataset:
    arguments = {"format": "torchvision", "decoded": root / "decoded", "checksums": published.checksums, **more}
    return cifar10(root, source=source, **arguments)  # type: ignore[arg-type]


def test_reads_the_published_batches(tmp_path: Path, published: SimpleNamespace) -> None:
    dataset = read(put(tmp_path, published.files), published)
    *train, test = LABELS
    assert dataset.train.labels.tolist() == [label for name in train for label in LABELS[name]]
    assert dataset.test.labels.tolist() == LABELS[test]
    assert dataset.train.images.shape == (50, 3, 32, 32)
    assert dataset.validation is None
    for split, position, name, row in ((dataset.train, 13, train[1], 3), (dataset.test, 4, test, 4)):
        found = split.images[torch.tensor([position])][0].permute(1, 2, 0).numpy()
        assert np.array_equal(found, image(name, row))
    assert sorted(path.name for path in (tmp_path / "cifar-10-batches-py").iterdir()) == sorted(LABELS), "only read"


def test_two_classes(tmp_path: Path, published: SimpleNamespace) -> None:
    dataset = read(put(tmp_path, published.files), published, classes=[7, 1], max_images=6)
    assert dataset.class_names == ("horse", "automobile")
    assert len(dataset.train) == 6
    (horse,) = (dataset.test.labels == 0).nonzero().flatten().tolist()
    original = image("test_batch", LABELS["test_batch"].index(7)).transpose(2, 0, 1).copy()
    assert torch.equal(dataset.test.images[torch.tensor([horse])][0], torch.from_numpy(original))


def test_absent_batches_come_from_the_archive_or_the_source(tmp_path: Path, published: SimpleNamespace) -> None:
    pack(tmp_path / "beside" / "cifar.tar.gz", published.files)
    assert len(read(tmp_path / "beside", published).test) == 10
    source = pack(tmp_path / "far" / "cifar.tar.gz", published.files).as_uri()
    for _ in range(2):
        assert len(read(tmp_path / "data", published, source).test) == 10
    (tmp_path / "far" / "cifar.tar.gz").unlink()
    assert len(read(tmp_path / "data", published, source).test) == 10


def test_without_files_and_network_it_says_what_to_put_where(tmp_path: Path, published: SimpleNamespace) -> None:
    with pytest.raises(UserError, match=r"cifar\.tar\.gz .*paths\.data"):
        read(tmp_path, published)
    whole = pack(tmp_path / "cifar.tar.gz", published.files).read_bytes()
    (tmp_path / "cifar.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"put cifar\.tar\.gz"):
        read(tmp_path, published)
    pack(tmp_path / "cifar.tar.gz", {**published.files, "test_batch": b"other"})
    with pytest.raises(UserError, match=r"test_batch .*corrupted"):
        read(tmp_path, published)


def test_pictures_that_lie_there_instead_are_named(tmp_path: Path, published: SimpleNamespace) -> None:
    (tmp_path / "cifar10_jpeg").mkdir()
    with pytest.raises(UserError, match=r"cifar\.tar\.gz .*dataset\.format=folder .*cifar10_jpeg"):
        read(tmp_path, published)


class Trap:
    """Runs something when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return pytest.fail, ("unpickled before its checksum was looked at",)


@pytest.mark.parametrize("name", ["data_batch_3", "test_batch"])
def test_a_garbled_batch_is_named_and_never_unpickled(tmp_path: Path, published: SimpleNamespace, name: str) -> None:
    for content in (published.files[name][:-1], pickle.dumps(Trap()), b""):
        put(tmp_path, {**published.files, name: content})
        with pytest.raises(UserError, match=f"{name} is corrupted"):
            read(tmp_path, published)


def test_values_that_cannot_be(tmp_path: Path, published: SimpleNamespace) -> None:
    for classes in ([1], [1, 1], [1, 10], []):
        with pytest.raises(UserError, match=r"dataset\.classes"):
            read(tmp_path, published, classes=classes)
    with pytest.raises(UserError, match=r"cifar10_jpeg .*scripts/prepare_data\.py"):
        read(tmp_path, published, format="folder")


def test_both_formats_number_the_classes_alike(tmp_path: Path, published: SimpleNamespace) -> None:
    put(tmp_path, published.files)
    for name, labels in LABELS.items():
        split = "test" if name == "test_batch" else "train"
        for row, label in enumerate(labels):
            save(tmp_path / f"cifar10_jpeg/{split}/{CLASS_NAMES[label]}/{name}{row}.png", image(name, row))
    for classes in (None, [7, 1]):
        found, wanted = (read(tmp_path, published, format=kind, classes=classes) for kind in ("folder", "torchvision"))
        assert found.class_names == wanted.class_names
        for one, other in ((found.train, wanted.train), (found.test, wanted.test)):
            assert pairs(one) == pairs(other)


def test_the_last_images_validate(tmp_path: Path, published: SimpleNamespace) -> None:
    dataset = read(put(tmp_path, published.files), published, validation_size=12)
    assert dataset.validation is not None
    whole = read(tmp_path, published)
    assert [len(split) for split in (dataset.train, dataset.validation, dataset.test)] == [38, 12, 10]
    assert torch.equal(dataset.validation.images[:], whole.train.images[torch.arange(38, 50)])
    assert torch.equal(dataset.train.labels, whole.train.labels[:38])
    with pytest.raises(UserError, match=r"dataset\.validation_size=50"):
        read(tmp_path, published, validation_size=50)


def test_of_a_folder_the_last_of_each_class_validate(tmp_path: Path, published: SimpleNamespace) -> None:
    for kind, count in (("train", 4), ("test", 1)):
        for label, name in enumerate(CLASS_NAMES):
            for number in range(count):
                save(tmp_path / f"cifar10_jpeg/{kind}/{name}/{number:04d}.png", noise(100 * label + number, 32, 32))
    dataset = read(tmp_path, published, format="folder", validation_size=10)
    assert dataset.validation is not None
    for label in range(10):
        original = torch.from_numpy(noise(100 * label + 3, 32, 32)).permute(2, 0, 1)
        assert torch.equal(dataset.validation.images[torch.tensor([label])][0], original)
    assert dataset.validation.labels.tolist() == list(range(10))
    assert torch.bincount(dataset.train.labels).tolist() == [3] * 10
    with pytest.raises(UserError, match=r"dataset\.validation_size=15 .*multiples of 10"):
        read(tmp_path, published, format="folder", validation_size=15)


def test_an_index_file_of_the_other_format_is_refused(tmp_path: Path, published: SimpleNamespace) -> None:
    """Each counts in its own order."""
    put(tmp_path, published.files)
    for name, labels in LABELS.items():
        split = "test" if name == "test_batch" else "train"
        for row, label in enumerate(labels):
            save(tmp_path / f"cifar10_jpeg/{split}/{CLASS_NAMES[label]}/{name}{row}.png", image(name, row))
    write(tmp_path / "split.json", read(tmp_path, published, validation_size=10))
    with pytest.raises(UserError, match=r"other images"):
        read(tmp_path, published, format="folder", split=tmp_path / "split.json")


def pairs(split: Split) -> list[tuple[list[int], int]]:
    """Pixels and label of each image, sorted: the two formats come in different orders."""
    pixels = split.images[torch.arange(len(split))].flatten(1).tolist()
    return sorted(zip(pixels, split.labels.tolist(), strict=True))


def unpack_every_tenth(archive: Path, into: Path) -> dict[str, Counter[str]]:
    """Unpacks a tenth of each class, as decoding all takes half a minute; how many pictures each class has in all."""
    counts: dict[str, Counter[str]] = {"train": Counter(), "test": Counter()}
    with tarfile.open(archive) as opened:
        for member in opened:
            if not member.isfile():
                continue
            _, split, name, picture = member.name.split("/")
            counts[split][name] += 1
            if int(Path(picture).stem) % 10 == 0:
                opened.extract(member, into, filter="data")
    return counts


@pytest.mark.real_data
@pytest.mark.slow
def test_the_real_pictures_have_the_papers_counts(real_data: Path, tmp_path: Path) -> None:
    """All of them in the archive, a tenth where they are read."""
    counts = unpack_every_tenth(real_data / "cifar10_jpeg.tar.xz", tmp_path)
    assert counts == {"train": dict.fromkeys(CLASS_NAMES, 5_000), "test": dict.fromkeys(CLASS_NAMES, 1_000)}
    arguments = ("dataset.format=folder", f"paths.data={tmp_path}", f"paths.outputs={tmp_path / 'outputs'}")
    ten: Dataset = part("dataset", "dataset=cifar10", *arguments)
    assert torch.bincount(ten.train.labels).tolist() == [500] * 10
    assert torch.bincount(ten.test.labels).tolist() == [100] * 10
    assert ten.class_names == CLASS_NAMES
    mean = ten.train.images[torch.arange(5_000)].float().mean((0, 2, 3))
    published = torch.tensor([0.4914, 0.4822, 0.4465])  # of the lossless originals (WAAL's Test.py)
    assert (mean / 255 - published).abs().max() < 0.01
    assert compose("dataset=cifar10_waal").dataset.validation_size == 5_000
    waal: Dataset = part("dataset", "dataset=cifar10_waal", "dataset.validation_size=500", *arguments)
    assert waal.validation is not None
    splits = (waal.train, waal.validation, waal.test)
    assert [torch.bincount(split.labels).tolist() for split in splits] == [[450] * 10, [50] * 10, [100] * 10]
    two: Dataset = part("dataset", "dataset=cifar10_two", *arguments)
    assert two.class_names == ("automobile", "horse")
    assert torch.bincount(two.train.labels).tolist() == [500, 500]
    assert torch.bincount(two.test.labels).tolist() == [100, 100]
