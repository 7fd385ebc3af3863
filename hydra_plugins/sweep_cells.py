"""A cell of a sweep: how it is started, followed and told of; used by each launcher."""

# No `from __future__ import annotations` here: Hydra 1.3 finds plugins without putting them into sys.modules.
import logging
import shutil
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig, OmegaConf, open_dict

if TYPE_CHECKING:
    from al_bench.config.experiment import Absent
    from hydra_plugins.packs import Pack

logger = logging.getLogger("al_bench")

REFUSED = 2  # exit code of what a user can mend
_OF_THE_SWEEP = ("hydra.mode", "hydra.launcher", "hydra/launcher", "hydra.sweep", "hydra/sweeper", "hydra.run")


class Process(Protocol):
    """What runs a cell, here or on another machine, as subprocess.Popen has it."""

    returncode: int | None

    def poll(self) -> int | None:
        """Its exit code, minus the signal that killed it; None while it runs or waits to."""

    def terminate(self) -> None:
        """Asks it to store what it has and to end."""

    def wait(self) -> int:
        """Until it has ended."""


class Cell:
    """One job of a sweep: its command, its folder, its process."""

    def __init__(self, number: int, overrides: Sequence[str], config: DictConfig) -> None:
        self.number, self.overrides, self.config = number, overrides, config
        self.name = self.line = " ".join(overrides)
        self.folder = Path(config.hydra.sweep.dir) / config.hydra.sweep.subdir
        self.log = self.folder / "sweep.log"
        self.tries = self.silent_until = 0
        self.process: Process | None = None
        self.pack: Pack | None = None  # which it runs in
        self.gpu = ""  # which it was given, where it named none itself
        self.runner: str | None = None  # another process that runs in the folder

    def start(self, spawn: Callable[[Sequence[str], "Cell"], Process]) -> None:
        """Runs the cell as its own command line would, its output into sweep.log in its folder. spawn: starts a command
        for this cell."""
        self.tries += 1
        self.folder.mkdir(parents=True, exist_ok=True)
        folder = QuotedString(str(self.folder), Quote.single).with_quotes()
        own = [f"hydra.run.dir={folder}", "hydra.mode=RUN"]
        about_hydra = [item for item in self.config.hydra.overrides.hydra if not item.startswith(_OF_THE_SWEEP)]
        command = [sys.executable, sys.argv[0], *self.overrides, *about_hydra, *own]
        self.log.touch()
        self.silent_until = self.log.stat().st_size
        self.process = spawn(command, self)
        self.began = time.monotonic()

    def is_finished(self) -> bool:
        """Whether all of it is stored, in its folder or as an exported cell."""
        from al_bench.storage.known import finished_reason

        return finished_reason(self.config, self.folder) is not None

    def goes_on(self) -> bool:
        """Whether its process runs, or another in its folder."""
        from al_bench.storage.holding import runner_of

        if self.process is None:
            return self.runner is not None and runner_of(self.folder) is not None
        return self.process.poll() is None

    @property
    def absent(self) -> "Absent | None":
        """Its data set, where that is not here."""
        from al_bench.config.experiment import find_absent

        return find_absent(self.config)

    @property
    def because(self) -> str:
        """What ended it from without, where its process knows of it; a subprocess does not."""
        return str(getattr(self.process, "because", ""))

    def reason(self) -> str:
        """Why it ended as it did: as what runs it knows, else in its own words."""
        if because := self.because:
            return because
        try:
            with self.log.open("rb") as log:
                log.seek(self.silent_until)
                lines: list[str] = log.read().decode(errors="replace").strip().splitlines()
        except FileNotFoundError:
            return "its folder was removed meanwhile"
        said = [line for line in lines if line.startswith(("error: ", "stopped by "))]
        full = f"the disk of {self.log} is full" if not shutil.disk_usage(self.folder).free else "it wrote nothing"
        return (said or lines or [full])[-1]


def made_cell(loader: ConfigLoader, config: DictConfig, number: int, overrides: Sequence[str]) -> Cell | None:
    """None for one that is refused, and why is said, before it has a folder. config: the sweep's."""
    from al_bench.config.refusal import sentence_of
    from al_bench.config.top_level import refuse_stop_rules

    try:
        composed = loader.load_sweep_config(config, list(overrides))
        with open_dict(composed):
            composed.hydra.job.id, composed.hydra.job.num = str(number), number
        cell = Cell(number, overrides, composed)
        refuse_stop_rules(cast(dict[str, Any], OmegaConf.to_container(composed.loop, resolve=True)))
    except Exception as error:
        if (sentence := sentence_of(error)) is None:
            raise
        logger.error(f"[{number}] {' '.join(overrides)}: refused: {sentence}")
        return None
    return cell


def leave_out(refused: Cell, waiting: deque[Cell]) -> list[Cell]:
    """Takes the cells out of those that wait whose data set is missing just as that of a refused one is, and says so:
    each would be refused for it."""
    missing = refused.absent
    alike = [cell for cell in waiting if cell.absent == missing] if missing else []
    for cell in alike:
        waiting.remove(cell)
    if missing and alike:
        more = f"{len(alike)} more of dataset={missing.dataset}"
        logger.error(f"not started: {more}, for which {missing.place} is missing, too")
    return alike


def seed_of(cell: Cell | None) -> int:
    """By which cells are put in order; one that was refused is the first."""
    return -1 if cell is None else int(cell.config.seed)


def returned(cell: Cell) -> JobReturn:
    """What Hydra gets of a cell."""
    found = JobReturn(overrides=cell.overrides, working_dir=str(cell.folder))
    found.status = JobStatus.COMPLETED
    found.return_value = None
    return found


def stop(running: Sequence[Cell]) -> None:
    """Has cells store what they have and end, and waits for them, however often a signal comes meanwhile."""
    for impatient in (signal.SIGINT, signal.SIGTERM):
        signal.signal(impatient, signal.SIG_IGN)
    for cell in running:
        if cell.process and cell.process.poll() is None:
            cell.process.terminate()
    for cell in running:
        if cell.process:
            cell.process.wait()


def exit_code(codes: Iterable[int]) -> int:
    """Of a sweep whose cells ended with these: 0 where all are finished, 2 where those that are not were refused."""
    failed = {code for code in codes if code}
    return 0 if not failed else REFUSED if failed == {REFUSED} else 1


def made_cells(loader: ConfigLoader, sweep: DictConfig, first: int, jobs: Sequence[Sequence[str]]) -> list[Cell | None]:
    """As `made_cell`, of all jobs. first: the number of the first. Raises UserError for a sweep over no value, and
    where two of its cells are one run of which they ask for something else."""
    from al_bench.config.one_run import refuse_no_cell, refuse_two_of_one
    from al_bench.config.values import plain

    refuse_no_cell(jobs)
    made = [made_cell(loader, sweep, first + number, job) for number, job in enumerate(jobs)]
    refuse_two_of_one(
        (str(one.folder), one.overrides, one.config.hydra.runtime.choices.procedure, plain(one.config.loop))
        for one in made
        if one is not None
    )
    return made


def name_by_difference(cells: Sequence[Cell]) -> None:
    """Leaves out of each name what all cells have in common, and of its line's the seed."""
    common = set.intersection(*(set(cell.overrides) for cell in cells)) if len(cells) > 1 else set()
    for cell in cells:
        own = [override for override in cell.overrides if override not in common]
        cell.name = " ".join(own) or "the only cell"
        cell.line = " ".join(override for override in own if not override.startswith("seed=")) or "all seeds"
