import io
import shutil
import subprocess
import tarfile
from collections import namedtuple
from pathlib import Path

import forked
import pytest

from al_bench.errors import UserError
from al_bench.sources.archives import unpack

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
    with pytest.raises(UserError, match=r"pets\.tar\.gz .*0\.00 GB .*0\.27 GB"):
        unpack(path, tmp_path / "data")
    assert visible(tmp_path / "data") == []
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(needed))
    assert unpack(path, tmp_path / "data")[1]


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    path = archive(tmp_path / "pets.tar.gz", CONTENT)

    def command(*arguments: object) -> subprocess.CompletedProcess[str]:
        line = [forked.python(), "scripts/prepare_data.py", *map(str, arguments), "--into", str(tmp_path / "data")]
        return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)

    assert command(path).stdout == f"{tmp_path / 'data' / 'pets'} is ready\n"
    assert command(path).stdout == f"{tmp_path / 'data' / 'pets'} is there already: nothing to do\n"
    failed = command(tmp_path / "absent.tar")
    assert failed.returncode == 1
    assert failed.stderr.startswith(f"error: {tmp_path / 'absent.tar'} is not a file")
