"""`hydra/launcher=ray`: a task of Ray per cell, on this machine or on a cluster whose nodes share the folder.

Everything else is as in `hydra/launcher=processes`: what is finished is not started, a task that is killed is started
once more and resumes, one that fails does not stop the others.
"""

# No `from __future__ import annotations` here, see processes.py.
import logging
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore

from hydra_plugins.processes import USUAL, Processes
from hydra_plugins.slurm import logged
from hydra_plugins.slurm_queue import ended_elsewhere
from hydra_plugins.sweep_cells import Cell, Process

_KILLED = -int(signal.SIGKILL)


def call(command: Sequence[str], folder: str) -> int:
    """Runs a cell in a worker of Ray; returns its exit code. A cancelled one gets a SIGTERM, and is waited for."""
    process = subprocess.Popen(command, cwd=folder, start_new_session=True)
    try:
        while True:
            try:
                return process.wait(timeout=0.5)  # what cancels a task is raised between two waits alone
            except subprocess.TimeoutExpired:
                continue
    except BaseException:
        process.terminate()
        process.wait()
        raise


class Task:
    """A cell's task."""

    def __init__(self, reference: Any) -> None:
        self.reference = reference
        self.returncode: int | None = None
        self.because = ""

    def poll(self) -> int | None:
        """As of subprocess.Popen; -9 of a task whose worker or node died."""
        return self._ask(0)

    def terminate(self) -> None:
        """Its cell gets a SIGTERM, and stores what it has."""
        import ray

        ray.cancel(self.reference)

    def wait(self) -> int:
        """Until it has ended."""
        code = self._ask(None)
        return _KILLED if code is None else code

    def _ask(self, seconds: float | None) -> int | None:
        import ray

        if self.returncode is None and ray.wait([self.reference], timeout=seconds)[0]:
            try:
                self.returncode = ended_elsewhere(int(ray.get(self.reference)))
            except _died():
                self.returncode = _KILLED
            except ray.exceptions.RayTaskError as error:  # where it was to run, as without this folder
                self.returncode, self.because = 1, " ".join(str(error.cause).split())
        return self.returncode


def _died() -> tuple[type[Exception], ...]:
    """What Ray raises of a task that did not come to its end, through no fault of its own."""
    from ray import exceptions

    return (
        exceptions.WorkerCrashedError,
        exceptions.NodeDiedError,
        exceptions.TaskCancelledError,
        exceptions.OutOfMemoryError,
        exceptions.LocalRayletDiedError,
    )


class Ray(Processes):
    """workers: tasks handed to Ray at once; null: all. address: of a cluster; null: this machine alone. cpus and gpus:
    of a task, shares such as gpus=0.5 too, by which two cells have one GPU."""

    shares_out_gpus = False

    def __init__(
        self,
        workers: int | None,
        poll: float,
        order: str = "lines",
        address: str | None = None,
        cpus: float = 1,
        gpus: float = 0,
    ) -> None:
        from importlib.util import find_spec

        from pydantic import NonNegativeFloat, PositiveFloat

        from al_bench.config.validation import refuse_value
        from al_bench.errors import UserError

        super().__init__(workers, poll, order)
        refuse_value("hydra.launcher.cpus", cpus, PositiveFloat)
        refuse_value("hydra.launcher.gpus", gpus, NonNegativeFloat)
        if find_spec("ray") is None:
            raise UserError("hydra/launcher=ray needs ray: pip install 'al_bench[ray]'")
        self.workers = workers or 1_000_000
        self.address, self.cpus, self.gpus = address, cpus, gpus

    def spawn(self, command: Sequence[str], cell: Cell) -> Process:
        """Hands a cell to Ray. Raises UserError where the cluster is not found."""
        import ray

        if not ray.is_initialized():
            self._connect()
        task = ray.remote(num_cpus=self.cpus, num_gpus=self.gpus, max_retries=0)(call)
        return Task(task.remote(logged(command, cell.log, max(1, int(self.cpus))), str(Path.cwd())))

    def _connect(self) -> None:
        import ray

        from al_bench.errors import UserError

        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            ray.init(
                address=self.address or "local",
                include_dashboard=None if self.address else False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (ConnectionError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
            first = str(error).strip().splitlines()[0]
            raise UserError(f"hydra.launcher.address={self.address}: Ray does not start: {first}") from error
        finally:
            for number, handler in handlers.items():  # Ray puts its own there, which end the sweep and not its cells
                signal.signal(number, handler)


ConfigStore.instance().store(
    group="hydra/launcher",
    name="ray",
    node={
        "_target_": "hydra_plugins.ray_tasks.Ray",
        **USUAL,
        "poll": 0.5,
        "address": None,
        "cpus": 1,
        "gpus": 0,
    },
    provider="al_bench",
)
