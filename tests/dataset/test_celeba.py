"""CelebA: small faces and lists in the published layout."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from published import CELEBA_NAMES, celeba_files, celeba_lists, md5

from al_bench.active.inputs import fingerprint
from al_bench.dataset import Dataset, Split
from al_bench.dataset.celeba import ATTRIBUTES, CHECKSUMS, PARTITION, PICTURES, celeba
from al_bench.errors import UserError
from al_bench.sources.cache import LazyImages, MappedImages

COUNT = 30


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("published")
    celeba_files(root, COUNT)
    return root


@pytest.fixture
def root(published: Path, tmp_path: Path) -> Path:
    shutil.copytree(published, tmp_path / "data")
    return tmp_path / "data"


def read(root: Path, attribute: str = "Bangs", **more: object) -> Dataset:
    """The lists are taken as they are, unless checksums are given."""
    lists = {name: md5(root / "celeba" / name) for name in CHECKSUMS if (root / "celeba" / name).exists()}
    arguments = {"crop": 178, "image_size": 64, "cache": "auto", "checksums": lists, **more}
    return celeba(root, attribute, decoded=root.parent / "decoded", **arguments)  # type: ignore[arg-type]


def images(split: Split) -> torch.Tensor:
    return split.images[torch.arange(len(split))]


def face(root: Path, number: int) -> Image.Image:
    return Image.open(root / "celeba" / PICTURES / f"{number:06d}.jpg").convert("RGB")


@pytest.mark.parametrize("attribute", CELEBA_NAMES)
def test_splits_and_labels_are_the_official_ones(published: Path, tmp_path: Path, attribute: str) -> None:
    dataset = read(published, attribute, cache="never")
    column = 1 + CELEBA_NAMES.index(attribute)
    lines = (published / "celeba" / ATTRIBUTES).read_text().splitlines()[2:]
    parts = (published / "celeba" / PARTITION).read_text().split()[1::2]
    expected: dict[str, list[int]] = {"0": [], "1": [], "2": []}
    for line, part in zip(lines, parts, strict=True):
        expected[part].append((int(line.split()[column]) + 1) // 2)
    assert dataset.validation is not None
    found = [split.labels.tolist() for split in (dataset.train, dataset.validation, dataset.test)]
    assert found == list(expected.values())
    assert [len(labels) for labels in found] == [20, 5, 5]
    assert dataset.class_names == (f"no {attribute}", attribute)


@pytest.mark.parametrize(("crop", "box"), [(178, (0, 20, 178, 198)), (108, (35, 55, 143, 163))])
def test_the_square_in_the_middle_is_scaled(root: Path, crop: int, box: tuple[int, int, int, int]) -> None:
    found = images(read(root, crop=crop).train)
    assert found.shape == (20, 3, 64, 64)
    for position in (0, 19):
        expected = face(root, position + 1).crop(box).resize((64, 64), Image.Resampling.BILINEAR)
        assert np.array_equal(found[position].permute(1, 2, 0).numpy(), np.asarray(expected))


def test_the_four_tasks_share_what_was_decoded(root: Path) -> None:
    """And so what is trained on the images alone: GAN and auto-encoder."""
    first, other = read(root, "Bangs"), read(root, "Eyeglasses")
    assert isinstance(first.train.images, MappedImages)
    assert len(list((root.parent / "decoded").glob("*.npy"))) == 3
    assert fingerprint(first.train.images) == fingerprint(other.train.images)
    assert first.train.labels.tolist() != other.train.labels.tolist()


def test_never_decodes_when_asked_for(root: Path) -> None:
    lazy = read(root, cache="never")
    assert isinstance(lazy.train.images, LazyImages)
    assert torch.equal(images(lazy.train), images(read(root).train))
    assert fingerprint(lazy.train.images) == fingerprint(read(root).train.images)


def zipped(root: Path) -> Path:
    """The faces as they are published, in place of their folder."""
    archive = Path(shutil.make_archive(str(root / "celeba" / PICTURES), "zip", root / "celeba", PICTURES))
    shutil.rmtree(root / "celeba" / PICTURES)
    return archive


@pytest.mark.parametrize("cache", ["auto", "never"])
def test_the_archive_is_read_as_it_is(root: Path, cache: str) -> None:
    unpacked = read(root, cache=cache)
    before = images(unpacked.train)
    zipped(root)
    dataset = read(root, cache=cache)
    assert torch.equal(images(dataset.train), before)
    assert fingerprint(dataset.train.images) == fingerprint(unpacked.train.images)
    assert not (root / "celeba" / PICTURES).exists()


def test_a_garbled_archive_is_named(root: Path) -> None:
    archive = zipped(root)
    whole = archive.read_bytes()
    with zipfile.ZipFile(archive) as opened:
        start = opened.getinfo(f"{PICTURES}/000002.jpg").header_offset + 100
    archive.write_bytes(whole[:start] + bytes(50) + whole[start + 50 :])
    with pytest.raises(UserError, match=r"img_align_celeba\.zip/img_align_celeba/000002\.jpg"):
        read(root)
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"img_align_celeba\.zip "):
        read(root)


def test_missing_pictures_are_counted_and_named(root: Path) -> None:
    for number in (3, 30):
        (root / "celeba" / PICTURES / f"{number:06d}.jpg").unlink()
    with pytest.raises(UserError, match=r"2 of 30 .*000003\.jpg, 000030\.jpg"):
        read(root)
    shutil.rmtree(root / "celeba" / PICTURES)
    with pytest.raises(UserError, match=r"img_align_celeba .*img_align_celeba\.zip"):
        read(root)


def test_a_truncated_picture_is_named(root: Path) -> None:
    path = root / "celeba" / PICTURES / "000001.jpg"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(UserError, match=r"000001\.jpg"):
        read(root)


@pytest.mark.parametrize("name", [PARTITION, ATTRIBUTES])
def test_a_list_that_is_missing_or_not_the_published_one_is_named(root: Path, name: str) -> None:
    path, checksums = root / "celeba" / name, celeba_lists(root / "celeba", COUNT)
    path.write_text(path.read_text()[:-1])
    with pytest.raises(UserError, match=rf"{name} is corrupted"):
        read(root, checksums=checksums)
    path.unlink()
    with pytest.raises(UserError, match=rf"{name} .*celeba, .*paths\.data"):
        read(root, checksums=checksums)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (PARTITION, "000004.jpg 0\n", "", r"29 .*list_attr_celeba\.txt .*30"),
        (PARTITION, "000004.jpg 0\n", "000004.jpg\n", r"partition\.txt .*'000004\.jpg'"),
        (PARTITION, "000004.jpg 0\n", "000004.jpg 3\n", r"'000004\.jpg 3'"),
        (ATTRIBUTES, "30\n", "31\n", r"attr_celeba\.txt .*31 .*30"),
        (ATTRIBUTES, "000030.jpg", "000031.jpg", r"30 .*list_attr_celeba\.txt .*30"),
        (ATTRIBUTES, "000030.jpg ", "000030.jpg  0 ", r"'000030\.jpg .*5 times -1 or 1"),
    ],
)
def test_lists_that_contradict_each_other_are_refused(root: Path, name: str, old: str, new: str, said: str) -> None:
    path = root / "celeba" / name
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    with pytest.raises(UserError, match=said):
        read(root)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("attribute", "Beard", r"dataset\.attribute=Beard .*Bangs, Blond_Hair"),
    ],
)
def test_values_that_cannot_be(published: Path, key: str, value: object, said: str) -> None:
    with pytest.raises(UserError, match=said):
        read(published, **{key: value})  # type: ignore[arg-type]


def test_pictures_that_were_scaled_before_are_refused(root: Path) -> None:
    """Another version of the data set would make other numbers under the same name."""
    Image.new("RGB", (64, 64)).save(root / "celeba" / PICTURES / "000001.jpg")
    with pytest.raises(UserError, match=r"000001\.jpg .*64 x 64 .*178 x 178"):
        read(root)
