"""What a model reads, by index; and the one range that modules exchange."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


class Inputs(Protocol):
    """(N, C, H, W) uint8 images, (N, H, W) uint8 label maps or (N, D) float features, read by index.

    A tensor is one, on whatever device; so is a memory map, a folder of files that are decoded when asked for
    (`sources.cache`) or a view of others (`active.view`). `device` is where they are given, and `to` lets them be given
    elsewhere.
    """

    @property
    def shape(self) -> torch.Size: ...

    @property
    def dtype(self) -> torch.dtype: ...

    @property
    def device(self) -> torch.device: ...

    def __len__(self) -> int: ...

    def __getitem__(self, indices: Tensor, /) -> Tensor: ...

    def to(self, device: torch.device, /) -> "Inputs": ...


@runtime_checkable
class Fingerprinted(Protocol):
    """Inputs that know their fingerprint, see `fingerprint`, so that nobody reads them all to take it."""

    @property
    def fingerprint(self) -> str: ...


def read_all(inputs: Inputs) -> Tensor:
    """All inputs as one tensor (N, ...): only for what cannot go through them in batches."""
    return inputs[torch.arange(len(inputs), device=inputs.device)]


def to_float(batch: Tensor) -> Tensor:
    """Images in the range that modules exchange: float in [0, 1].

    batch: uint8 images in [0, 255], or anything floating, which is returned as it is.
    """
    return batch.float().div_(255) if batch.dtype == torch.uint8 else batch


def as_stored(batch: Tensor, dtype: torch.dtype) -> Tensor:
    """The inverse of `to_float`: synthetic inputs as the pool stores its own.

    batch: float images in [0, 1] or features; dtype: of the pool's inputs. Images are rounded to 8 bits, which is
    also what an annotator's screen shows.
    """
    return batch.clamp(0, 1).mul(255).round().to(dtype) if dtype == torch.uint8 else batch.to(dtype)


def fingerprint(images: Inputs) -> str:
    """A hash of what the images are, wherever they lie: what an artifact made from them is named by."""
    if isinstance(images, Fingerprinted):
        return images.fingerprint
    parts = torch.arange(len(images), device=images.device).split(65_536)
    contents = (images[part].cpu().contiguous().numpy().tobytes() for part in parts)
    return fingerprint_of(images.shape, images.dtype, contents)


def fingerprint_of(shape: Sequence[int], dtype: torch.dtype, contents: Iterable[bytes]) -> str:
    """The fingerprint of images of this shape whose bytes come in parts, in order."""
    state = hashlib.sha256(f"{tuple(shape)} {dtype}".encode())
    for content in contents:
        state.update(content)
    return state.hexdigest()[:16]
