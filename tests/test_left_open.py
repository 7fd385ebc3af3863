"""What tests leave open is said in the file that left it, and `forked` leaves nothing."""

import os
import subprocess
from pathlib import Path

import forked

ROOT = Path(__file__).parent.parent
LEAVING = """
import socket

def test_leaves_a_socket_open_in_garbage():
    left = [socket.socket()]
    left.append(left)

def test_is_the_last_of_its_file():
    pass
"""


def test_a_socket_left_open_is_an_error_of_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "test_leaving.py").write_text(LEAVING)
    (tmp_path / "test_other.py").write_text("import gc\n\ndef test_collects():\n    gc.collect()\n")
    words = ["-m", "pytest", "-q", "-p", "conftest", "-p", "no:cacheprovider", "-p", "no:xdist", "-c"]
    known = ["-W", "ignore:Module already imported"]  # by what `forked` forks
    done = subprocess.run(
        [forked.python(), *words, str(ROOT / "pyproject.toml"), *known, "test_leaving.py", "test_other.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "unclosed <socket.socket" in done.stdout
    assert "ERROR at teardown of test_is_the_last_of_its_file" in done.stdout
    assert "3 passed, 1 error" in done.stdout


def test_a_run_that_has_ended_is_not_listened_to() -> None:
    with forked.started("--help") as process:
        assert process.wait() == 0
    assert process.answers.closed
