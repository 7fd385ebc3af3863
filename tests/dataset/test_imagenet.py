"""ImageNet: small JPEG files in the published layout."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from published import KINDS, imagenet_files

from al_bench.active.inputs import fingerprint
from al_bench.dataset import Dataset
from al_bench.dataset.imagenet import imagenet
from al_bench.errors import UserError
from al_bench.sources.cache import LazyImages, MappedImages
from al_bench.sources.decoding import Decoder
from al_bench.sources.file_list import class_folders, folders_id

TRAIN, VAL = 6, 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    class_folders.cache_clear()
    folders_id.cache_clear()
    return imagenet_files(tmp_path / "imagenet", TRAIN, VAL)


def read(folder: Path, **more: object) -> Dataset:
    arguments = {"image_size": 16, "cache": "never", "decoded": folder.parent / "decoded", **more}
    return imagenet(folder, **arguments)  # type: ignore[arg-type]


def test_pictures_are_labeled_by_their_folder_and_cut_to_a_square(folder: Path) -> None:
    dataset = read(folder)
    assert dataset.class_names == KINDS
    assert dataset.train.labels.tolist() == [0] * TRAIN + [1] * TRAIN + [2] * TRAIN
    assert dataset.test.labels.tolist() == [0] * VAL + [1] * VAL + [2] * VAL
    with Image.open(folder / "train" / KINDS[1] / f"{KINDS[1]}_2.JPEG") as opened:
        square = opened.crop((4, 0, 24, 20)).resize((16, 16), Image.Resampling.BILINEAR)  # of 28 x 20
    found = dataset.train.images[torch.tensor([TRAIN + 2])][0].permute(1, 2, 0).numpy()
    apart = np.abs(found.astype(int) - np.asarray(square).astype(int))
    assert apart[1:-1, 1:-1].max() <= 2, "scaling at the border reads what is cut off"


def never(*arguments: object) -> None:
    raise AssertionError("decoded")


def test_nothing_is_decoded_to_start_and_nothing_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Decoder, "decode", never)
    dataset = read(folder, max_images=7, max_held_out=4)
    assert isinstance(dataset.train.images, LazyImages)
    assert (len(dataset.train), len(dataset.test)) == (7, 4)
    assert not (folder.parent / "decoded").exists()


def test_decoded_on_demand_they_are_the_same(folder: Path) -> None:
    lazy, kept = read(folder).train.images, read(folder, cache="auto").train.images
    assert isinstance(kept, MappedImages)
    assert fingerprint(kept) == fingerprint(lazy) != fingerprint(read(folder, max_images=7).train.images)
    everything = torch.arange(3 * TRAIN)
    assert torch.equal(kept[everything], lazy[everything])


def test_another_size_is_another_data_set(folder: Path) -> None:
    assert fingerprint(read(folder).train.images) != fingerprint(read(folder, image_size=8).train.images)


def test_a_folder_half_there_is_refused(folder: Path) -> None:
    expected = {"classes": 3, "train": 3 * TRAIN, "val": 3 * VAL}
    read(folder, expected=expected)
    (folder / "train" / KINDS[0] / f"{KINDS[0]}_0.JPEG").unlink()
    class_folders.cache_clear()
    with pytest.raises(UserError, match=r"half there, .* 17 pictures in train and 18 are expected.*expected=null"):
        read(folder, expected=expected)
    with pytest.raises(UserError, match=r"has 3 classes and 1,000 are expected"):
        read(folder, expected={"classes": 1000})
    shutil.rmtree(folder / "val" / KINDS[2])
    class_folders.cache_clear()
    with pytest.raises(UserError, match=rf"has class {KINDS[2]} in one of train and val alone"):
        read(folder)
    (folder / "val" / KINDS[2]).mkdir()
    class_folders.cache_clear()
    with pytest.raises(UserError, match=rf"has no picture of class {KINDS[2]} in val"):
        read(folder)
    shutil.rmtree(folder / "val")
    class_folders.cache_clear()
    with pytest.raises(UserError, match=r"lacks the folder val .*put train/<class>/\*\.JPEG.*paths\.data"):
        read(folder)


def test_other_pictures_than_the_run_was_made_with_are_refused(folder: Path) -> None:
    known = folders_id(str(folder), "train", "val")
    assert len(read(folder, files=known).train) == 3 * TRAIN
    with pytest.raises(UserError, match="other pictures than the run was made with"):
        read(folder, files="0" * 16)


def test_a_corrupted_picture_is_named_when_it_is_asked_for(folder: Path) -> None:
    path = folder / "train" / KINDS[0] / f"{KINDS[0]}_3.JPEG"
    path.write_bytes(path.read_bytes()[:100])
    images = read(folder).train.images
    images[torch.tensor([2])]
    with pytest.raises(UserError, match=rf"{path.name} cannot be read as a picture"):
        images[torch.tensor([3])]
