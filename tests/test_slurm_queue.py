"""What Slurm's queue is asked, and what its answers mean, with stand-ins for its commands."""

import os
import signal
from types import SimpleNamespace

import pytest

from hydra_plugins import slurm, slurm_queue
from hydra_plugins.slurm_queue import Job, Queue

_ANSWER = """#!/bin/sh
echo "$@" >> {folder}/$(basename $0).asked
cat {folder}/$(basename $0).answer
[ ! -e {folder}/broken ] || {{ cat {folder}/broken >&2; exit 1; }}
"""


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A folder: what each command is asked is kept in it, and what it answers is written there."""
    for name in ("sbatch", "squeue", "scancel", "srun"):
        command = tmp_path / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(_ANSWER.format(folder=tmp_path))
        command.chmod(0o755)
        (tmp_path / f"{name}.answer").touch()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    (tmp_path / "sbatch.answer").write_text("Submitted batch job 42\n")
    return tmp_path


def asked(cluster, command="squeue"):
    file = cluster / f"{command}.asked"
    return file.read_text().splitlines() if file.exists() else []


def says(cluster, **states):
    rows = [f"{name.removeprefix('j')} {state} 0\n" for name, state in states.items()]
    (cluster / "squeue.answer").write_text("".join(rows))


def jobs_of(cluster, count, pause=0.0):
    queue = Queue(pause)
    paths = SimpleNamespace(result_pickle=cluster / "none")
    return [Job(SimpleNamespace(job_id=number, paths=paths), queue) for number in range(count)]


def test_one_question_is_for_all_jobs_and_the_next_one_comes_after_a_pause(cluster, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(slurm_queue.time, "monotonic", lambda: now[0])
    jobs = jobs_of(cluster, 200, pause=10.0)
    says(cluster, **{f"j{number}": "PENDING" for number in range(200)})
    for now[0] in (100.0, 102.0, 109.0, 110.0):
        assert [job.poll() for job in jobs] == [None] * 200
    assert len(asked(cluster)) == 2
    assert asked(cluster)[0].endswith("--jobs=" + ",".join(map(str, range(200))))


def test_a_job_is_gone_where_two_answers_lack_it_and_a_controller_that_is_silent_says_nothing(cluster):
    first, second = jobs_of(cluster, 2)
    says(cluster, j0="RUNNING", j1="RUNNING")
    assert (first.poll(), second.poll()) == (None, None)
    says(cluster, j1="RUNNING")
    (cluster / "broken").write_text("slurm_load_jobs error: Unable to contact slurm controller")
    assert [first.poll() for _ in range(3)] == [None] * 3
    (cluster / "broken").unlink()
    assert [first.poll() for _ in range(2)] == [None, -signal.SIGKILL]
    assert second.poll() is None
    assert asked(cluster)[-1].endswith("--jobs=1")


def test_of_a_job_that_is_known_no_more_the_others_are_asked_apart(cluster):
    first, second = jobs_of(cluster, 2)
    (cluster / "broken").write_text("slurm_load_jobs error: Invalid job id specified")
    assert [first.poll() for _ in range(2)] == [None, -signal.SIGKILL]
    assert [line.rpartition("=")[2] for line in asked(cluster)] == ["0,1", "0", "1"] * 2
    assert second.poll() is None


def test_a_job_that_a_killed_sweep_left_in_the_queue_is_waited_for_and_not_submitted_again(cluster):
    folder = cluster / "cell"
    folder.mkdir()
    cell = SimpleNamespace(number=0, name="seed=0", folder=folder, log=folder / "sweep.log")

    def spawned():
        launcher = slurm.Slurm(None, 2.0)
        launcher.config = SimpleNamespace(hydra=SimpleNamespace(sweep=SimpleNamespace(dir=str(cluster))))
        return launcher.spawn(["true"], cell)

    assert spawned().job.job_id == "42"
    assert (folder / "slurm-job").read_text() == "42"
    says(cluster, j42="PENDING")
    waited = spawned()
    assert (waited.job.job_id, len(asked(cluster, "sbatch"))) == ("42", 1)
    assert waited.job.paths.result_pickle == spawned().job.paths.result_pickle
    (cluster / "broken").write_text("slurm_load_jobs error: Unable to contact slurm controller")
    assert spawned().job.job_id == "42", "a controller that is silent does not say that it ended"
    (cluster / "broken").unlink()
    says(cluster, j42="COMPLETED")
    (cluster / "sbatch.answer").write_text("Submitted batch job 43\n")
    assert spawned().job.job_id == "43"


def test_a_job_that_has_ended_is_named_no_more(cluster):
    (job,) = jobs_of(cluster, 1)
    job.note = cluster / "slurm-job"
    job.note.write_text("0")
    assert [job.poll() for _ in range(2)] == [None, -signal.SIGKILL]
    assert not job.note.exists()
