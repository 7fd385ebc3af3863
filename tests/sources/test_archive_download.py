"""Files out of an archive, as it streams by."""

import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from al_bench.errors import UserError
from al_bench.sources import archive_download
from al_bench.sources.archive_download import complete_from_archive
from al_bench.sources.looking import only_looking

CONTENTS = {"first": b"1" * 1000, "second": b"2" * 2000}
CHECKSUMS = {name: hashlib.md5(content).hexdigest() for name, content in CONTENTS.items()}


def pack(path: Path, contents: Mapping[str, bytes], top: str = "things") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as opened:
        folder = tarfile.TarInfo(top)
        folder.type = tarfile.DIRTYPE
        opened.addfile(folder)
        for name, content in contents.items():
            member = tarfile.TarInfo(f"{top}/{name}")
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
    return path.as_uri()


def test_takes_what_is_absent_and_no_more_of_the_archive(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).bytes(200_000)
    source = pack(tmp_path / "far" / "things.tar.gz", {"other": b"", **CONTENTS, "unlabeled": noise})
    whole = (tmp_path / "far" / "things.tar.gz").read_bytes()
    (tmp_path / "far" / "things.tar.gz").write_bytes(whole[:100_000])  # so that reading on would fail
    folder = tmp_path / "data" / "things"
    folder.mkdir(parents=True)
    (folder / "first").write_bytes(b"already there, and not looked at")
    complete_from_archive(folder, CHECKSUMS, source)
    assert (folder / "second").read_bytes() == CONTENTS["second"]
    assert (folder / "first").read_bytes().startswith(b"already")
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "first", "second"]
    (tmp_path / "far" / "things.tar.gz").unlink()
    complete_from_archive(folder, CHECKSUMS, source)


def test_an_archive_beside_the_folder_comes_first(tmp_path: Path) -> None:
    pack(tmp_path / "data" / "things.tar.gz", CONTENTS)
    complete_from_archive(tmp_path / "data" / "things", CHECKSUMS, "file:///nowhere/things.tar.gz")
    assert (tmp_path / "data" / "things" / "first").read_bytes() == CONTENTS["first"]


@pytest.mark.parametrize(
    ("contents", "top", "said"),
    [
        ({"first": b"other", "second": b""}, "things", "first in the archive is corrupted"),
        ({"first": CONTENTS["first"]}, "things", "the archive lacks second"),
        (CONTENTS, "elsewhere", "the archive lacks first, second"),
    ],
)
def test_an_archive_of_something_else(tmp_path: Path, contents: dict[str, bytes], top: str, said: str) -> None:
    pack(tmp_path / "data" / "things.tar.gz", contents, top)
    with pytest.raises(UserError, match=rf"\({said}\): put things\.tar\.gz"):
        complete_from_archive(tmp_path / "data" / "things", CHECKSUMS, "file:///nowhere/things.tar.gz")


def test_what_only_looks_takes_an_archive_that_is_here_alone(tmp_path: Path) -> None:
    with only_looking():
        with pytest.raises(UserError, match=r"\(nothing is fetched to be looked at\): put things"):
            complete_from_archive(tmp_path / "data" / "things", CHECKSUMS, "https://localhost/things.tar.gz")
        pack(tmp_path / "data" / "things.tar.gz", CONTENTS)
        complete_from_archive(tmp_path / "data" / "things", CHECKSUMS, "https://localhost/things.tar.gz")
    assert (tmp_path / "data" / "things" / "first").read_bytes() == CONTENTS["first"]


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(tmp_path / "data" / "things.tar.gz", CONTENTS)
    monkeypatch.setattr(archive_download, "MOST_BYTES", 999)
    with pytest.raises(UserError, match=r"first in the archive has 1,000 bytes, and no such file has"):
        complete_from_archive(tmp_path / "data" / "things", CHECKSUMS, "file:///nowhere/things.tar.gz")
    assert not (tmp_path / "data" / "things" / "first").exists()


@pytest.mark.parametrize("cut", [0, 10, 100])
def test_a_truncated_archive(tmp_path: Path, cut: int) -> None:
    pack(tmp_path / "data" / "things.tar.gz", {"big": np.random.default_rng(0).bytes(5000), **CONTENTS})
    path = tmp_path / "data" / "things.tar.gz"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UserError, match=r"put things\.tar\.gz"):
        complete_from_archive(tmp_path / "data" / "things", CHECKSUMS, "file:///nowhere/things.tar.gz")
    path.write_bytes(b"\x1f\x8b\x08\x00" + bytes(200))
    with pytest.raises(UserError, match=r"put things\.tar\.gz"):
        complete_from_archive(tmp_path / "data" / "things", CHECKSUMS, "file:///nowhere/things.tar.gz")
