"""`hydra/launcher=processes`: a sweep with a process per cell, some at once, that survives what a cell does.

A cell that is finished is not started; one that is killed is started once more and resumes; one that fails does not
stop the others. None of Hydra's own launchers does all three. Where the sweep itself is killed its cells go on; the
same line waits for them.
"""

# No `from __future__ import annotations` here: Hydra 1.3 finds plugins without putting them into sys.modules.
import logging
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import ClassVar, Literal, cast

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn, configure_log, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from al_bench.sources.cores import usable_cores
from hydra_plugins.forks import ForkServer, forking, is_possible, targets_of
from hydra_plugins.gpus import VISIBLE, freest, takes_any, visible_gpus
from hydra_plugins.live_rows import live_rows
from hydra_plugins.packs import count_processes, deal, is_of_any, words_of
from hydra_plugins.sweep_cells import (
    REFUSED,
    Cell,
    Process,
    exit_code,
    leave_out,
    made_cells,
    name_by_difference,
    returned,
    seed_of,
    stop,
)
from hydra_plugins.sweep_tables import closing_with_errors, tabulate_sweep
from hydra_plugins.sweep_time import SweepTime

logger = logging.getLogger("al_bench")

USUAL = {"workers": None, "poll": 0.2, "order": "lines"}  # of every launcher
_TRIES = 2  # of a cell that a signal killed


class Processes(Launcher):
    """workers: cells at once; null: one per GPU where cells may be on any, else one per CPU core. poll: seconds between
    two looks at them. order: "lines", as the sweep has them, or "seeds", one seed of every line before the next. fork:
    whether several cells are forks of a process that has imported once what each of them would. packed: whether cells
    that are `stacked` run in as many processes as there are workers, and compute there as one what they do alike."""

    shares_out_gpus: ClassVar[bool] = True
    """Whether cells run on this machine, so that it is here that each is given a GPU."""

    def __init__(
        self, workers: int | None, poll: float, order: str = "lines", fork: bool = True, packed: bool = False
    ) -> None:
        from pydantic import PositiveInt, StrictBool

        from al_bench.config.ranges import Pause
        from al_bench.config.validation import refuse_value

        refuse_value("hydra.launcher.workers", workers, PositiveInt | None)
        refuse_value("hydra.launcher.poll", poll, Pause)
        refuse_value("hydra.launcher.order", order, Literal["lines", "seeds"])
        refuse_value("hydra.launcher.fork", fork, StrictBool)
        refuse_value("hydra.launcher.packed", packed, StrictBool)
        self.workers = workers or 0  # until it is known what cells there are
        self.poll, self.order, self.packed = poll, order, packed
        self.fork, self.server = fork and self.shares_out_gpus and is_possible(), cast(ForkServer | None, None)
        self.visible: list[str] = []
        self._spawned: list[Cell] = []
        self.time: SweepTime  # once it is known what cells there are

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        from al_bench.config.composing import reading_once  # Hydra reads this file at every start

        self.config, self.hydra_context, self.task_function = config, hydra_context, task_function
        self.composing = ExitStack()  # from here on: the sweeper composes each cell too, before `launch` does
        self.composing.enter_context(reading_once(hydra_context.config_loader))

    @closing_with_errors
    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        setup_globals()
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        with self.composing:
            loader = self.hydra_context.config_loader
            made = made_cells(loader, self.config, initial_job_idx, job_overrides)
        refused = len({tuple(job) for job, cell in zip(job_overrides, made, strict=True) if cell is None})
        if self.order == "seeds":
            made.sort(key=seed_of)  # cells of one seed stay in the sweep's order
        cells = [cell for cell in made if cell is not None]
        name_by_difference(cells)
        unique = [*{cell.folder: cell for cell in cells}.values()]  # a seed may be named twice
        codes = {cell.folder: 0 for cell in unique if cell.is_finished()}
        waiting = deque(cell for cell in unique if cell.folder not in codes)
        if not waiting and not refused:
            logger.info(f"all {len(unique)} cells are finished\n{tabulate_sweep(unique, unique)}")
            return [returned(cell) for cell in cells]
        self._settle(waiting)
        said = f"{len(unique) + refused} cells{f', {refused} refused' if refused else ''}, {len(codes)} finished before"
        on = f", on {len(self.visible)} GPUs" if len(self.visible) > 1 else ""
        if self.packed:
            waiting = deque(deal(waiting, self.workers))
            on += f", {words_of(waiting)}"
        logger.info(f"{said}, {min(self.workers, count_processes(waiting))} at once{on}")
        if waiting:
            self.time = SweepTime(waiting)
            logger.info(self.time.words([], waiting, self.workers))
            with self._forking(waiting):
                codes |= self._run(waiting)
        ended = [cell for cell in unique if codes.get(cell.folder) == 0]
        logger.info(f"{len(ended)} of {len(unique) + refused} cells are finished\n{tabulate_sweep(unique, ended)}")
        if code := exit_code([*codes.values(), *[REFUSED] * refused]):
            raise SystemExit(code)
        return [returned(cell) for cell in cells]

    def spawn(self, command: Sequence[str], cell: Cell) -> Process:
        """Starts a cell's command, its output behind what its log has. Raises OSError."""
        if cell.pack:
            cell.pack = cell.pack.to_join()
            environment = cell.pack.environment or {**self._environment(), **self._gpu_for(cell)}
            cell.gpu = environment.get(VISIBLE, "")
            return cell.pack.add(command, environment, cell.log)
        environment = {**self._environment(), **self._gpu_for(cell)}
        with cell.log.open("ab") as log:
            if self.server and (forked := self.server.fork(command[1:], environment, cell.log)):
                return forked
            # a session of its own: a Ctrl-C reaches the sweep alone, which passes it on once
            return subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)

    @contextmanager
    def _forking(self, waiting: Sequence[Cell]) -> Iterator[None]:
        """Inside the block `spawn` forks, where several cells wait."""
        if not self.fork or len(waiting) < 2:
            yield
            return
        targets = set[str]().union(*(targets_of(OmegaConf.to_container(cell.config)) for cell in waiting))
        with forking(sys.argv[0], targets, self._environment()) as self.server:
            yield
        self.server = None

    def _environment(self) -> dict[str, str]:
        """Of every cell: the cores are shared out."""
        return {**os.environ, "OMP_NUM_THREADS": str(max(1, usable_cores() // self.workers))}

    def _settle(self, waiting: Iterable[Cell]) -> None:
        """Looks for GPUs where cells may be on any, and sets how many run at once unless that was said."""
        if self.shares_out_gpus and any(takes_any(str(cell.config.device)) for cell in waiting):
            self.visible = visible_gpus(os.environ)
        self.workers = self.workers or min(len(self.visible) or usable_cores(), usable_cores())

    def _gpu_for(self, cell: Cell) -> dict[str, str]:
        """What the cell's environment says of GPUs, beside what it inherits."""
        if not self.visible or not takes_any(str(cell.config.device)):
            return {}
        self._spawned = [one for one in self._spawned if one is not cell and one.goes_on()]
        cell.gpu = freest(self.visible, [one.gpu for one in self._spawned])
        self._spawned.append(cell)
        return {VISIBLE: cell.gpu}

    def _run(self, waiting: deque[Cell]) -> dict[Path, int]:
        """Runs the waiting cells; returns the exit code of each. None runs on when this ends, however it does: a signal
        to the sweep is passed on to its cells, and raises Interrupted once they have ended."""
        from al_bench.training.interruption import deferred, pending

        running: list[Cell] = []
        codes: dict[Path, int] = {}
        try:
            with live_rows(self.time) as rows, deferred():
                while (waiting or running) and not pending():
                    while waiting and (is_of_any(waiting[0], running) or count_processes(running) < self.workers):
                        running.append(waiting.popleft())
                        self._begin(running[-1], codes)
                    time.sleep(self.poll)
                    for cell in [cell for cell in running if not cell.goes_on()]:
                        running.remove(cell)
                        self._ended(cell, waiting, codes)
                        if cell.folder in codes and waiting:
                            logger.info(self.time.words(running, waiting, self.workers, len(codes)))
                    rows.show(running, self.time.words(running, waiting, self.workers, len(codes)))
        except BaseException:
            stop(running)
            raise
        return codes

    def _begin(self, cell: Cell, codes: dict[Path, int]) -> None:
        """Starts a cell, unless another process runs in its folder, which is waited for."""
        from al_bench.errors import UserError, of_files
        from al_bench.storage.folder import cycle_records
        from al_bench.storage.holding import runner_of

        waited, cell.process, cell.runner = cell.runner, None, runner_of(cell.folder)
        if cell.runner:
            on = f"which is on cycle {len(cycle_records(cell.folder))}"
            logger.info(f"[{cell.number}] {cell.name}: waiting for {cell.runner}, {on}")
            return
        if waited and cell.is_finished():
            codes[cell.folder] = 0
            logger.info(f"[{cell.number}] {cell.name}: finished by {waited}")
            return
        try:
            cell.start(self.spawn)
        except (OSError, UserError) as error:  # the second of a queue that takes no more; others go on
            sentence = str(error) if isinstance(error, UserError) else of_files(error, cell.log)
            if sentence is None:
                raise
            codes[cell.folder] = REFUSED
            logger.error(f"[{cell.number}] {cell.name}: failed: {sentence}")
            return
        on = f" on GPU {cell.gpu}" if len(self.visible) > 1 and cell.gpu else ""
        logger.info(f"[{cell.number}] {cell.name}: started{on}, log {cell.log}")

    def _ended(self, cell: Cell, waiting: deque[Cell], codes: dict[Path, int]) -> None:
        """What follows: another try, or a code."""
        from al_bench.storage.holding import runner_of
        from al_bench.storage.unstarted import discard_unstarted

        if cell.folder in codes:
            return
        code = cell.process.returncode if cell.process else None
        if code is None or (code == REFUSED and runner_of(cell.folder)):  # of another sweep, began in between
            waiting.appendleft(cell)
        elif code < 0 and cell.tries < _TRIES:
            ended = cell.because or f"killed by signal {-code}"
            logger.warning(f"[{cell.number}] {cell.name}: {ended}, started once more")
            waiting.append(cell)
        else:
            codes[cell.folder] = code
            if code == 0:
                self.time.count(cell)
                logger.info(f"[{cell.number}] {cell.name}: finished in {time.monotonic() - cell.began:,.0f} s")
            else:
                reason = cell.reason()
                if code == REFUSED:
                    discard_unstarted(cell.folder, Path(cell.config.hydra.sweep.dir), "sweep.log")
                kept = f"; log {cell.log}" if cell.log.exists() else ""
                logger.error(f"[{cell.number}] {cell.name}: failed with code {code}: {reason}{kept}")
                if code == REFUSED:
                    codes |= {alike.folder: REFUSED for alike in leave_out(cell, waiting)}


_NODE = {"_target_": "hydra_plugins.processes.Processes", **USUAL, "fork": True, "packed": False}
ConfigStore.instance().store(group="hydra/launcher", name="processes", node=_NODE, provider="al_bench")
