"""Pictures that are the values of LMDB databases: listed without decoding any, and read when they are asked for.

    <database>/data.mdb     key -> content of a picture file, as LSUN is published
    <index>/<id>.keys.npy   the keys of one database in their order, (N,) bytes: made once, memory-mapped

The id is a hash of the database's size, time and beginning.
"""

import io
import json
import logging
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import IO, Literal, overload

import lmdb
import numpy as np
from numpy.typing import NDArray

from al_bench.errors import UserError
from al_bench.files import digest, make_once, written_whole
from al_bench.sources.listing import DATABASE, database_file, id_of

logger = logging.getLogger(__name__)

Keys = NDArray[np.bytes_]

_CHUNK = 1 << 16  # keys read at a time
_environments: dict[tuple[int, Path], lmdb.Environment] = {}  # of each process, which a child may have inherited
_opening = threading.Lock()


@dataclass(frozen=True)
class LmdbPicture:
    """One value of a database; see `decoding.Picture`."""

    database: Path
    key: bytes

    def open(self, mode: Literal["rb"], /) -> IO[bytes]:
        """Raises OSError where the database does not have it."""
        try:
            with environment(self.database).begin() as transaction:
                value = transaction.get(self.key)
        except lmdb.Error as error:
            raise OSError(str(error)) from error
        if value is None:
            raise OSError("it is not in the database: its list of keys, *.keys.npy in paths.decoded, is to be removed")
        return io.BytesIO(value)

    def __str__(self) -> str:
        return f"{self.database / DATABASE}, key {self.key.decode(errors='replace')},"


class LmdbPictures(Sequence[LmdbPicture]):
    """The pictures at some positions of databases that follow each other, made as they are asked for.

    databases: their folders; keys: those of each, in order; positions: (N,) int64 among all of them.
    """

    def __init__(self, databases: Sequence[Path], keys: Sequence[Keys], positions: NDArray[np.int64]) -> None:
        self.databases, self.keys, self.positions = databases, keys, positions
        self.ends = np.cumsum([len(part) for part in keys])

    def __len__(self) -> int:
        return len(self.positions)

    @overload
    def __getitem__(self, index: int) -> LmdbPicture: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[LmdbPicture]: ...

    def __getitem__(self, index: int | slice) -> LmdbPicture | Sequence[LmdbPicture]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        position = int(self.positions[index])
        database = int(np.searchsorted(self.ends, position, side="right"))
        keys = self.keys[database]
        return LmdbPicture(self.databases[database], bytes(keys[position - int(self.ends[database])]))


def environment(database: Path) -> lmdb.Environment:
    """A database opened for reading, once in each process: LMDB refuses a second opening and must not come through a
    fork.

    database: its folder, always by the same path. Raises UserError for what is absent, no LMDB database or shorter
    than it says, which would end the process.
    """
    own = os.getpid(), database
    if own not in _environments:
        with _opening:
            for inherited in [key for key in _environments if key[1] == database and key != own]:
                _environments.pop(inherited).close()
            if own not in _environments:
                _environments[own] = _open(database)
    return _environments[own]


def _open(database: Path) -> lmdb.Environment:
    path = database / DATABASE
    try:
        opened = lmdb.open(str(database), readonly=True, create=False, lock=False, readahead=False)
    except lmdb.Error as error:
        why = "cannot be read as an LMDB database" if path.exists() else "is missing"
        raise UserError(f"{path} {why} ({error}): get it anew") from error
    size, needed = path.stat().st_size, (opened.info()["last_pgno"] + 1) * opened.stat()["psize"]
    if size < needed:
        opened.close()
        raise UserError(f"{path} has {size:,} bytes and needs {needed:,}: it is truncated, get it anew")
    return opened


def keys_of(database: Path, index: Path) -> Keys:
    """(N,) the keys of a database in their order, memory-mapped from the folder `index`, where they are put first.

    Of two processes that need them, one lists them and the other waits. Raises UserError for a database that cannot be
    read or is empty, and for a full disk.
    """
    entries = environment(database).stat()["entries"]
    file = database_file(database.parent, database.name)
    known = [id_of(database.parent, [file]), file.changed]
    path = index / f"{digest(json.dumps(known).encode())[:16]}.keys.npy"
    return make_once([path], "the list of pictures", lambda: _read(path, entries), lambda: _make(path, database))


def _read(path: Path, entries: int) -> Keys | None:
    """None where the list is not there. Raises ValueError or EOFError for one that is corrupted."""
    if not path.exists():
        return None
    keys: Keys = np.lib.format.open_memmap(path, mode="r")  # `np.load` takes other files too
    if keys.shape != (entries,) or not _ascend(keys):
        raise ValueError("another list")
    return keys


def _ascend(keys: Keys) -> bool:
    return keys.dtype.kind == "S" and bool((keys[:-1] < keys[1:]).all())


def _make(path: Path, database: Path) -> Keys:
    """Lists the keys in a process of its own: LMDB aborts on some corrupted pages."""
    logger.info(f"listing the pictures of {database}, once")
    keys = None
    with suppress(BrokenProcessPool, lmdb.Error), ProcessPoolExecutor(1, get_context("spawn")) as process:
        keys = process.submit(_list, database).result()
    if keys is None or not _ascend(keys):
        raise UserError(f"{database / DATABASE} is corrupted or empty: get it anew")
    with written_whole(path) as file:
        np.save(file, keys, allow_pickle=False)
    mapped: Keys = np.load(path, mmap_mode="r", allow_pickle=False)
    return mapped


def _list(database: Path) -> Keys | None:
    """None where these are fewer or more than the database says, or none at all."""
    opened = environment(database)
    with opened.begin() as transaction:
        keys = transaction.cursor().iternext(keys=True, values=False)
        parts = [np.array(part) for part in iter(lambda: list(islice(keys, _CHUNK)), [])]
    return np.concatenate(parts) if sum(map(len, parts)) == opened.stat()["entries"] > 0 else None
