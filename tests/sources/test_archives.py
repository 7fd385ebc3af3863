import gzip
import io
import math
import os
import re
import shutil
import subprocess
import tarfile
from collections import namedtuple
from contextlib import suppress
from pathlib import Path
from random import Random

import forked
import pytest
from mutating import FAULTS

from al_bench.errors import UserError
from al_bench.sources import archives
from al_bench.sources.archives import Limits, unpack

ROOT = Path(__file__).parents[2]
CONTENT = {"pets/train/cat/1.png": b"one", "pets/train/dog/2.png": b"two", "pets/classes.txt": b"cat dog"}


def archive(path: Path, content: dict[str, bytes], links: dict[str, str] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, f"w:{path.suffix[1:]}") as opened:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            opened.addfile(member, io.BytesIO(data))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            opened.addfile(member)
    return path


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


@pytest.mark.parametrize("packing", ["xz", "gz", "bz2"])
def test_unpacks_once_from_a_folder_that_is_only_read(tmp_path: Path, packing: str) -> None:
    path = archive(tmp_path / "source" / f"pets.tar.{packing}", CONTENT)
    path.parent.chmod(0o555)
    into = tmp_path / "new" / "data"
    assert unpack(path, into) == (into / "pets", True)
    assert visible(into) == ["pets"]
    assert {f"pets/{name}": data for name, data in files_in(into / "pets").items()} == CONTENT
    (into / "pets" / "classes.txt").write_bytes(b"mine")
    assert unpack(path, into) == (into / "pets", False)
    assert (into / "pets" / "classes.txt").read_bytes() == b"mine"
    path.parent.chmod(0o755)


@pytest.mark.parametrize(
    ("content", "links"),
    [
        ({"pets/a": b"", "pets/../../outside": b"x"}, {}),
        ({"pets/a": b""}, {"pets/link": "/etc/passwd"}),
        ({"pets/a": b""}, {"pets/link": "../../outside"}),
        ({"../outside": b"x"}, {}),
        ({"/outside": b"x"}, {}),
        ({"pets/a": b"", "outside": b"x"}, {}),
    ],
)
def test_nothing_reaches_outside_of_the_folder(
    tmp_path: Path, content: dict[str, bytes], links: dict[str, str]
) -> None:
    path = archive(tmp_path / "evil.tar.gz", content, links)
    with pytest.raises(UserError, match=r"evil\.tar\.gz "):
        unpack(path, tmp_path / "deep" / "data")
    left = [found for found in (tmp_path / "deep").rglob("*") if not found.name.endswith(".lock")]
    assert left in ([], [tmp_path / "deep" / "data"])


def made(path: Path, *members: tuple[str, bytes, dict[str, object]]) -> Path:
    """An archive of files with attributes of their own."""
    with tarfile.open(path, "w:gz") as opened:
        for name, data, attributes in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            for attribute, value in attributes.items():
                setattr(member, attribute, value)
            opened.addfile(member, io.BytesIO(data))
    return path


ONE = ("pets/1", b"x", {})


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ([("pets/" + "n" * 300, b"x", {})], "too long"),
        ([("p" * 250 + "/1", b"x", {})], "too long"),
        ([ONE, ("pets/2", b"x", {"pax_headers": {"path": "pets/2\0"}})], r"is corrupted, .*\(embedded null byte\)"),
        ([ONE, ("pets/1/2", b"x", {})], r"pets/1/2"),
        ([("pets", b"x", {})], "holds no folder pets but a file of this name"),
        ([("pets", b"", {"type": tarfile.SYMTYPE, "linkname": "."})], "holds no folder pets but a file"),
        ([ONE, ("pets/2", b"", {"type": tarfile.CHRTYPE})], "'pets/2' is a special file"),
        ([ONE, ("pets/2", b"", {"type": tarfile.FIFOTYPE})], "'pets/2' is a special file"),
        ([ONE, ("pets/2", b"", {"type": tarfile.LNKTYPE, "linkname": "pets/9"})], r"is corrupted, .*pets/9' not found"),
        ([ONE, ("pets/2", b"x", {"mtime": 10**30})], "is corrupted, .*timestamp out of range"),
        ([ONE, ("pets/2", b"x", {"pax_headers": {"comment": "0" * 100_000}})], r"a header of \d+,\d+ bytes"),
    ],
)  # fmt: skip
def test_an_archive_that_cannot_be_unpacked_leaves_nothing(
    tmp_path: Path, members: list[tuple[str, bytes, dict[str, object]]], sentence: str
) -> None:
    path = made(tmp_path / "pets.tar.gz", *members)
    with pytest.raises(UserError, match=sentence) as caught:
        unpack(path, tmp_path / "data")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "data").exists() or visible(tmp_path / "data") == []


def test_names_that_are_no_utf_8(tmp_path: Path) -> None:
    name = os.fsdecode(b"p\xe9ts/caf\xe9.png")
    folder, _ = unpack(made(tmp_path / "pets.tar.gz", (name, b"x", {})), tmp_path / "data")
    assert list(files_in(folder)) == [os.fsdecode(b"caf\xe9.png")]


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    path = archive(tmp_path / "pets.tar.gz", CONTENT)
    (tmp_path / "file").write_text("mine")
    for into in (tmp_path / "file", tmp_path / "file" / "deeper"):
        with pytest.raises(UserError, match=re.escape(str(tmp_path / "file"))):
            unpack(path, into)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "pets").write_text("mine")
    with pytest.raises(UserError, match=r"data/pets is no folder, and .*pets\.tar\.gz has one of this name: move it"):
        unpack(path, tmp_path / "data")
    os.mkfifo(tmp_path / "pipe.tar.gz")
    with pytest.raises(UserError, match=r"pipe\.tar\.gz is not a file"):
        unpack(tmp_path / "pipe.tar.gz", tmp_path / "data")


def test_no_more_is_unpacked_than_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path / "pets.tar.gz", CONTENT)
    assert Limits().files > 1_431_167 and Limits().gigabytes > 155, "ImageNet's own"
    for limits in (Limits(files=2), Limits(gigabytes=1e-5)):
        with pytest.raises(
            UserError, match=r"pets\.tar\.gz would be more than .*--most-files, --most-gb and --most-times"
        ):
            unpack(path, tmp_path / "data", limits)
    assert visible(tmp_path / "data") == [], "and nothing was begun"
    monkeypatch.setattr(archives, "_ALWAYS_BYTES", 1 << 16)
    zeros = archive(tmp_path / "zeros.tar.xz", {"pets/a": bytes(1 << 22)})
    with pytest.raises(
        UserError, match=r"zeros\.tar\.xz would be more than .*, 200 times its size: nothing is unpacked"
    ):
        unpack(zeros, tmp_path / "data")
    empty = archive(tmp_path / "empty.tar.xz", {f"pets/{number}": b"" for number in range(1000)})
    with pytest.raises(UserError, match=r"empty\.tar\.xz would be more than"):
        unpack(empty, tmp_path / "data")
    assert unpack(zeros, tmp_path / "data", Limits(times=10_000))[1]


def test_what_an_archive_says_of_itself_is_not_believed(tmp_path: Path) -> None:
    """A size that is not there, and bytes that no file has."""
    path = archive(tmp_path / "pets.tar.gz", CONTENT)
    content = bytearray(gzip.decompress(path.read_bytes()))
    member = tarfile.TarInfo("pets/train/cat/1.png")
    member.size = 3 << 30
    content[:512] = member.tobuf()
    path.write_bytes(gzip.compress(content))
    with pytest.raises(UserError, match=r"pets\.tar\.gz would be more than"):
        unpack(path, tmp_path / "data")
    path.write_bytes(gzip.compress(bytes(512) * 4 + bytes(1 << 22)))
    with pytest.raises(UserError, match=r"pets\.tar\.gz "):
        unpack(path, tmp_path / "data")
    assert visible(tmp_path / "data") == []


def test_an_archive_with_any_fault_is_unpacked_or_refused(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    whole = archive(tmp_path / "pets.tar.gz", CONTENT, {"pets/link": "train"}).read_bytes()
    plain, rng = gzip.decompress(whole), Random(0)
    for number in range(pytestconfig.getoption("--mutants") // 9):
        content = bytearray(plain[:5120])
        for _ in range(rng.choice((1, 2, 8))):
            rng.choice(FAULTS)(content, rng)
        path = tmp_path / f"{number}.tar"
        path.write_bytes(_summed(content))
        with suppress(UserError):
            unpack(path, tmp_path / "data")
        shutil.rmtree(tmp_path / "data", ignore_errors=True)
        path.unlink()


def _summed(content: bytearray) -> bytes:
    """The sums of all headers set right again, or no other fault would be met."""
    for first in range(0, len(content) - 511, 512):
        if content[first + 257 : first + 262] == b"ustar":
            content[first + 148 : first + 156] = (
                b"%06o\0 " % tarfile.calc_chksums(bytes(content[first : first + 512]))[0]
            )
    return bytes(content)


def test_an_archive_that_is_cut_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    whole = archive(tmp_path / "pets.tar.xz", {**CONTENT, "pets/large": bytes(range(256)) * 4000}).read_bytes()
    for content in (whole[: len(whole) // 2], b"<html>", b""):
        (tmp_path / "pets.tar.xz").write_bytes(content)
        with pytest.raises(UserError, match=r"pets\.tar\.xz is corrupted"):
            unpack(tmp_path / "pets.tar.xz", tmp_path / "data")
        assert not (tmp_path / "data").exists() or visible(tmp_path / "data") == []
    with pytest.raises(UserError, match=r"absent\.tar\.xz"):
        unpack(tmp_path / "absent.tar.xz", tmp_path / "data")


def test_unpacking_that_was_killed_never_looks_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path / "pets.tar.gz", CONTENT)
    extract, done = tarfile.TarFile.extract, []

    def die(opened: tarfile.TarFile, member: tarfile.TarInfo, *rest: object, **more: object) -> None:
        if done:
            raise KeyboardInterrupt
        done.append(member)
        extract(opened, member, *rest, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(tarfile.TarFile, "extract", die)
        patch.setattr(shutil, "rmtree", lambda path, ignore_errors: None)  # as SIGKILL leaves it
        with pytest.raises(KeyboardInterrupt):
            unpack(path, tmp_path / "data")
    assert visible(tmp_path / "data") == [".pets.partial"]
    (tmp_path / "data" / ".pets.partial" / "stray").write_text("of another archive")
    assert unpack(path, tmp_path / "data") == (tmp_path / "data" / "pets", True)
    assert visible(tmp_path / "data") == ["pets"]
    assert len(files_in(tmp_path / "data" / "pets")) == 3


def test_a_disk_without_room_is_named_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", ["free"])
    path = archive(tmp_path / "pets.tar.gz", CONTENT)
    needed = 3 * 4096 + (1 << 28)  # three small files take a block each
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(needed - 1))
    with pytest.raises(UserError, match=r"pets\.tar\.gz takes 12\.3 KB unpacked .* has 268\.4 MB free"):
        unpack(path, tmp_path / "data")
    assert visible(tmp_path / "data") == []
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(needed))
    assert unpack(path, tmp_path / "data")[1]


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    path = archive(tmp_path / "pets.tar.gz", CONTENT)

    def command(*arguments: object) -> subprocess.CompletedProcess[str]:
        line = [forked.python(), "scripts/prepare_data.py", *map(str, arguments), "--into", str(tmp_path / "data")]
        return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)

    refused = command(path, "--most-files", 2)
    assert refused.returncode in (1, 2) and "pets.tar.gz would be more than 2 files or" in refused.stderr
    assert command(path).stdout == f"{tmp_path / 'data' / 'pets'} is ready\n"
    assert command(path).stdout == f"{tmp_path / 'data' / 'pets'} is there already: nothing to do\n"
    failed = command(tmp_path / "absent.tar")
    assert failed.returncode == 2
    assert failed.stderr.startswith(f"error: {tmp_path / 'absent.tar'} is not a file")


def test_folders_in_each_other_have_an_end(tmp_path: Path) -> None:
    path = archive(tmp_path / "pets.tar.gz", {"pets/1.png": b"one", f"pets/{2000 * 'x/'}2.png": b"two"})
    with pytest.raises(UserError, match=r"pets\.tar\.gz holds a name of 2,002 parts, 200 are taken"):
        unpack(path, tmp_path / "data")
    assert visible(tmp_path / "data") == []


@pytest.mark.parametrize("limits", [{"gigabytes": math.nan}, {"gigabytes": -1.0}, {"files": 0}, {"times": 0.0}])
def test_a_limit_that_is_none_is_refused(limits):
    with pytest.raises(UserError, match=r"--most-\w+=\S+ must be more than 0"):
        Limits(**limits)
