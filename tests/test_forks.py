"""Cells as forks of one process: each as an interpreter of its own would be, and what is done where it cannot be."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import forked
import pytest

from hydra_plugins.forks import forking, targets_of

ROOT = Path(__file__).parent.parent
SMOKE = ("scale=smoke", "gan=none", "device=cpu", "strategy=random")
PROGRAM = """
import json, os, signal, sys, time
word = sys.argv[1]
if word == "about":
    import numpy, threadpoolctl, torch
    blas = {pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"}
    about = {"words": sys.argv, "name": __name__, "gpu": os.environ.get("CUDA_VISIBLE_DEVICES"), "blas": sorted(blas)}
    about |= {"stdin": sys.stdin.read(), "leads": os.getsid(0) == os.getpid(), "folder": os.getcwd()}
    about |= {"mine": os.environ.get("MINE"), "draw": float(numpy.random.rand()), "openmp": torch.get_num_threads()}
    print(json.dumps(about))
elif word == "exit":
    sys.exit(int(sys.argv[2]))
elif word == "words":
    sys.exit("in words")
elif word == "raise":
    raise KeyError("a defect")
elif word == "interrupt":
    raise KeyboardInterrupt
elif word == "signal":
    os.kill(os.getpid(), int(sys.argv[2]))
elif word == "wait":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print("waits", flush=True)
    while not os.path.exists(sys.argv[2]):
        time.sleep(0.01)
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    path = tmp_path_factory.mktemp("program") / "program.py"
    path.write_text(PROGRAM)
    return path


@contextmanager
def serving(program, *targets, **environment):
    """A server that can fork, or says why it never will."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", forked.python())
        with forking(str(program), targets, {**os.environ, **environment}) as server:
            yield server


@pytest.fixture(scope="module")
def server(program):
    with serving(program) as server:
        yield server


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "sweep.log"
    path.touch()
    return path


def ended(server, program, log, *words, **environment):
    """The exit code of a fork."""
    fork = server.fork([str(program), *words], {**os.environ, **environment}, log)
    assert fork is not None, server.lost
    return fork.wait()


def await_words(log, words):
    while words not in log.read_text():
        time.sleep(0.01)


ENDS = pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("exit", "0"), 0, ""),
        (("exit", "2"), 2, ""),
        (("words",), 1, "in words"),
        (("raise",), 1, "KeyError: 'a defect'"),
        (("interrupt",), -signal.SIGINT, "KeyboardInterrupt"),
        (("signal", "9"), -signal.SIGKILL, ""),
        (("signal", "15"), -signal.SIGTERM, ""),
    ],
)


@ENDS
def test_what_the_tests_start_as_an_interpreter_ends_as_one(program, words, code, said):
    """By `tests/fork_server.py`, whose forks end by what those of cells end by: a file, a command and a module."""
    on_path = {**os.environ, "PYTHONPATH": os.pathsep.join([str(program.parent), os.environ.get("PYTHONPATH", "")])}
    for start in ([str(program)], ["-c", PROGRAM], ["-m", program.stem]):
        done = subprocess.run(
            [forked.python(), *start, *words], env=on_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, start
        assert said in done.stderr, start


@ENDS
def test_a_fork_ends_as_an_interpreter_does(server, program, log, words, code, said):
    assert ended(server, program, log, *words) == code
    alone = subprocess.run([sys.executable, str(program), *words], capture_output=True, text=True, check=False)
    assert alone.returncode == code
    assert all(said in text for text in (log.read_text(), alone.stderr))


def test_a_fork_has_what_it_is_given_and_nothing_of_the_server(server, program, log):
    log.write_text("of the time before\n")
    own = {"CUDA_VISIBLE_DEVICES": "GPU-aa", "MINE": "1", "OMP_NUM_THREADS": "1"}
    assert ended(server, program, log, "about", **own) == 0
    assert ended(server, program, log, "about", CUDA_VISIBLE_DEVICES="MIG-bb") == 0
    before, *abouts = log.read_text().splitlines()
    first, second = map(json.loads, abouts)
    assert before == "of the time before"
    assert (first["gpu"], second["gpu"], first["mine"], second["mine"]) == ("GPU-aa", "MIG-bb", "1", None)
    assert (first["words"], first["name"]) == ([str(program), "about"], "__main__")
    assert (first["stdin"], first["leads"], first["folder"]) == ("", True, str(ROOT))
    assert first["draw"] != second["draw"]


@pytest.mark.parametrize("threads", [pytest.param("1", marks=pytest.mark.slow), "2"])
def test_a_fork_computes_by_as_many_threads_as_an_interpreter(program, log, threads):
    """As its environment says; the server itself has none of them. More than there are cores nobody takes."""
    environment = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": threads}
    said = subprocess.run([sys.executable, str(program), "about"], env=environment, capture_output=True, check=True)
    alone = json.loads(said.stdout)
    if alone["openmp"] < int(threads):
        pytest.skip("an interpreter has fewer threads here than it is told")  # seen beside other work, cause not known
    with forking(str(program), (), environment) as server:  # no fork: OpenMP reads it when it is loaded
        assert server.fork([str(program), "about"], environment, log).wait() == 0
    about = json.loads(log.read_text())
    assert (about["blas"], about["openmp"]) == (alone["blas"], alone["openmp"])


def test_a_fork_is_asked_to_end(server, program, log, tmp_path):
    fork = server.fork([str(program), "wait", str(tmp_path / "never")], os.environ, log)
    await_words(log, "waits")
    assert fork.poll() is None
    fork.terminate()
    assert fork.wait() == fork.returncode == fork.poll() == 143
    fork.terminate()  # of one that has ended nothing


def test_forks_outlive_a_server_that_is_closed(program, log, tmp_path):
    with serving(program) as server:
        fork = server.fork([str(program), "wait", str(tmp_path / "end")], os.environ, log)
        await_words(log, "waits")
    os.kill(fork.pid, 0)
    (tmp_path / "end").touch()
    assert fork._has_ended(10)


def test_of_a_server_that_is_killed_forks_are_followed_to_their_end(program, log, tmp_path):
    with serving(program) as server:
        fork = server.fork([str(program), "wait", str(tmp_path / "end")], os.environ, log)
        await_words(log, "waits")
        os.kill(parent_of(fork.pid), signal.SIGKILL)
        assert server.fork([str(program), "exit", "0"], os.environ, log) is None
        assert server.lost == "it ended with code -9"
        assert fork.poll() is None
        (tmp_path / "end").touch()
        assert fork.wait() == -signal.SIGKILL
        assert fork.because == "ended after the process that forked it was killed"


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_sources_that_change_are_imported_by_nobody_for_others(program, log, tmp_path):
    """What runs then still ends with its own code."""
    module = program.with_name("mine.py")
    module.write_text("class Part: pass\n")
    with serving(program, "mine.Part") as server:
        fork = server.fork([str(program), "wait", str(tmp_path / "end")], os.environ, log)
        module.write_text("class Part: changed = True\n")
        assert server.fork([str(program), "exit", "0"], os.environ, log) is None
        assert server.lost == f"{module} was changed"
        (tmp_path / "end").touch()
        assert fork.wait() == 0


def test_a_process_with_threads_is_not_forked(program, log):
    module = program.with_name("threaded.py")
    module.write_text("import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n")
    with serving(program, "threaded.Part") as server:
        assert server.fork([str(program), "exit", "0"], os.environ, log) is None
        assert server.lost == "what was imported started 1 threads"


def test_a_part_that_cannot_be_imported_is_left_to_its_cell(program, log):
    program.with_name("broken.py").write_text("raise RuntimeError('not here')\n")
    with serving(program, "broken.Part", "nowhere.Part", "one_word") as server:
        assert ended(server, program, log, "exit", "0") == 0


def test_parts_of_a_configuration_are_found_in_lists_and_mappings():
    node = {
        "_target_": "a.B",
        "network": [{"_target_": "c.D"}, 3],
        "more": {"x": {"_target_": "e.F"}, "_target_": None},
    }
    assert targets_of(node) == {"a.B", "c.D", "e.F"}


def sweep(folder, *arguments):
    return forked.run("-m", *SMOKE, *arguments, f"paths.outputs={folder}", f"paths.cells={folder}/cells")


def stored(folder):
    """What was measured in each cycle of each run, without its times."""
    records = folder.rglob("cycles/*.json")
    return {path.relative_to(folder): json.loads(path.read_text())["metrics"] for path in records}


@pytest.mark.slow
def test_cells_store_the_same_forked_or_not(tmp_path):
    for fork in ("true", "false"):
        done = sweep(tmp_path / fork, "seed=0,1", f"hydra.launcher.fork={fork}")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "import for themselves" not in done.stdout
    assert len(stored(tmp_path / "true")) == 6
    assert stored(tmp_path / "true") == stored(tmp_path / "false")


@pytest.mark.slow
def test_a_sweep_goes_on_where_its_server_is_killed(tmp_path):
    """Its cells end, those that nobody saw end are started again, and find themselves finished or go on."""
    line = ("seed=0,1,2", "learner.epochs=300", "hydra.launcher.workers=2", f"paths.outputs={tmp_path}")
    with forked.started("-m", *SMOKE, *line, f"paths.cells={tmp_path}/cells") as driver:
        while len(owners := list(tmp_path.rglob("owner"))) < 2 or not all(owner.read_text() for owner in owners):
            time.sleep(0.02)
        servers = {parent_of(int(owner.read_text())) for owner in owners}
        assert len(servers) == 1 and driver.pid not in servers
        os.kill(servers.pop(), signal.SIGKILL)
        assert driver.wait() == 0, driver.stdout
        said = driver.stdout
    assert said.count("ended after the process that forked it was killed, started once more") == 2
    assert "cells import for themselves from here on: it ended with code -9" in said
    assert "3 of 3 cells are finished" in said


def test_whether_cells_are_forks_is_true_or_false(tmp_path):
    done = sweep(tmp_path, "seed=0,1", "hydra.launcher.fork=perhaps")
    assert (done.returncode, (done.stdout + done.stderr).splitlines()[-1]) == (
        2,
        "error: hydra.launcher.fork=perhaps must be true or false",
    )
