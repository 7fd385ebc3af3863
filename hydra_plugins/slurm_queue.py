"""Jobs of `hydra/launcher=slurm` in Slurm's queue, which is asked for all of them at once."""

# No `from __future__ import annotations` here, see processes.py.
import math
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

Steps = Sequence[tuple[str, int]]  # state and exit code of each step of a job

TIME_LIMIT = "unfinished, its job came to its time limit (hydra.launcher.minutes)"
_KILLED = -int(signal.SIGKILL)
_OUT_OF_TIME = "timed-out"  # as submitit says it
_OF_NOBODY = "Invalid job id"  # of a job that left the queue a while ago
_ENDED = {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT"}
_PAUSE_AT_END = 2.0  # seconds between two questions while a sweep that was stopped waits for its jobs


class Queue:
    """What Slurm's queue says of the jobs of a sweep. pause: seconds from one question to the next, at least."""

    def __init__(self, pause: float = 0.0) -> None:
        self.pause, self.looks = pause, 0
        self._ids: list[str] = []
        self._said: Mapping[str, Steps] = {}
        self._asked = -math.inf

    def follow(self, job_id: str) -> int:
        """Asks for a job, too, from the next look on; returns how many there were before."""
        self._ids.append(job_id)
        return self.looks

    def forget(self, job_id: str) -> None:
        """Asks for a job no more."""
        self._ids.remove(job_id)

    def look(self) -> int:
        """Asks where the pause is over; returns how often there was an answer: a controller that gives none says
        nothing of any job."""
        if time.monotonic() - self._asked >= self.pause:
            said = ask(self._ids)
            self._asked = time.monotonic()
            if said is not None:
                self._said, self.looks = said, self.looks + 1
        return self.looks

    def steps_of(self, job_id: str) -> Steps:
        """As the last answer has them; none of a job that is not in the queue."""
        return self._said.get(job_id, ())


class Job:
    """A cell's job. The queue itself is asked for it: accounting, which submitit asks, is not kept everywhere.

    queue: that is asked for all jobs of a sweep at once. note: a file that names the job, removed once it has ended.
    """

    def __init__(self, job: Any, queue: "Queue | None" = None, note: Path | None = None) -> None:
        self.job, self.queue, self.note = job, queue or Queue(), note
        self.returncode: int | None = None
        self.seen, self.was_gone = self.queue.follow(str(job.job_id)), False
        self.because = ""

    def poll(self) -> int | None:
        """As of subprocess.Popen; -9 of a job that left the queue without an answer."""
        if self.returncode is None and self.job.paths.result_pickle.exists():
            self._end(self._answer())
        elif self.returncode is None and self.queue.look() > self.seen:
            self.seen = self.queue.looks
            if not self._is_queued():
                if self.was_gone:
                    self._end(_KILLED)
                self.was_gone = True  # a shared folder shows an answer later than the queue shows that the job ended
        return self.returncode

    def terminate(self) -> None:
        """Takes it out of the queue; where it runs its cell gets a SIGTERM, and stores what it has."""
        self.job.cancel(check=False)

    def wait(self) -> int:
        """Until it has left the queue."""
        self.queue.pause = min(self.queue.pause, _PAUSE_AT_END)
        while (code := self.poll()) is None:
            time.sleep(0.5)
        return code

    def _answer(self) -> int:
        from submitit.core.utils import UncompletedJobError

        try:
            answer, value = self.job._get_outcome_and_result()
        except (UncompletedJobError, EOFError):
            return _KILLED
        if answer == "success":
            return ended_elsewhere(int(value))
        if _OUT_OF_TIME in str(value):
            self.because = TIME_LIMIT
        return _KILLED

    def _is_queued(self) -> bool:
        steps = self.queue.steps_of(str(self.job.job_id))
        if any(state == "TIMEOUT" or _died_of_notice(code) for state, code in steps):
            self.because = TIME_LIMIT  # of a job that was killed before it could answer
        return goes_on(steps)

    def _end(self, code: int) -> None:
        self.returncode = code
        self.queue.forget(str(self.job.job_id))
        if self.note is not None:
            with suppress(OSError):
                self.note.unlink()


def ask(job_ids: Sequence[str]) -> Mapping[str, Steps] | None:
    """Each job's steps in the queue, none of one that left it, by one question; None where the controller does not
    answer."""
    asked = ["squeue", "--noheader", "--states=all", "--Format=JobID,State,exit_code", f"--jobs={','.join(job_ids)}"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False)
    if said.returncode and _OF_NOBODY not in said.stderr:
        return None
    if said.returncode and len(job_ids) > 1:  # one of them has left it
        each = [ask([job_id]) for job_id in job_ids]
        return None if None in each else {key: steps for one in each if one for key, steps in one.items()}
    rows = [line.split() for line in said.stdout.splitlines()]
    return {job_id: [(state, int(code)) for own, state, code in rows if own == job_id] for job_id in job_ids}


def goes_on(steps: Steps) -> bool:
    """Whether a job with these steps still waits or runs."""
    return any(state not in _ENDED for state, _ in steps)


def _died_of_notice(status: int) -> bool:
    """Whether a job ended by the signal of a near time limit: it came before submitit's process listened for it."""
    notice = int(signal.SIGUSR2)
    return status & 127 == notice or status >> 8 == 128 + notice


def ended_elsewhere(code: int) -> int:
    """The exit code of a cell on another machine; minus the signal where the cluster stopped it, which asks first."""
    return -int(signal.SIGTERM) if code == 128 + signal.SIGTERM else code
