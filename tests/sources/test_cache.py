"""Inputs that are files: the same as a tensor to everything that reads inputs."""

import errno
import json
import logging
import os
import pickle
import shutil
import threading
from collections import namedtuple
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pictures import fill, noise, save
from torch import Tensor

from al_bench.active import scores
from al_bench.active.inputs import Inputs, fingerprint, read_all
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery, SyntheticQuery
from al_bench.dataset import Split
from al_bench.dataset.subset import limit
from al_bench.errors import UserError
from al_bench.files import read_json, write_json
from al_bench.learner.supervised import Supervised
from al_bench.network.predict import embeddings, predict
from al_bench.network.small_cnn import SmallCnn
from al_bench.sources import cache as decoded
from al_bench.sources import decoded_record
from al_bench.sources.cache import LazyImages, MappedImages, decode_images, fits
from al_bench.sources.decoding import Decoder
from al_bench.sources.listing import picture_files
from al_bench.training.image_batches import ImageBatches
from al_bench.training.labeled_batches import LabeledBatches

DECODER = Decoder(None, "center", "rgb")
LABELS = torch.arange(30) % 3
KINDS = ["mapped", "lazy"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return fill(tmp_path / "pictures", {"": 10})


def images_of(root: Path, kind: str = "mapped") -> Inputs:
    return decode_images(root, picture_files(root), DECODER, root.parent / "decoded", kind == "mapped")


def expected(root: Path) -> Tensor:
    return torch.from_numpy(np.stack([DECODER.decode(root / file.name) for file in picture_files(root)]))


@pytest.mark.parametrize("kind", KINDS)
def test_is_what_the_files_hold(root: Path, kind: str) -> None:
    images, wanted = images_of(root, kind), expected(root)
    assert isinstance(images, MappedImages if kind == "mapped" else LazyImages)
    assert (images.shape, images.dtype, images.device, len(images)) == (wanted.shape, wanted.dtype, wanted.device, 30)
    for indices in (torch.tensor([7, 0, 29, 7]), torch.arange(30), torch.tensor([], dtype=torch.int64)):
        assert torch.equal(images[indices], wanted[indices])
    assert fingerprint(images) == fingerprint(wanted), "an artifact is found again however the pictures are read"


@pytest.mark.parametrize("kind", KINDS)
def test_everything_that_reads_inputs_takes_it_for_the_tensor(root: Path, kind: str) -> None:
    images, wanted = images_of(root, kind), expected(root)
    found, known = (everything(inputs) for inputs in (images, wanted))
    assert all(torch.equal(a, b) for a, b in zip(found, known, strict=True))


def everything(images: Inputs) -> list[Tensor]:
    """What pool, batches, learner, prediction and limits make of the images."""
    moved = Split(images, LABELS).to(torch.device("cpu"))
    pool = Pool.unlabeled_from(moved.images, num_classes=3)
    labels = torch.tensor([0, -1, 2, 1])
    pool = pool.with_labels(PoolQuery(torch.tensor([3, 9, 20, 16])), labels)
    pool = pool.with_labels(SyntheticQuery(torch.zeros(2, 1, 3, 8, 8, dtype=torch.uint8)), torch.tensor([[1], [-1]]))
    inputs, kept = pool.training_set()
    assert pool.class_counts() == [1, 2, 1]
    network = {"channels": [4], "hidden": 8, "dropout": 0.5}
    learner = Supervised(
        network=lambda **shapes: SmallCnn(**shapes, **network),
        epochs=2,
        batch_size=2,
        optimizer=lambda parameters: torch.optim.SGD(parameters, 0.1),
    )
    model = learner.fit(pool, None, 0)
    cut = limit(moved, 5)
    return [
        read_all(inputs),
        kept,
        ImageBatches(images, batch_size=4, steps=3, seed=0, per_step=2)[2],
        LabeledBatches(inputs, kept, batch_size=2, epochs=1, seed=0)[0][0],
        *model.state_dict().values(),
        predict(model, images, pool.unlabeled, scores.entropy),
        predict(model, images, pool.unlabeled, scores.mean_entropy, passes=2),
        embeddings(model, images, torch.arange(30)),
        cut.images[torch.arange(5)],
        cut.labels,
    ]


def never(*arguments: object) -> None:
    raise AssertionError("decoded again")


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_are_looked_at_once(root: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    images_of(root, kind)
    monkeypatch.setattr(decoded, "decode_in_order", never)
    assert len(images_of(root, kind)) == 30
    assert isinstance(images_of(root, "lazy"), LazyImages)
    moved = shutil.move(root, root.parent / "moved")
    assert len(images_of(Path(moved), kind)) == 30, "the folder's place is not what counts"


def test_other_pictures_and_other_options_are_decoded_anew(root: Path) -> None:
    first = fingerprint(images_of(root))
    save(root / "cat" / "0.png", noise(999))
    changed = images_of(root)
    assert fingerprint(changed) != first
    assert torch.equal(changed[torch.arange(30)], expected(root))
    gray = decode_images(root, picture_files(root), Decoder((4, 4), "none", "gray"), root.parent / "decoded", True)
    assert gray.shape == (30, 1, 4, 4)


@pytest.mark.parametrize("how", ["truncated", "empty", "another shape", "an archive", "pickled"])
def test_a_garbled_array_is_set_aside_and_made_anew(root: Path, how: str, caplog: pytest.LogCaptureFixture) -> None:
    images_of(root)
    (stored,) = (root.parent / "decoded").glob("*.npy")
    if how == "another shape":
        np.save(stored, np.zeros((29, 3, 8, 8), dtype=np.uint8))
    elif how == "an archive":
        with stored.open("wb") as file:
            np.savez(file, np.zeros((30, 3, 8, 8), dtype=np.uint8))
    elif how == "pickled":
        stored.write_bytes(pickle.dumps(np.zeros((30, 3, 8, 8), dtype=np.uint8)))
    else:
        stored.write_bytes(stored.read_bytes()[: 500 if how == "truncated" else 0])
    assert torch.equal(images_of(root)[torch.arange(30)], expected(root))
    assert "is corrupted" in caplog.text
    assert len(list((root.parent / "decoded").glob("*.corrupted-1"))) == 2


RECORDS: dict[str, Any] = {
    "another fingerprint": {"fingerprint": "0123456789abcdef"},
    "no fingerprint": {"fingerprint": None},
    "fewer pictures": {"shape": [29, 3, 8, 8]},
    "a shape in words": {"shape": "30, 3, 8, 8"},
    "a huge shape": {"shape": [30, 3, 10**9, 10**9]},
    "no record": [],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", RECORDS)
def test_an_edited_record_is_set_aside_and_made_anew(root: Path, how: str, kind: str) -> None:
    known = fingerprint(images_of(root, kind))
    (stored,) = (root.parent / "decoded").glob("*.json")
    whole, changes = read_json(stored), RECORDS[how]
    stored.write_text(json.dumps({**whole, **changes} if changes else changes))
    images = images_of(root, kind)
    assert (fingerprint(images), len(images)) == (known, 30)
    assert torch.equal(images[torch.arange(30)], expected(root))
    assert stored.with_name(f"{stored.name}.corrupted-1").exists()


def test_a_record_from_before_they_had_sums_counts(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images_of(root)
    (stored,) = (root.parent / "decoded").glob("*.json")
    write_json(stored, {key: value for key, value in read_json(stored).items() if key != "sha256"})
    monkeypatch.setattr(decoded, "decode_in_order", never)
    assert len(images_of(root)) == 30


def test_a_record_of_other_pictures_does_not_count_whatever_its_sum(root: Path) -> None:
    images_of(root, "lazy")
    (stored,) = (root.parent / "decoded").glob("*.json")
    for shape in ([29, 3, 8, 8], [31, 3, 8, 8], [30, 0, 8, 8]):
        decoded_record.write_record(stored.with_suffix(""), {**read_json(stored), "shape": shape})
        assert len(images_of(root, "lazy")) == 30
    assert len(list(stored.parent.glob("*.corrupted-*"))) == 3


def flip_a_pixel(root: Path) -> None:
    (stored,) = (root.parent / "decoded").glob("*.npy")
    times = stored.stat()
    with stored.open("r+b") as file:
        file.seek(-7, os.SEEK_END)
        last = file.read(1)[0]
        file.seek(-7, os.SEEK_END)
        file.write(bytes([last ^ 1]))
    os.utime(stored, ns=(times.st_atime_ns, times.st_mtime_ns))  # as who hides it would


@pytest.mark.parametrize("wholly", [1 << 28, 0], ids=["small", "large"])
def test_a_flipped_pixel_is_noticed(
    root: Path, wholly: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoded_record, "_WHOLLY", wholly)
    images_of(root)
    flip_a_pixel(root)
    torch.testing.assert_close(read_all(images_of(root)), expected(root))
    assert "corrupted: kept as" in caplog.text and "made anew" in caplog.text
    assert len(list((root.parent / "decoded").glob("*.npy.corrupted-1"))) == 1


def test_a_large_array_is_hashed_once_for_each_change_of_its_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoded_record, "_WHOLLY", 0)
    images_of(root)
    hashed: list[int] = []
    fingerprint_of = decoded_record.fingerprint_of
    monkeypatch.setattr(decoded_record, "fingerprint_of", lambda *given: hashed.append(1) or fingerprint_of(*given))
    images_of(root)
    assert not hashed
    (stored,) = (root.parent / "decoded").glob("*.npy")
    os.utime(stored)
    for _ in range(2):
        images_of(root)
    assert len(hashed) == 1


def test_a_large_array_is_read_where_that_it_was_hashed_cannot_be_written(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise UserError("a disk that is only read")

    monkeypatch.setattr(decoded_record, "_WHOLLY", 0)
    images_of(root)
    (stored,) = (root.parent / "decoded").glob("*.npy")
    os.utime(stored)
    monkeypatch.setattr(decoded_record, "write_json", refuse)
    assert torch.equal(read_all(images_of(root)), expected(root))


def test_counts_of_label_maps_are_asked_for_where_they_are_used() -> None:
    class Counting(Decoder):
        counts_values = True

    known = {"shape": [1, 3, 8, 8], "fingerprint": "0123456789abcdef"}
    assert decoded_record.checked_record(known, 1, DECODER) == known
    with pytest.raises(KeyError, match="values"):
        decoded_record.checked_record(known, 1, Counting(None, "center", "rgb"))


def test_an_array_that_was_removed_is_made_anew(root: Path) -> None:
    images_of(root)
    (stored,) = (root.parent / "decoded").glob("*.npy")
    stored.unlink()
    assert isinstance(images_of(root), MappedImages)


def test_what_a_killed_process_left_is_swept_up(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut before the array is complete, as SIGKILL does it: a temporary file stays, and no array is there."""
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda path, missing_ok=False: None)
        patch.setattr(Path, "replace", never)
        with pytest.raises(AssertionError, match="decoded again"):
            images_of(root)
    folder = root.parent / "decoded"
    assert len(list(folder.glob(".*.npy.*"))) == 1
    assert not list(folder.glob("*.npy"))
    assert isinstance(images_of(root), MappedImages)
    assert not list(folder.glob(".*.npy.*"))


def test_without_room_on_the_disk_they_are_decoded_when_asked_for(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    usage = namedtuple("usage", ["free"])
    caplog.set_level(logging.WARNING)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: usage((1 << 30) + 30 * 3 * 64 - 1))
        for _ in range(2):
            lazy = images_of(root)
            assert isinstance(lazy, LazyImages)
            assert torch.equal(lazy[torch.arange(30)], expected(root))
        said = (
            "would take 5.8 KB and {} has 1.1 GB free, of which 1.1 GB are left to others: each is decoded when it is"
        )
        assert said.format(root.parent / "decoded") in caplog.text
        caplog.clear()
        assert not fits(root, (2, 3, 224, 224, 1000), there=1_000_000) and "would take 300.1 MB and" in caplog.text
        assert not list((root.parent / "decoded").glob("*.npy"))
        patch.setattr(shutil, "disk_usage", lambda path: usage((1 << 30) + 30 * 3 * 64))
        assert isinstance(images_of(root), MappedImages), "there is room now"
    assert isinstance(images_of(root), MappedImages)


@pytest.mark.parametrize("kind", KINDS)
def test_a_truncated_picture_is_named_at_once_and_nothing_is_kept(root: Path, kind: str) -> None:
    path = root / "owl" / "9.png"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match=r"owl/9\.png"):
        images_of(root, kind)
    assert [left.suffix for left in (root.parent / "decoded").iterdir()] == [".lock"]


def test_a_picture_that_is_lost_later_is_named(root: Path) -> None:
    images = images_of(root, "lazy")
    (root / "cat" / "3.png").unlink()
    images[torch.tensor([2, 4])]
    with pytest.raises(UserError, match=r"cat/3\.png"):
        images[torch.tensor([2, 3])]


def test_on_a_gpu_they_are_a_tensor_if_they_fit(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the meta device in the place of a GPU, which holds shapes and no values."""
    device = torch.device("meta")
    num_bytes = 30 * 3 * 64
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2 * num_bytes, 0))
    whole = images_of(root).to(device)
    assert isinstance(whole, Tensor)
    assert (whole.shape, whole.dtype, whole.device) == (torch.Size((30, 3, 8, 8)), torch.uint8, device)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2 * num_bytes - 2, 0))
    for kind in KINDS:
        images = images_of(root, kind)
        there = images.to(device)
        assert not isinstance(there, Tensor)
        assert there.device == there[torch.tensor([1, 2])].device == device
        assert fingerprint(there) == fingerprint(images)


def test_two_at_once_decode_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    together = threading.Barrier(2)
    decode, read = decoded.decode_in_order, decoded._read

    def counted(*arguments: Any) -> Iterator[np.ndarray]:
        begun.append(1)
        return decode(*arguments)

    def both_find_nothing(*arguments: Any) -> Any:
        found = read(*arguments)
        if not begun and threading.current_thread() not in seen:
            seen.append(threading.current_thread())
            together.wait(20)
        return found

    seen: list[threading.Thread] = []
    monkeypatch.setattr(decoded, "decode_in_order", counted)
    monkeypatch.setattr(decoded, "_read", both_find_nothing)
    with ThreadPoolExecutor(2) as pool:
        first, second = (pool.submit(images_of, root) for _ in range(2))
        assert fingerprint(first.result()) == fingerprint(second.result())
    assert len(begun) == 1


def test_a_disk_that_fills_up_is_named_and_nothing_is_kept(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room is taken before the array is filled: a page that cannot be written would end the process by a signal."""

    def full(*arguments: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(UserError, match=r"the disk is full: .*\.npy could not be written"):
        images_of(root)
    assert [left.suffix for left in (root.parent / "decoded").iterdir()] == [".lock"]
