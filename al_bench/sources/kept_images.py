"""Pictures of a pool that grows, each decoded when it is asked for first, and kept."""

import logging
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from al_bench.active.inputs import Inputs
from al_bench.errors import UserError
from al_bench.files import named
from al_bench.sources.broken_pictures import is_of_file
from al_bench.sources.decoding import Decoder, Picture, Pixels, ahead

logger = logging.getLogger(__name__)

_CPU = torch.device("cpu")
_UNKNOWN, _KEPT, _BROKEN = 0, 1, 2  # what is known of a row


@dataclass(frozen=True, eq=False)
class KeptImages:
    """(N, C, H, W) uint8 images by position, of which the files are decoded once.

    pictures: by position, None where there is none any more; decoder: what becomes of one, of a size that is given.
    path: of the file of decoded rows, which takes as much room as there are, the rest is a hole; beside it lies
    `<path>.known`, a byte a row. Both stay right while a position keeps its picture. fingerprint: of what the pictures
    are. keep: whether rows are written; if not, each is decoded whenever it is asked for, and `<path>.tried` says which
    could be. row_ids: (N,) of each picture which file it is, see `listing.file_ids`; None where nobody says. A picture
    that cannot be read, or is gone before it was decoded, is black, and said once. away: positions whose files cannot
    be read now, whatever they hold: they are not tried before they are taken out of it, and nothing stored says so.
    Raises UserError where the disk does not take them.
    """

    pictures: Sequence[Picture | None]
    decoder: Decoder
    path: Path
    fingerprint: str
    keep: bool = True
    row_ids: NDArray[np.uint64] | None = None
    away: set[int] = field(default_factory=set, repr=False)
    device: torch.device = _CPU
    dtype: torch.dtype = torch.uint8
    rows: Pixels = field(init=False, repr=False)
    known: Pixels = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.keep:
            self._forget_lost()
        rows = [(self.path, self.shape, "rows")] if self.keep else []
        for path, shape, name in (*rows, (self._index, (len(self),), "known")):
            with named(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("ab") as file:
                    file.truncate(max(1, int(np.prod(shape, dtype=np.int64)), path.stat().st_size))
            object.__setattr__(self, name, np.memmap(path, mode="r", dtype=np.uint8, shape=tuple(shape)))

    @property
    def shape(self) -> torch.Size:
        """(N, C, H, W)."""
        assert self.decoder.shape is not None
        return torch.Size((len(self.pictures), *self.decoder.shape))

    def find_broken(self, positions: Sequence[int]) -> set[int]:
        """Those of some positions whose pictures cannot be read; they are decoded for it."""
        wanted = np.array(positions, dtype=np.int64)
        self._decode_new(wanted)
        found: list[int] = wanted[self.known[wanted] == _BROKEN].tolist()
        return set(found) | self.away.intersection(positions)

    def try_again(self) -> list[int]:
        """The positions, ascending, of pictures that could not be read before and cannot now: each is tried, and none
        is said."""
        before = [one for one in np.flatnonzero(self.known == _BROKEN).tolist() if one < len(self)]
        self._note([(position, _UNKNOWN) for position in before])
        there = [position for position in before if self.pictures[position] is not None]
        self._decode_new(np.array(there, dtype=np.int64), quiet=True)
        return sorted(self.find_broken(there))

    @property
    def broken(self) -> Tensor:
        """(B,) int64 positions of pictures that were asked for and could not be read."""
        return torch.from_numpy(np.union1d(np.flatnonzero(self.known == _BROKEN), sorted(self.away)).astype(np.int64))

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, indices: Tensor, /) -> Tensor:
        wanted = indices.cpu().numpy()
        if not self.keep:
            return torch.from_numpy(self._read(wanted)).to(self.device)
        self._decode_new(wanted)
        return torch.from_numpy(self.rows[wanted]).to(self.device)

    def to(self, device: torch.device, /) -> Inputs:
        """Gives its batches on `device`."""
        return replace(self, device=device)

    def _forget_lost(self) -> None:
        """Rows that are not there any more, such as after the large file was removed, are not known either."""
        rows, known = (path.stat().st_size if path.exists() else 0 for path in (self.path, self._index))
        if rows < known * int(np.prod(self.shape[1:])):
            self._index.unlink()

    def _decode_new(self, positions: NDArray[np.int64], quiet: bool = False) -> None:
        new = np.unique(positions[self.known[positions] == _UNKNOWN])
        wanted = [position for position in new.tolist() if position not in self.away]
        if wanted and self.keep:
            self._decode(wanted, quiet)
        elif wanted:
            deque(self._try(wanted, quiet), maxlen=0)

    def _read(self, positions: NDArray[np.int64]) -> Pixels:
        """(B, C, H, W) decoded now."""
        images = np.zeros((len(positions), *self.shape[1:]), dtype=np.uint8)
        for row, pixels in enumerate(self._try(positions.tolist())):
            if pixels is not None:
                images[row] = pixels
        return images

    def _try(self, positions: Sequence[int], quiet: bool = False) -> Iterator[Pixels | None]:
        """Each decoded, None where it cannot be; which these are is known once all were."""
        found = []
        for position, pixels in zip(positions, ahead(partial(self._pixels, quiet), positions), strict=True):
            found.append((position, self._what(position, pixels)))
            yield pixels
        self._note([one for one in found if self.known[one[0]] == _UNKNOWN])

    def _decode(self, positions: Sequence[int], quiet: bool) -> None:
        """By pwrite: a mapped page that the disk has no room for would end the process."""
        size = int(np.prod(self.shape[1:]))
        with named(self.path), self.path.open("r+b") as file:
            found = []
            for position, pixels in zip(positions, ahead(partial(self._pixels, quiet), positions), strict=True):
                if pixels is not None:
                    os.pwrite(file.fileno(), pixels.tobytes(), position * size)
                found.append((position, self._what(position, pixels)))
            os.fdatasync(file.fileno())  # before it is said to be there
        self._note(found)

    def _note(self, found: Sequence[tuple[int, int]]) -> None:
        """What is known of some positions."""
        with named(self._index), self._index.open("r+b") as index:
            for position, what in found:
                os.pwrite(index.fileno(), bytes([what]), position)

    def _what(self, position: int, pixels: Pixels | None) -> int:
        """What is known of a row once it was tried."""
        return _KEPT if pixels is not None else _UNKNOWN if position in self.away else _BROKEN

    def _pixels(self, quiet: bool, position: int) -> Pixels | None:
        if position in self.away or self.known[position] == _BROKEN:
            return None
        if (picture := self.pictures[position]) is None:
            self.away.add(position)
            return None
        try:
            return self.decoder.decode(picture)
        except UserError as error:
            if is_of_file(error):
                self.away.add(position)
            if not quiet:
                logger.warning(f"{error}; until then it is left out")
            return None

    @property
    def _index(self) -> Path:
        return _index_of(self.path, self.keep)


def forget(path: Path, positions: Sequence[int]) -> None:
    """Has these decoded again when they are asked for next, since their files are others. path: of the decoded rows,
    which may not be there yet. Raises UserError where the disk does not take it."""
    for index in (_index_of(path, keep) for keep in (True, False)):
        if not positions or not index.exists():
            continue
        with named(index), index.open("r+b") as file:
            size = os.fstat(file.fileno()).st_size
            for position in positions:
                if position < size:
                    os.pwrite(file.fileno(), bytes([_UNKNOWN]), position)


def find_same(path: Path, decoder: Decoder, pictures: Mapping[int, Picture]) -> set[int]:
    """The positions whose decoded rows are what some pictures, by position, are decoded to. path: of the rows, which
    may not be there yet; of what is not among them nothing is said."""
    index, size = _index_of(path, True), int(np.prod(decoder.shape or ()))
    if not pictures or not path.exists() or not index.exists():
        return set()
    known, rows = np.fromfile(index, np.uint8), np.memmap(path, mode="r", dtype=np.uint8)
    there = [one for one in pictures if one < min(len(known), len(rows) // size) and known[one] == _KEPT]

    def is_same(position: int) -> bool:
        try:
            pixels = decoder.decode(pictures[position])
        except UserError:
            return False
        return np.array_equal(pixels.ravel(), rows[position * size : (position + 1) * size])

    return {position for position, same in zip(there, ahead(is_same, there), strict=True) if same}


def _index_of(path: Path, keep: bool) -> Path:
    return path.with_name(f"{path.name}.{'known' if keep else 'tried'}")
