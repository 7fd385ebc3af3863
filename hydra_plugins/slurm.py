"""`hydra/launcher=slurm`: a job of Slurm per cell, by submitit, from a folder that all nodes share.

Everything else is as in `hydra/launcher=processes`: what is finished is not submitted, a job that is killed or
cancelled is submitted once more and resumes, one that fails does not stop the others.
"""

# No `from __future__ import annotations` here, see processes.py.
import logging
import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore

from hydra_plugins.processes import USUAL, Processes
from hydra_plugins.slurm_queue import Job, Queue, ask, goes_on
from hydra_plugins.sweep_cells import Cell, Process

_PAUSE = 10.0  # seconds between two questions to the controller, which serves all of a cluster
_JOB = "slurm-job"  # the file in a cell's folder that names its job for as long as that is in the queue

logger = logging.getLogger("al_bench")


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
        self.cpus, self.queue = cpus, Queue(max(_PAUSE, poll))
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
        """Submits a cell, or waits for its job, which a sweep that was killed has left in the queue. Raises UserError
        where Slurm refuses it."""
        import submitit
        from submitit.core.utils import FailedJobError
        from submitit.slurm.slurm import SlurmJob

        from al_bench.errors import UserError

        folder, note = Path(self.config.hydra.sweep.dir) / "slurm", cell.folder / _JOB
        if (left := _left_in_queue(note)) is not None:
            logger.info(f"[{cell.number}] {cell.name}: its job {left} is in the queue already")
            return Job(SlurmJob(folder, left), self.queue, note)
        executor = submitit.AutoExecutor(folder=folder, cluster="slurm")
        executor.update_parameters(name=f"al_bench-{cell.number}", stderr_to_stdout=True, **self.wanted)
        try:
            job = executor.submit(call, logged(command, cell.log, self.cpus), str(Path.cwd()))
        except FailedJobError as error:
            raise UserError(f"slurm refused a job: {' '.join(str(error).split())}") from error
        with suppress(OSError):  # it is submitted all the same
            note.write_text(str(job.job_id))
        return Job(job, self.queue, note)


def _left_in_queue(note: Path) -> str | None:
    """The job that a cell's folder names, unless the queue says that it has ended."""
    try:
        job_id = str(int(note.read_text()))
    except (OSError, ValueError):
        return None
    said = ask([job_id])
    return job_id if said is None or goes_on(said[job_id]) else None


def logged(command: Sequence[str], log: Path, threads: int) -> list[str]:
    """A command for another machine, its output behind what the log has."""
    words = ["env", f"OMP_NUM_THREADS={threads}", "sh", "-c", 'exec "$@" >>"$0" 2>&1', str(log.absolute()), *command]
    return [os.fspath(word) for word in words]


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
