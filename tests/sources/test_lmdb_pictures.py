"""Databases of pictures: listed once, opened once in a process, and refused where they would end it."""

import os
import shutil
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from published import database, scenes

from al_bench.errors import UserError
from al_bench.sources import lmdb_pictures
from al_bench.sources.decoding import Decoder
from al_bench.sources.lmdb_pictures import LmdbPicture, LmdbPictures, environment, keys_of

CONTENTS = scenes(0, 40)
KEYS = sorted(CONTENTS)
DECODER = Decoder((64, 64), "center", "rgb")
NOISE = np.random.default_rng(0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database and, beside it, its list."""
    folder = tmp_path_factory.mktemp("lsun")
    keys_of(database(folder / "x_train_lmdb", CONTENTS), folder / "decoded")
    return folder


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """A database without a list."""
    shutil.copytree(made / "x_train_lmdb", tmp_path / "x_train_lmdb")
    return tmp_path / "x_train_lmdb"


def never(*arguments: object) -> None:
    raise AssertionError("listed again")


def test_keys_are_listed_in_order_and_once(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lmdb_pictures, "_make", never)
    keys = keys_of(made / "x_train_lmdb", made / "decoded")
    assert keys.tolist() == KEYS
    assert isinstance(keys, np.memmap)
    assert len(list((made / "decoded").glob("*.npy"))) == 1
    assert sorted(path.name for path in (made / "x_train_lmdb").iterdir()) == ["data.mdb"], "only read"


@pytest.mark.parametrize("how", ["truncated", "no list", "disordered", "of another"])
def test_a_garbled_list_is_set_aside_and_made_anew(
    made: Path, tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(made / "decoded", tmp_path / "decoded")
    (path,) = (tmp_path / "decoded").glob("*.npy")
    content = {"disordered": KEYS[::-1], "of another": KEYS[1:]}.get(how)
    path.write_bytes(path.read_bytes()[:-1] if how == "truncated" else b"")
    if content is not None:
        np.save(path, np.array(content))
    assert keys_of(made / "x_train_lmdb", tmp_path / "decoded").tolist() == KEYS
    assert f"is corrupted: kept as {path.name}.corrupted-1 and made anew" in caplog.text


def test_two_at_once_list_once(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    make = lmdb_pictures._make
    together = threading.Barrier(2)

    def counted(path: Path, source: Path) -> np.ndarray:
        begun.append(1)
        time.sleep(0.2)
        return make(path, source)

    def listed() -> list[bytes]:
        together.wait(20)
        found: list[bytes] = keys_of(copy, tmp_path / "decoded").tolist()
        return found

    monkeypatch.setattr(lmdb_pictures, "_make", counted)
    with ThreadPoolExecutor(2) as pool:
        assert [future.result() for future in [pool.submit(listed) for _ in range(2)]] == [KEYS, KEYS]
    assert len(begun) == 1


def test_pictures_are_counted_through_the_databases() -> None:
    """Five million of them take no memory of their own."""
    folders = [Path("/a"), Path("/b"), Path("/c")]
    keys = [np.broadcast_to(np.array([name]), (count,)) for name, count in ((b"a", 3), (b"b", 1), (b"c", 5_000_000))]
    pictures = LmdbPictures(folders, keys, np.array([0, 2, 3, 4, 5_000_003]))
    assert len(pictures) == 5
    assert [picture.key for picture in pictures] == [b"a", b"a", b"b", b"c", b"c"]
    assert [picture.database.name for picture in pictures[1:4]] == ["a", "b", "c"]
    assert pictures[-1] == LmdbPicture(Path("/c"), b"c")
    with pytest.raises(IndexError):
        pictures[5]


def test_a_picture_is_the_value_of_its_key(made: Path) -> None:
    for key in KEYS[:3]:
        assert LmdbPicture(made / "x_train_lmdb", key).open("rb").read() == CONTENTS[key]


def test_a_picture_that_is_absent_or_garbled_is_named(tmp_path: Path) -> None:
    place = database(tmp_path / "y_train_lmdb", {**CONTENTS, b"zz": CONTENTS[KEYS[0]][:200]})
    with pytest.raises(UserError, match=r"y_train_lmdb/data\.mdb, key abc, "):
        DECODER.decode(LmdbPicture(place, b"abc"))
    with pytest.raises(UserError, match=r"y_train_lmdb/data\.mdb, key zz, "):
        DECODER.decode(LmdbPicture(place, b"zz"))


def test_a_database_is_opened_once_in_a_process_and_again_after_a_fork(made: Path) -> None:
    place = made / "x_train_lmdb"
    opened = environment(place)
    with ThreadPoolExecutor(4) as pool:
        assert all(other is opened for other in pool.map(environment, [place] * 20))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads, from Python 3.12 on
        child = os.fork()
    if child == 0:
        own = environment(place)
        read = LmdbPicture(place, KEYS[5]).open("rb").read() == CONTENTS[KEYS[5]]
        os._exit(0 if read and own is not opened else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert environment(place) is opened
    assert LmdbPicture(place, KEYS[5]).open("rb").read() == CONTENTS[KEYS[5]], "the child closed its own alone"


def branches_and_leaves(content: bytes) -> list[int]:
    """The numbers of the pages that hold keys."""
    return [page for page in range(2, len(content) // 4096) if content[4096 * page + 10] in (1, 2)]


@pytest.mark.parametrize(
    "how", ["zero pages", "noise in pages", "truncated", "noise", "empty", "no pictures", "missing"]
)
def test_a_garbled_database_is_named(copy: Path, tmp_path: Path, how: str) -> None:
    """Zeros in place of keys, as a broken download leaves them, make LMDB abort; reading beyond a cut, a bus error."""
    path = copy / "data.mdb"
    whole = bytearray(path.read_bytes())
    for page in branches_and_leaves(bytes(whole)) if how.endswith("pages") else []:
        whole[4096 * page : 4096 * (page + 1)] = bytes(4096) if how == "zero pages" else NOISE.bytes(4096)
    changed = {"truncated": whole[: len(whole) // 2], "noise": NOISE.bytes(len(whole)), "empty": b""}.get(how, whole)
    path.write_bytes(changed)
    if how == "no pictures":
        shutil.rmtree(copy)
        database(copy, {})
    if how == "missing":
        path.unlink()
    said = {"truncated": "it is truncated", "missing": "is missing"}.get(how, "is corrupted|cannot be read as an LMDB")
    with pytest.raises(UserError, match=rf"x_train_lmdb/data\.mdb .*({said})"):
        keys_of(copy, tmp_path / "decoded")
    assert not list((tmp_path / "decoded").glob("*.npy"))
