"""A signal at any moment ends a command by its line and its exit code."""

import io
import signal
import subprocess
import sys
import time
import weakref
from pathlib import Path

import forked
import pytest

from al_bench.training import interruption

ROOT = Path(__file__).parents[2]
SMOKE = ("scale=smoke", "gan=none", "strategy=random", "device=cpu", "tracking=none")
WORDS = "stopped by {}; everything finished is kept, the same command goes on from there\n"


@pytest.mark.parametrize(
    ("module", "signum"),
    [
        ("al_bench.config.command_line", signal.SIGINT),  # the first of ours
        ("al_bench.config.identity", signal.SIGTERM),
        ("al_bench.learner.supervised", signal.SIGINT),  # an id is asked for
        ("al_bench.storage.store", signal.SIGTERM),
        ("al_bench.procedure.terminal", signal.SIGTERM),
    ],
)
def test_while_modules_load_it_is_one_line(tmp_path, module, signum):
    done = forked.run(*SMOKE, f"paths.outputs={tmp_path}", trap=forked.Trap(module, 1, "import", signum))
    assert (done.returncode, done.stderr) == (128 + signum, WORDS.format(signum.name))
    assert "stopped" not in done.stdout


def test_no_module_takes_it_for_an_exception_of_its_own(tmp_path):
    """As some do that try whether something can be imported; what is there by half is not gone on with."""
    (tmp_path / "greedy.py").write_text(
        "import signal\ntry:\n    signal.raise_signal(signal.SIGTERM)\nexcept BaseException:\n    print('went on')\n"
    )
    code = (
        "from al_bench.training.interruption import as_command\n"
        "print('before')\n"
        "with as_command(): import greedy\n"
        "print('after')\n"
    )
    path = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=path)
    assert (done.returncode, done.stdout, done.stderr) == (143, "before\n", WORDS.format("SIGTERM"))


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_elsewhere_it_is_raised_and_said_in_the_log(signum, caplog):
    with pytest.raises(SystemExit) as end, interruption.as_command():
        signal.raise_signal(signum)
    assert (end.value.code, f"{caplog.messages[0]}\n") == (128 + signum, WORDS.format(signum.name))


def test_a_first_signal_waits_for_a_safe_point_and_a_second_does_not():
    passed = []
    for signals in ([signal.SIGINT], [signal.SIGINT, signal.SIGTERM]):
        with pytest.raises(SystemExit) as end, interruption.as_command(), interruption.deferred():
            for signum in signals:
                signal.raise_signal(signum)
                passed.append((signum, interruption.pending()))
        assert end.value.code == 128 + signals[-1]
    assert passed == 2 * [(signal.SIGINT, True)]


def test_what_was_done_on_signals_before_is_done_after():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with interruption.signals_handled():
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] != before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_letters_that_a_terminal_has_not_end_no_command(monkeypatch):
    kept = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(kept, encoding="ascii"))
    with interruption.as_command():
        sys.stdout.write("84.1 ± 0.3\n")
    sys.stdout.flush()
    assert kept.getvalue() == rb"84.1 \xb1 0.3" + b"\n"


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_one_that_is_raised_where_python_ignores_it_comes_again(signum, capfd):
    """In what a weak reference calls, such as matplotlib's many."""
    owner = {1}.copy()
    watched = weakref.ref(owner, lambda _: signal.raise_signal(signum))
    with pytest.raises(interruption.Interrupted) as raised, interruption.signals_handled():
        del owner
        assert watched() is None
        time.sleep(30)
    assert raised.value.signum == signum
    assert "ignored" not in capfd.readouterr().err
