"""Inputs that are files: decoded once into a memory-mapped array, or each time that they are asked for.

    <folder>/<key>.npy    the pictures of one split, (N, C, H, W) uint8 or label maps (N, H, W), as NumPy writes arrays
    <folder>/<key>.json   written last: their shape, the fingerprint of what was decoded, counts of label maps; its sum

The key is a hash of what says which pictures they are (of files: names, sizes, times and beginnings), and of what
becomes of them. When they are opened the pictures are held against their fingerprint: up to 256 MiB always (0.15 s of a
core), more of them where the file is not the one that was held against it last, by its size, times and inode.
"""

import json
import logging
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import torch
from torch import Tensor

from al_bench.active.inputs import Inputs, fingerprint_of
from al_bench.errors import room
from al_bench.files import digest, make_once, read_json, written_whole
from al_bench.progress import progress
from al_bench.sources.decoded_record import checked_record, hold_against, stamp, write_record
from al_bench.sources.decoding import AnyDecoder, Decoder, Picture, Pixels, ahead, common_shape, decode_in_order
from al_bench.sources.listing import PictureFile, id_of

logger = logging.getLogger(__name__)

_SPARE_BYTES = 1 << 30  # left free on the disk for all else
_PART_BYTES = 1 << 26  # moved to a device at a time
_DEVICE_SHARE = 0.5  # of a device's free memory that the images of one split may take

_CPU = torch.device("cpu")

Found = tuple[dict[str, Any], Pixels | None]  # what is known of pictures, and where it is wanted the array of them


@dataclass(frozen=True, eq=False)
class MappedImages:
    """Decoded pictures on the disk, of which the system keeps in memory what is in use.

    array: (N, C, H, W) or (N, H, W), memory-mapped. fingerprint: of all its bytes. device: where batches are given.
    values: how often each of the 256 bytes is in it, where they were counted.
    """

    array: Pixels
    fingerprint: str
    device: torch.device = _CPU
    dtype: torch.dtype = torch.uint8
    values: tuple[int, ...] | None = None

    @property
    def shape(self) -> torch.Size:
        """That of the array."""
        return torch.Size(self.array.shape)

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, indices: Tensor, /) -> Tensor:
        return torch.from_numpy(self.array[indices.cpu().numpy()]).to(self.device)

    def to(self, device: torch.device, /) -> Inputs:
        """On a GPU all of them as a tensor if they fit there, else batches as they are asked for."""
        if device.type == "cpu" or self.array.nbytes > _DEVICE_SHARE * torch.cuda.mem_get_info(device)[0]:
            return replace(self, device=device)
        whole = torch.empty(self.shape, dtype=self.dtype, device=device)
        rows = max(1, _PART_BYTES * len(self) // max(1, self.array.nbytes))
        for part in torch.arange(len(self)).split(rows):
            whole[part[0] : part[-1] + 1] = self[part].to(device)
        return whole


@dataclass(frozen=True, eq=False)
class LazyImages:
    """Pictures that are decoded when they are asked for.

    pictures: N of them; decoder: what becomes of them; shape: (N, C, H, W) or (N, H, W); fingerprint: of what they are;
    device: where batches are given; values: as `MappedImages` has them.
    """

    pictures: Sequence[Picture]
    decoder: AnyDecoder
    shape: torch.Size
    fingerprint: str
    device: torch.device = _CPU
    dtype: torch.dtype = torch.uint8
    values: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, indices: Tensor, /) -> Tensor:
        asked = [self.pictures[index] for index in indices.tolist()]
        images = np.empty((len(asked), *self.shape[1:]), dtype=np.uint8)
        for row, pixels in enumerate(ahead(self.decoder.decode, asked)):
            images[row] = pixels
        return torch.from_numpy(images).to(self.device)

    def to(self, device: torch.device, /) -> Inputs:
        """Gives its batches on `device`."""
        return replace(self, device=device)


def decode_images(
    root: Path, files: Sequence[PictureFile], decoder: Decoder, folder: Path, keep: bool
) -> MappedImages | LazyImages:
    """(N, C, H, W) uint8 images of the files below `root`, in their order, as `decode_pictures` gives them."""
    known = [id_of(root, files), [file.changed for file in files]]
    return decode_pictures([root / file.name for file in files], known, decoder, folder, keep)


def decode_pictures(
    pictures: Sequence[Picture], known: Sequence[Any], decoder: AnyDecoder, folder: Path, keep: bool
) -> MappedImages | LazyImages:
    """(N, C, H, W) uint8 images of pictures, or (N, H, W) label maps, in their order.

    The first time every picture is decoded, which shows that it can be. known: plain values that are others for other
    pictures. folder: for what is kept of that. keep: whether to keep the decoded pictures, if the disk has room; else
    only what they were found to be.

    Raises UserError for pictures that cannot be read or differ in size, and for a full disk.
    """
    path = folder / digest(json.dumps([*known, asdict(cast(Any, decoder))]).encode())[:16]
    files = [path.with_suffix(".npy"), path.with_suffix(".json")]
    record, array = make_once(
        files,
        "the decoded pictures",
        lambda: _read(path, len(pictures), decoder, keep),
        lambda: _make(path, pictures, decoder, keep),
    )
    values = tuple(record["values"]) if decoder.counts_values else None
    if array is not None:
        return MappedImages(array, record["fingerprint"], values=values)
    return LazyImages(pictures, decoder, torch.Size(record["shape"]), record["fingerprint"], values=values)


def _read(path: Path, count: int, decoder: AnyDecoder, keep: bool) -> Found | None:
    """None where something has to be made. Raises ValueError, KeyError, TypeError or EOFError for corrupted files."""
    record, stored = path.with_suffix(".json"), path.with_suffix(".npy")
    if not record.exists():
        return None
    known = checked_record(read_json(record), count, decoder)
    shape = tuple(known["shape"])
    if not keep:
        return known, None
    if not stored.exists():
        return None if fits(path.parent, shape) else (known, None)
    array = np.lib.format.open_memmap(stored, mode="r")  # `np.load` takes other files too
    if array.shape != shape or array.dtype != np.uint8:
        raise ValueError("another array")
    hold_against(known, np.asarray(array), path)
    return known, np.asarray(array)


def _make(path: Path, pictures: Sequence[Picture], decoder: AnyDecoder, keep: bool) -> Found:
    values = np.zeros(256, dtype=np.int64)
    image_shape = common_shape(decoder, pictures)
    shape = (len(pictures), *image_shape)
    stored = path.with_suffix(".npy")
    keep = keep and fits(path.parent, shape)
    opened: AbstractContextManager[IO[bytes] | None] = written_whole(stored) if keep else nullcontext()
    with (
        opened as file,
        progress("decoding pictures" if keep else "checking pictures", len(pictures), "pictures") as bar,
    ):
        array = _new_array(file, shape) if file is not None else None

        def parts() -> Iterator[bytes]:
            first = 0
            for images in decode_in_order(decoder, pictures, image_shape):
                if array is not None:
                    array[first : first + len(images)] = images
                first += len(images)
                bar.advance(len(images))
                if decoder.counts_values:
                    values[:] += np.bincount(images.ravel(), minlength=256)
                yield images.tobytes()

        fingerprint = fingerprint_of(shape, torch.uint8, parts())
        if array is not None:
            array.flush()
    record: dict[str, Any] = {
        "shape": list(shape),
        "fingerprint": fingerprint,
        "made": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
    if decoder.counts_values:
        record["values"] = values.tolist()
    if keep:
        record["checked"] = stamp(path)
    write_record(path, record)
    return record, np.asarray(np.load(stored, mmap_mode="r")) if keep else None


def _new_array(file: IO[bytes], shape: tuple[int, ...]) -> "np.memmap[Any, np.dtype[np.uint8]]":
    """A file as an array to be filled. All its room is taken now: a disk that is full later ends the process."""
    array = np.lib.format.open_memmap(file.name, mode="w+", dtype=np.uint8, shape=shape)
    os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size)
    return array


def fits(folder: Path, shape: Sequence[int], there: int = 0, setting: str = "paths.decoded") -> bool:
    """Whether the disk of a folder has room for an array of this shape; says so where it has not. there: bytes of it
    that are written already; setting: by which another folder is named."""
    needed, free = int(np.prod(shape, dtype=np.int64)) - there, shutil.disk_usage(folder).free
    if needed <= 0 or needed + _SPARE_BYTES <= free:
        return True
    logger.warning(
        f"decoded pictures would take {room(needed)} and {folder} has {room(free)} free, of which "
        f"{room(_SPARE_BYTES)} are left to others: each is decoded when it is asked for, which is slower; {setting} "
        "can name a folder on a larger disk"
    )
    return False
