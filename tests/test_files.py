import errno
import fcntl
import io
import logging
import os
import re
import resource
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from al_bench import files
from al_bench.annotation.page_holding import PageHolding
from al_bench.errors import UserError, of_files
from al_bench.storage.holding import Holding
from al_bench.training.interruption import ended_in_words


def test_a_file_is_there_whole_or_not_at_all(tmp_path):
    path = tmp_path / "deep" / "file.bin"
    with pytest.raises(RuntimeError), files.written_whole(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert list(path.parent.iterdir()) == []
    with files.written_whole(path) as file:
        file.write(b"whole")
    assert path.read_bytes() == b"whole"
    with pytest.raises(RuntimeError), files.written_whole(path) as file:
        file.write(b"half of the next")
        raise RuntimeError
    assert path.read_bytes() == b"whole"


def test_nothing_that_is_made_again_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[int] = []
    monkeypatch.setattr(os, "fsync", waits.append)
    for remade, count in ((True, 0), (False, 2)):
        with files.written_whole(tmp_path / "table.csv", remade=remade) as file:
            file.write(b"whole")
        assert len(waits) == count, "for the file and for its folder"
        assert (tmp_path / "table.csv").read_bytes() == b"whole"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "the disk is full: {} could not be written; free some space"),
        (errno.EDQUOT, "the disk is full: {} could not be written; free some space"),
        (errno.EROFS, "{} cannot be written, its disk is read-only: choose"),
        (errno.EACCES, "{} may not be used: change its owner or its mode"),
        (errno.ESTALE, "{} is no longer what was opened.* mount"),
        (errno.EIO, "the disk of {} fails"),
        (errno.EFBIG, "{} is larger than"),
    ],
)
def test_a_disk_that_fails_is_named_and_nothing_stays(tmp_path, monkeypatch, code, words):
    monkeypatch.setattr(os, "fsync", failing(code))
    path = tmp_path / "x.json"
    with pytest.raises(UserError, match=f"^{words.format(path)}"):
        files.write_json(path, {"a": 1})
    assert list(tmp_path.iterdir()) == []


def failing(code):
    """Stands for a call of the system."""

    def fail(*arguments, **options):
        raise OSError(code, os.strerror(code))

    return fail


def test_a_rename_that_fails_is_named_by_the_place_that_is_taken(tmp_path):
    (tmp_path / "from").write_text("")
    (tmp_path / "to" / "in it").mkdir(parents=True)
    with pytest.raises(OSError, match="directory") as error:
        (tmp_path / "from").rename(tmp_path / "to")
    assert str(of_files(error.value)).startswith(f"{tmp_path / 'to'} is a folder where a file should be")


def test_a_device_in_a_folders_place_is_no_folder():
    with pytest.raises(OSError, match="Not a directory") as error:
        Path("/dev/null/runs").mkdir()
    assert "/dev/null is a file where a folder should be" in str(of_files(error.value))


def test_a_write_that_fails_is_named_by_the_file_that_is_open(caplog):
    with pytest.raises(SystemExit, match="2"), ended_in_words(), Path("/dev/full").open("wb", buffering=0) as file:
        file.write(b"more than it takes")
    assert caplog.messages[0].startswith("error: the disk is full: /dev/full could not be written")


def test_a_file_of_another_folder_is_not_taken_for_the_one_that_is_written(tmp_path):
    with pytest.raises(FileNotFoundError), files.named(tmp_path / "x"):
        (tmp_path / "elsewhere" / "y").read_bytes()
    with pytest.raises(UserError, match="y: it is not there"), files.named(tmp_path / "x"):
        (tmp_path / "y").read_bytes()


def test_a_mistake_of_ours_keeps_its_own_name(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", failing(errno.EBADF))
    with pytest.raises(OSError, match="Bad file descriptor"), ended_in_words():
        files.write_json(tmp_path / "x.json", {})


def a_file(path):
    path.parent.write_text("")


def nowhere(path):
    path.parent.symlink_to(path.parent.parent / "gone")


def a_loop(path):
    path.parent.symlink_to(path.parent)


def a_folder(path):
    (path / "in it").mkdir(parents=True)


@pytest.mark.parametrize(
    ("put", "words"),
    [
        (a_file, "{parent}: {parent} is a file where a folder should be: move it away"),
        (nowhere, "{parent}: {parent} is a link that leads nowhere: move it away"),
        (a_loop, "{parent}.* is a link that leads"),
        (a_folder, "{path} is a folder where a file should be: move it away"),
    ],
)
def test_what_stands_in_the_way_of_a_file_is_named(tmp_path, put, words, caplog):
    path = tmp_path / "folder" / "x.json"
    put(path)
    with pytest.raises(SystemExit, match="2"), ended_in_words():
        files.write_json(path, {})
    assert re.match(f"error: {words.format(path=path, parent=path.parent)}", caplog.messages[0])


def test_a_name_that_is_too_long_is_refused(tmp_path, caplog):
    with pytest.raises(SystemExit, match="2"), ended_in_words():
        files.write_json(tmp_path / ("x" * 300) / "x.json", {})
    assert re.fullmatch(
        f"error: the name {tmp_path}/x+ is too long for its disk: choose a shorter one", caplog.messages[0]
    )


def test_too_many_open_files(tmp_path, caplog):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(SystemExit, match="2"), ended_in_words():
            files.write_json(tmp_path / "x.json", {})
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert caplog.messages[0].startswith(f"error: too many files are open for {tmp_path}/x.json: raise the limit")


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_disk_without_locks(tmp_path, monkeypatch, code):
    monkeypatch.setattr(fcntl, "flock", failing(code))
    lock = tmp_path / "x.lock"
    with pytest.raises(UserError, match=f"the disk of {lock} has no locks"), files.hold(lock, "the thing"):
        pass
    for holding in (Holding(tmp_path), PageHolding(tmp_path)):
        with pytest.raises(UserError, match=f"the disk of {tmp_path}/\\S*lock has no locks"):
            holding.take()


@pytest.mark.parametrize("place", ["/dev/full", "/etc/hostname/run.log"])
def test_a_log_that_cannot_be_written_ends_and_says_so_once(place, capfd):
    log = files.LogFile(place)
    for _ in range(2):
        log.handle(logging.makeLogRecord({"msg": "a line"}))
    with suppress(OSError):
        log.close()
    assert re.fullmatch(rf"no log is kept: .*{place}.*\n", capfd.readouterr().err)


def test_json_is_made_for_reading(tmp_path):
    value = {"name": "a", "numbers": [1, 2.5, None], "rows": [{"x": 1}, {"x": 2}], "empty": {}, "deep": {"k": [True]}}
    files.write_json(tmp_path / "x.json", value)
    assert files.read_json(tmp_path / "x.json") == value
    assert '  "numbers": [1, 2.5, null],\n' in (tmp_path / "x.json").read_text()


def test_a_number_that_json_has_no_word_for_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "x.json", {"a": float("nan")})


def test_what_is_set_aside_is_kept_under_a_new_name_each_time(tmp_path):
    for number in (1, 2):
        (tmp_path / "x").write_text(str(number))
        assert files.set_aside(tmp_path / "x") == tmp_path / f"x.corrupted-{number}"
    assert (tmp_path / "x.corrupted-1").read_text() == "1"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_disk_that_is_really_full(tmp_path):
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        files.write_json(tmp_path / "before.json", {"kept": True})
        with pytest.raises(UserError, match="disk is full"):
            files.write_json(tmp_path / "large.json", list(range(100_000)))
        assert [path.name for path in tmp_path.iterdir()] == ["before.json"]
        assert files.read_json(tmp_path / "before.json") == {"kept": True}
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_what_was_made_is_remembered_and_what_is_garbled_made_anew(tmp_path):
    path, calls = tmp_path / "deep" / "value.json", []

    def make():
        calls.append(len(calls))
        return {"seconds": 0.1 + len(calls)}

    assert files.remembered(path, make) == files.remembered(path, make) == {"seconds": 1.1}
    path.write_text('{"sec')
    assert files.remembered(path, make) == {"seconds": 2.1}
    assert len(calls) == 2


def _once(path, calls, content="made"):
    def read():
        if not path.exists():
            return None
        if path.read_text() == "bad":
            raise ValueError
        return path.read_text()

    def make():
        calls.append(1)
        path.write_text(content)
        return content

    return files.make_once([path], "the thing", read, make)


def test_something_is_made_once_and_anew_where_it_is_corrupted(tmp_path, caplog):
    path, calls = tmp_path / "deep" / "thing.txt", []
    assert _once(path, calls) == _once(path, calls) == "made"
    assert len(calls) == 1
    path.write_text("bad")
    (path.parent / ".thing.txt.123").write_text("of a killed process")
    assert _once(path, calls, "again") == "again"
    assert "thing.txt is corrupted: kept as thing.txt.corrupted-1 and made anew" in caplog.text
    assert {found.name for found in path.parent.iterdir()} == {"thing.txt", "thing.txt.corrupted-1", "thing.lock"}


def test_who_waits_says_so_and_finds_what_the_other_made(tmp_path, caplog):
    path, calls, waited = tmp_path / "thing.txt", [], threading.Event()
    caplog.set_level("INFO")
    with ThreadPoolExecutor(1) as pool:
        with files.hold(tmp_path / "thing.lock", "the thing"):
            other = pool.submit(_once, path, calls)
            while "waiting for the thing, which another process is making" not in caplog.text:
                assert not waited.wait(0.01)
            path.write_text("first")
        assert other.result() == "first"
    assert calls == []
    with pytest.raises(KeyError), files.hold(tmp_path / "thing.lock", "the thing"):
        raise KeyError
    with files.hold(tmp_path / "thing.lock", "the thing"):
        assert not calls


def test_a_stream_that_cannot_be_written_falls_silent():
    code = (
        "import logging\nfrom al_bench.files import Console\n"
        "handler = Console(open(1, 'w', closefd=False))\n"
        "for _ in range(2): handler.handle(logging.makeLogRecord({'msg': 'a line'}))\n"
        "print('another')\n"
    )
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_is_given_no_controls_by_what_is_said() -> None:
    said = io.StringIO()
    files.Console(said).handle(logging.makeLogRecord({"msg": "a table\n of \x1b[2J\x07 and \udcff\r"}))
    assert said.getvalue() == "a table\n of \\x1b[2J\\x07 and \\udcff\\r\n"


def test_a_reader_that_has_enough_ends_a_command_without_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    """As `scripts/cell.py FILE | head` does."""
    kept = os.dup(1)
    try:
        with pytest.raises(SystemExit, match="141"), ended_in_words():
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
    finally:
        os.dup2(kept, 1)
        os.close(kept)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="no folder that takes no file")
def test_a_lock_that_cannot_be_made_is_not_waited_for() -> None:
    with pytest.raises(UserError, match="/proc/lock"), files.hold(Path("/proc/lock"), "nothing"):
        pass
