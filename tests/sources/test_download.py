"""Published files over HTTP, from a server in the test."""

import gzip
import hashlib
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from al_bench.errors import UserError
from al_bench.sources import download
from al_bench.sources.download import check, complete, fetch, read_checked

CONTENT = bytes(range(256)) * 1000
MD5 = hashlib.md5(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves the content whole, packed, cut short, as a page of HTML, or never."""

    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[-1]
        if name == "slow":
            threading.Event().wait(1)
            return
        if name == "absent":
            self.send_error(404)
            return
        body = {"whole.gz": gzip.compress(CONTENT), "page": b"<html>log in first</html>"}.get(name, CONTENT)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if name.startswith("cut") else body)

    def log_message(self, *arguments: object) -> None:
        """Silent."""


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as opened:
        thread = threading.Thread(target=opened.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{opened.server_address[1]}"
        opened.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["whole", "whole.gz"])
def test_a_file_is_put_in_place(server: str, tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "deep" / "file"
    fetch([f"{server}/{name}"], path, MD5)
    assert path.read_bytes() == read_checked(path, MD5) == CONTENT
    assert list(path.parent.iterdir()) == [path]
    umask = os.umask(0o22)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask, "others of a group read it too"
    assert capfd.readouterr() == ("", ""), "nothing but our own log"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("page", " is corrupted or truncated"),
        ("cut", "IncompleteRead"),
        ("cut.gz", "IncompleteRead"),
        ("page.gz", "Not a gzipped file"),
        ("absent", "404"),
        ("slow", "timed out"),
    ],
)
def test_what_is_wrong_is_named_and_not_kept(
    server: str, tmp_path: Path, name: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "SECONDS", 0.3)
    with pytest.raises(OSError, match=rf"{name}.*{said}"):
        fetch([f"{server}/{name}"], tmp_path / "file", MD5)
    assert list(tmp_path.iterdir()) == []


def test_no_more_is_unpacked_than_a_published_file_has(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "MOST_BYTES", len(CONTENT) - 1)
    with pytest.raises(OSError, match=r"whole\.gz: it has more than 255,999 bytes unpacked"):
        fetch([f"{server}/whole.gz"], tmp_path / "file", MD5)
    assert list(tmp_path.iterdir()) == []


def test_mirrors_are_tried_in_turn(server: str, tmp_path: Path) -> None:
    names = ("absent", "page", "whole", "never asked")
    fetch([f"{server}/{name}" for name in names], tmp_path / "file", MD5)
    assert (tmp_path / "file").read_bytes() == CONTENT
    with pytest.raises(OSError, match=r"absent: 404.*; .*page is corrupted"):
        fetch([f"{server}/{name}" for name in names[:2]], tmp_path / "other", MD5)


def test_only_absent_files_are_asked_for(tmp_path: Path) -> None:
    asked: list[dict[str, str]] = []
    (tmp_path / "there").write_bytes(b"not looked at")

    def get(folder: Path, absent: dict[str, str]) -> None:
        asked.append(dict(absent))
        for name in absent:
            (folder / name).touch()

    for _ in range(2):
        complete(tmp_path, {"there": "1", "other": "2"}, get, "")
    assert asked == [{"other": "2"}]


def test_without_a_network_it_says_what_to_put_where(tmp_path: Path) -> None:
    def get(folder: Path, absent: object) -> None:
        fetch(["http://127.0.0.1:1/file"], folder / "file", MD5)

    with pytest.raises(
        UserError,
        match=rf"{tmp_path} lacks files that could not be had \(.*127\.0\.0\.1:1.*cannot be reached.*\): put it there",
    ):
        complete(tmp_path, {"file": MD5}, get, "put it there")


def test_a_folder_that_was_not_there_is_not_there_then(tmp_path: Path) -> None:
    def get(folder: Path, absent: object) -> None:
        fetch(["http://127.0.0.1:1/file"], folder / "file", MD5)

    with pytest.raises(UserError, match="could not be had"):
        complete(tmp_path / "data" / "raw", {"file": MD5}, get, "put it there")
    assert not list(tmp_path.iterdir())


def test_another_content_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT[:-1])
    for function in (check, read_checked):
        with pytest.raises(UserError, match=r"file is corrupted or truncated: remove it, and it is fetched again"):
            function(tmp_path / "file", MD5)


def test_a_file_that_changes_after_it_was_checked_is_checked_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    check(path, MD5)
    path.write_bytes(CONTENT[::-1])
    os.utime(path, ns=(0, 1))  # clocks of some disks are coarse
    with pytest.raises(UserError, match="is corrupted or truncated"):
        check(path, MD5)
