"""W&B: a window on the store, never the source; no run imports it anywhere else.

One W&B run shows one run of ours and has its id. One W&B step is one cycle; the x axis is `annotations`.

A resumed run goes on with its curve because a cycle is shown where W&B does not have it yet, whether it is new or
stored. Offline a process cannot go on with what an earlier one wrote (each begins a folder of its own at step 0), and
the last seconds before a SIGKILL are lost. So the run's `wandb` folder is made anew whenever the run goes on, and all
stored cycles are shown again: it always holds one whole curve, and `wandb sync` uploads nothing twice. Online the
server says which step is next, and only the cycles from there on are sent.
"""

import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from al_bench.active.inputs import Inputs
from al_bench.active.part import hash_of
from al_bench.config.ranges import Seconds
from al_bench.storage.record import CycleRecord
from al_bench.storage.store import RunStore
from al_bench.tracking import Tracking
from al_bench.tracking.cycle_values import numbers, pictures
from al_bench.tracking.naming import AXIS, IMAGES, LINE, group_of, line_of, method_of, metric_key, tags_of
from al_bench.training.pack import in_pack

if TYPE_CHECKING:
    import wandb

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wandb(Tracking):
    """The `tracking` node.

    mode: offline | online | disabled. group: of the W&B run, None for the experiment where one is chosen, else the
    data set. job_type: of the W&B run, None for the procedure. images: whether synthesized images are shown. timeout:
    seconds that W&B may take to begin and to end.
    """

    mode: Literal["offline", "online", "disabled"]
    project: str
    group: str | None
    job_type: str | None
    images: bool
    timeout: Seconds

    @contextmanager
    def following(self, store: RunStore, images: Inputs) -> Iterator[Callable[[], None]]:
        """Shows what is stored; yields what is to be called whenever a cycle was stored inside the block.

        images: the training split's. Nothing that happens to W&B ends the block. A cell of a pack is shown when the
        block ends, for W&B shows one run of a process at a time.
        """
        if self.mode == "disabled":
            yield lambda: None
            return
        window = Window(self, store, images)
        late = in_pack()
        end = window.show_whole if late else window.close
        if not late:
            window.attempt(window.open)
        try:
            yield lambda: None if late else window.attempt(window.show_new)
        except BaseException:
            window.attempt(partial(end, exit_code=1))
            raise
        window.attempt(partial(end, exit_code=0))


class Window:
    """The W&B run that shows a store. The first failure inside W&B is said in one sentence and is the last."""

    run: "wandb.Run"

    def __init__(self, settings: Wandb, store: RunStore, images: Inputs) -> None:
        self.settings, self.store, self.images = settings, store, images
        self.shown, self.failed = 0, False

    def attempt(self, action: Callable[[], None]) -> None:
        """Does what concerns W&B alone, unless something of it failed before."""
        if self.failed:
            return
        try:
            action()
        except Exception as error:  # whatever W&B raises, and it has no common class, the run goes on without it
            self.failed = True
            reason = f"{type(error).__name__}: {_first_line(error)}"
            logger.warning(f"W&B failed and shows no more of this run, which goes on and is stored as ever: {reason}")
            with suppress(Exception):  # what is left of it would speak up when the process ends
                _released()

    def open(self) -> None:
        """Begins the W&B run, offline where online is not to be had, and shows what is stored."""
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # it holds the process up to 20 s at a dead server
        import wandb

        folder = self.store.folder / "wandb"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            self.run = self._begun(self.settings.mode)
        except (wandb.Error, OSError) as error:
            if self.settings.mode != "online":
                raise
            _released()  # it holds the run's id as long as it tries
            shutil.rmtree(folder, ignore_errors=True)
            self.run = self._begun("offline")
            place = Path(self.run.dir).parent
            logger.warning(f"W&B goes on offline ({_first_line(error)}): `wandb sync {place}` sends it later")
        self.run.define_metric(AXIS)
        self.run.define_metric("*", step_metric=AXIS)
        for metric in self.store.about["metrics"]:
            best = "max" if metric["higher_is_better"] else "min"
            self.run.define_metric(metric_key(metric["name"]), step_metric=AXIS, summary=best)
        self.shown = self.run.starting_step  # 0 but for a run that the server knows
        self.show_new()

    def _begun(self, mode: str) -> "wandb.Run":
        """Raises wandb.Error or OSError where W&B cannot be had in this mode."""
        import wandb

        timeout = self.settings.timeout
        quiet: dict[str, Any] = {"silent": True, "console": "off", "disable_git": True, "x_disable_stats": True}
        settings = wandb.Settings(mode=mode, init_timeout=timeout, finish_timeout=timeout, **quiet)  # type: ignore[arg-type]
        wandb.setup(settings)
        # a person at a terminal would be asked for the key, and the run would wait for the answer
        if mode == "online" and not wandb.login(prompt=False, verify=False):
            raise wandb.errors.UsageError("no API key: `wandb login` or WANDB_API_KEY gives it one")
        about, identity = self.store.about, self.store.identity
        chosen = about["choices"]
        line = line_of(about["label"], identity, method_of(chosen, about["config"]))
        return wandb.init(
            id=hash_of(identity),
            name=about["label"],
            project=self.settings.project,
            group=self.settings.group or group_of(chosen),
            job_type=self.settings.job_type or chosen["procedure"],
            tags=tags_of(chosen),
            config={**about["config"], LINE: line, "identity": identity, "commit": about["commit"]},
            dir=self.store.folder,
            resume="allow" if mode == "online" else None,
            settings=settings,
        )

    def show_new(self) -> None:
        """Shows the stored cycles that W&B does not have."""
        for record in self.store.cycle_records[self.shown :]:
            self._show(record)
            self.shown += 1

    def _show(self, record: CycleRecord) -> None:
        import wandb

        tensors = self.store.tensors(record.index)
        counts = record.class_counts
        shown: dict[str, Any] = numbers(record, tensors)
        # W&B's own type of a figure of bars; one bar per class
        shown["train/labels"] = wandb.Histogram(np_histogram=(np.array(counts), np.arange(len(counts) + 1) - 0.5))
        if record.observed:  # a table, which W&B draws over any of its columns: a run's own x axis is annotations
            looks: list[Iterable[Any]] = [list(look) for look in zip(*record.observed.values(), strict=True)]
            shown["train/observed"] = wandb.Table(columns=list(record.observed), data=looks)
        for name, losses in record.losses.items():
            rows: list[Iterable[Any]] = [list(row) for row in zip(*losses.values(), strict=True)]
            shown[f"train/losses of {name}"] = wandb.Table(columns=list(losses), data=rows)
        if self.settings.images and (pairs := pictures(record, tensors, self.images)):
            shown[IMAGES] = [wandb.Image(image, caption=caption) for image, caption in pairs]
        self.run.log(shown, step=record.index, commit=True)

    def show_whole(self, exit_code: int) -> None:
        """The W&B run from its beginning to its end. exit_code: as of `close`."""
        self.open()
        self.close(exit_code)

    def close(self, exit_code: int) -> None:
        """Ends the W&B run within the timeout. exit_code: other than 0 for a run that was stopped or failed."""
        self.show_new()  # a signal may have come between the store and W&B
        self.run.finish(exit_code=exit_code)
        _released()


def _released() -> None:
    """Ends W&B's own process."""
    import wandb

    wandb.teardown()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
