"""`hydra/launcher=slurm`: a job of Slurm per cell, by submitit, from a folder that all nodes share.

Everything else is as in `hydra/launcher=processes`: what is finished is not submitted, a job that is killed or
cancelled is submitted once more and resumes, one that fails does not stop the others.
"""

# No `from __future__ import annotations` here, see processes.py.
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore

from hydra_plugins.processes import USUAL, Processes
from hydra_plugins.sweep_cells import Cell, Process

_KILLED = -int(signal.SIGKILL)
_OUT_OF_TIME = "timed-out"  # as submitit says it
TIME_LIMIT = "unfinished, its job came to its time limit (hydra.launcher.minutes)"
_OF_NOBODY = "Invalid job id"  # of a job that left the queue a while ago


def call(command: Sequence[str], folder: str) -> int:
    """Runs a cell inside of its job; returns its exit code. Where submitit raises, a while before the time limit, the
    cell gets a SIGTERM, and is waited for while it stores what it has."""
    deaf = ["sh", "-c", 'trap "" USR2; exec "$@"', "sh"]  # Slurm sends it to the cell too, which would die of it
    process = subprocess.Popen([*deaf, *command], cwd=folder)
    try:
        return process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise


class Job:
    """A cell's job. It is asked for by the queue itself: accounting, which submitit asks, is not kept everywhere."""

    def __init__(self, job: Any) -> None:
        self.job = job
        self.returncode: int | None = None
        self.was_gone = False
        self.because = ""

    def poll(self) -> int | None:
        """As of subprocess.Popen; -9 of a job that left the queue without an answer."""
        if self.returncode is None and self.job.paths.result_pickle.exists():
            self.returncode = self._answer()
        elif self.returncode is None and not self._is_queued():
            if self.was_gone:
                self.returncode = _KILLED
            self.was_gone = True  # a shared folder shows an answer later than the queue shows that the job has ended
        return self.returncode

    def terminate(self) -> None:
        """Takes it out of the queue; where it runs its cell gets a SIGTERM, and stores what it has."""
        self.job.cancel(check=False)

    def wait(self) -> int:
        """Until it has left the queue."""
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
        """A controller that does not answer says nothing of the job."""
        asked = ["squeue", "--noheader", "--states=all", "--Format=State,exit_code", f"--jobs={self.job.job_id}"]
        said = subprocess.run(asked, capture_output=True, text=True, check=False)
        if said.returncode:
            return _OF_NOBODY not in said.stderr
        ended = {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT"}
        steps = [line.split() for line in said.stdout.splitlines()]
        if any(state == "TIMEOUT" or _died_of_notice(int(code)) for state, code in steps):
            self.because = TIME_LIMIT  # of a job that was killed before it could answer
        return any(state not in ended for state, _ in steps)


class Slurm(Processes):
    """workers: jobs in the queue at once; null: all. cpus, gpus, memory (GiB) and minutes: of a job, null leaves each
    to the partition. setup_lines: of the job's script, before the cell. more: options of sbatch by name."""

    shares_out_gpus = False

    def __init__(
        self,
        workers: int | None,
        poll: float,
        order: str = "lines",
        partition: str | None = None,
        cpus: int = 1,
        gpus: int | None = None,
        memory: float | None = None,
        minutes: int | None = None,
        setup_lines: Sequence[str] = (),
        more: dict[str, Any] | None = None,
    ) -> None:
        from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

        from al_bench.config.validation import refuse_value

        super().__init__(workers, poll, order)
        refuse_value("hydra.launcher.cpus", cpus, PositiveInt)
        refuse_value("hydra.launcher.gpus", gpus, NonNegativeInt | None)
        refuse_value("hydra.launcher.memory", memory, PositiveFloat | None)
        refuse_value("hydra.launcher.minutes", minutes, PositiveInt | None)
        _refuse_without_slurm()
        self.workers = workers or 1_000_000
        self.cpus = cpus
        wanted = {
            "slurm_partition": partition,
            "cpus_per_task": cpus,
            "slurm_gres": f"gpu:{gpus}" if gpus else None,
            "mem_gb": memory,
            "timeout_min": minutes,
            "slurm_setup": list(setup_lines) or None,
            "slurm_additional_parameters": dict(more or {}) or None,
        }
        self.wanted = {key: value for key, value in wanted.items() if value is not None}

    def spawn(self, command: Sequence[str], cell: Cell) -> Process:
        """Submits a cell. Raises UserError where Slurm refuses it."""
        import submitit
        from submitit.core.utils import FailedJobError

        from al_bench.errors import UserError

        executor = submitit.AutoExecutor(folder=Path(self.config.hydra.sweep.dir) / "slurm", cluster="slurm")
        executor.update_parameters(name=f"al_bench-{cell.number}", stderr_to_stdout=True, **self.wanted)
        try:
            return Job(executor.submit(call, logged(command, cell.log, self.cpus), str(Path.cwd())))
        except FailedJobError as error:
            raise UserError(f"slurm refused a job: {' '.join(str(error).split())}") from error


def _died_of_notice(status: int) -> bool:
    """Whether a job ended by the signal of a near time limit: it came before submitit's process listened for it."""
    notice = int(signal.SIGUSR2)
    return status & 127 == notice or status >> 8 == 128 + notice


def logged(command: Sequence[str], log: Path, threads: int) -> list[str]:
    """A command for another machine, its output behind what the log has."""
    words = ["env", f"OMP_NUM_THREADS={threads}", "sh", "-c", 'exec "$@" >>"$0" 2>&1', str(log.absolute()), *command]
    return [os.fspath(word) for word in words]


def ended_elsewhere(code: int) -> int:
    """The exit code of a cell on another machine; minus the signal where the cluster stopped it, which asks first."""
    return -int(signal.SIGTERM) if code == 128 + signal.SIGTERM else code


def _refuse_without_slurm() -> None:
    import shutil
    from importlib.util import find_spec

    from al_bench.errors import UserError

    if find_spec("submitit") is None:
        raise UserError("hydra/launcher=slurm needs submitit: pip install 'al_bench[slurm]'")
    if missing := [name for name in ("sbatch", "squeue", "scancel") if shutil.which(name) is None]:
        raise UserError(f"hydra/launcher=slurm needs Slurm's {missing[0]}, which is not found here")


ConfigStore.instance().store(
    group="hydra/launcher",
    name="slurm",
    node={
        "_target_": "hydra_plugins.slurm.Slurm",
        **USUAL,
        "poll": 2.0,
        "partition": None,
        "cpus": 1,
        "gpus": None,
        "memory": None,
        "minutes": None,
        "setup_lines": [],
        "more": {},
    },
    provider="al_bench",
)
