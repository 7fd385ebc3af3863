"""What the command refuses, in one sentence each."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from made_asking import ROOT, command, made_asking, opened_page

from al_bench.annotation import command as page_command
from al_bench.annotation.command import address_of, bound, main
from al_bench.annotation.neighbor import reached_at
from al_bench.annotation.page_holding import PageHolding
from al_bench.errors import UserError
from al_bench.oracle.human import refuse_taken
from al_bench.storage.asked import QUERY, open_page
from al_bench.storage.holding import Holding


@pytest.fixture
def run(tmp_path):
    return made_asking(tmp_path, 2)


def refused(*arguments) -> str:
    with pytest.raises(UserError) as error:
        main([*map(str, arguments), "--no-open"])
    return str(error.value)


def test_no_run(tmp_path):
    assert "is no run" in refused(tmp_path / "none")


def test_a_run_that_asks_for_nothing(tmp_path):
    assert "only a run with oracle=human" in refused(tmp_path)


def test_a_run_that_has_not_asked_yet_is_waited_for(run):
    (run / QUERY).unlink()
    holding = Holding(run)
    holding.take()
    try:
        assert "in 0.3 seconds" in refused(run, "--wait", "0.3")
    finally:
        holding.give_back()


def test_pictures_that_are_gone(run):
    (run.parent / "pictures").rename(run.parent / "elsewhere")
    assert "is not there: put it back" in refused(run)


def test_answers_that_are_none(run):
    (run / "labels.jsonl").write_text("{}\n")
    assert "line 1 is no answer" in refused(run)


def test_a_page_that_is_open_says_where(run):
    first = PageHolding(run)
    first.take()
    assert open_page(run) is None, "it has just begun"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        first.announce(address)
        try:
            where = f"at {address} (process {os.getpid()})"
            assert refused(run) == f"the page of {run} is open already {where}: label there"
            assert open_page(run).address == address
            assert (run / "page.json").stat().st_mode & 0o777 == 0o600, "an address may hold a token"
        finally:
            first.give_back()
    assert open_page(run) is None and not (run / "page.json").exists()


def test_a_page_for_others_is_open_where_this_machines_name_leads_nowhere(run):
    holding = PageHolding(run)
    holding.take()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://nowhere.invalid:{listening.getsockname()[1]}/?token=x"
        try:
            holding.announce(address)
            assert open_page(run) is None
            holding.announce(address, reached_at("0.0.0.0"))
            assert open_page(run).address == address
        finally:
            holding.give_back()


def test_a_page_that_was_killed_is_not_open_before_the_next_says_where(run):
    first = PageHolding(run)
    first.take()
    first.announce("http://127.0.0.1:9")  # where nobody listens
    try:
        assert open_page(run) is None
    finally:
        first.give_back()


def test_a_page_that_was_killed_is_not_open(run):
    first = PageHolding(run)
    first.take()
    first.announce("http://127.0.0.1:8080")
    first._lock.release()  # as the system does
    assert open_page(run) is None
    again = PageHolding(run)
    again.take()
    assert open_page(run) is None and not (run / "page.json").exists(), "where the other was is said no more"
    again.give_back()


def test_a_port_that_is_taken(run):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert f"port {port} of 127.0.0.1 is taken" in refused(run, "--port", port)
    assert open_page(run) is None and not (run / "page.json").exists(), "the run's page is free again"


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_port_where_another_runs_page_is_says_whose(run, tmp_path, host):
    """To the page's own command and to the run that wants to open one."""
    other = made_asking(tmp_path / "other", 1)
    with opened_page(other, "--host", host) as page:
        whose = f"the page of {other} (process {page.process.pid})"
        how = f"end it now by kill {page.process.pid}"
        if host == "0.0.0.0":
            whose, how = "a page of al_bench for others, whose run its token alone tells", "end it where it was opened"
        said = refused(run, "--port", page.port, "--host", host)
        assert said.startswith(f"port {page.port} of {host} is taken by {whose}: choose another") and said.endswith(how)
        with pytest.raises(UserError) as error:
            refuse_taken(host, int(page.port))
        assert f"{whose} is there: choose another port, such as oracle.port={int(page.port) + 1}" in str(error.value)
        assert str(error.value).endswith(how)


def test_a_port_where_something_else_is_says_no_run(run):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UserError, match=r"another program may be there: choose another port, such as .* end that$"):
            refuse_taken("127.0.0.1", port)


@pytest.mark.parametrize("host", ["nowhere.invalid", "203.0.113.9"])
def test_an_address_that_is_not_of_this_machine(host):
    with pytest.raises(UserError, match="is no address of this machine: use 127"):
        bound(host, 0)


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_cannot_be(run, port, capsys):
    with pytest.raises(SystemExit, match="2"):
        main([str(run), "--port", port])
    assert "port" in capsys.readouterr().err


@pytest.mark.parametrize("who", ["a" * 201, "a\nb"])
def test_a_name_that_cannot_be(run, who, capsys):
    with pytest.raises(SystemExit, match="2"):
        main([str(run), "--who", who])
    assert "200 letters at most" in capsys.readouterr().err


def test_without_nicegui_it_says_what_to_install(run, monkeypatch):
    monkeypatch.setattr(page_command, "find_spec", lambda name: None)
    assert "'.[annotate]'" in refused(run)


def test_addresses():
    assert address_of("127.0.0.1", 8080, None) == "http://127.0.0.1:8080"
    assert address_of("::1", 8080, None) == "http://[::1]:8080"
    assert [reached_at(host) for host in ("127.0.0.1", "10.0.0.7", "::")] == ["127.0.0.1", "10.0.0.7", "::1"]
    assert address_of("0.0.0.0", 80, "x") == f"http://{socket.gethostname()}:80/?token=x"


def test_both_commands_say_it_and_exit_with_2(tmp_path):
    script = [sys.executable, str(ROOT / "scripts" / "annotate.py"), str(tmp_path / "none")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for words in (script, command(tmp_path / "none")):
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert done.stderr.count("\n") == 1 and "is no run" in done.stderr


def test_the_page_imports_no_torch(tmp_path):
    code = (
        "import sys\nimport al_bench.annotation.command, al_bench.annotation.server\n"
        "assert not {'torch', 'torchvision', 'pytorch_lightning', 'sklearn', 'scipy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert list(Path(tmp_path).iterdir()) == []
