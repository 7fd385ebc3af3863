"""The one way to train a module: its `step` is the arithmetic, two drivers call it.

`Fitter.fit` drives `step` in a short loop of its own on one device (Fabric for placement and precision), or with a
Lightning Trainer where several devices, callbacks or Lightning's own checkpoints are asked for. Both end with the same
weights.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.optim import Optimizer

from al_bench import seeding
from al_bench.config.ranges import Precision
from al_bench.progress import progress
from al_bench.training import interruption
from al_bench.training.account import Account
from al_bench.training.batches import Batches
from al_bench.training.callback import Callback
from al_bench.training.checkpoint import Checkpoint, finished_checkpoint
from al_bench.training.cost import add_cost, add_losses
from al_bench.training.cuda_graph import Captured, capturable
from al_bench.training.loss_record import Losses, Trace
from al_bench.training.module import Module, TrainerFactory

if TYPE_CHECKING:
    from lightning_fabric import Fabric

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fitter:
    """Where and how modules are trained.

    precision: as Fabric and the Trainer name it. trainer: makes a Trainer in place of the loop of our own.
    """

    device: torch.device
    precision: Precision = "32-true"
    trainer: TrainerFactory | None = None

    def fit(
        self,
        module: Module,
        batches: Batches,
        *,
        seed: int,
        name: str,
        scratch: Path | None = None,
        callback: Callback | None = None,
        checkpoint_seconds: float = 60.0,
        keep: bool = False,
    ) -> Trace:
        """Trains `module` in place on all of `batches` and leaves it on the device in eval mode.

        seed: of everything that the training draws from the global generators. scratch: folder for a checkpoint every
        `checkpoint_seconds` and at a signal, from which the same call goes on, bit for bit. A finished training stays
        there too if it took that long, and the same call gives it again at once, with its weights, losses and cost:
        whoever gave the folder removes it when he has stored what came of it. keep: it stays however short it was, as
        the first of a learner's two phases does. callback: may end it early.

        Returns the mean of each recorded loss over every 50 steps. Raises FloatingPointError at a loss that is not
        finite.
        """
        module.to(self.device)
        module.begin(Account(len(batches), callback))
        checkpoint = Checkpoint(scratch / f"{name}.ckpt", checkpoint_seconds, seed) if scratch else None
        finished = finished_checkpoint(scratch, name, seed) if scratch else None
        with seeding.fork(seed):
            if not (finished and _restore(module, [], finished)):
                self._drive(module, batches, name, checkpoint)
                if finished and (keep or module.account.seconds >= checkpoint_seconds):
                    finished.save(module.account.steps_done, module, [], module.account.state())
        if checkpoint:
            checkpoint.remove()
        account = module.account
        add_cost(account.updates, round(account.steps_done * batches.images_per_step), account.earlier_seconds)
        add_losses(name, account.losses.summarize())
        module.to(self.device).eval()
        if callback is not None:
            callback.finish()
        return account.losses.trace

    def _drive(self, module: Module, batches: Batches, name: str, checkpoint: Checkpoint | None) -> None:
        if self.trainer is not None:
            from al_bench.training.by_trainer import fit_by_trainer

            fit_by_trainer(module, batches, self.trainer, self.device, self.precision, name)
        else:
            self._fit_by_loop(module, batches, name, checkpoint)

    def _fit_by_loop(self, module: Module, batches: Batches, name: str, checkpoint: Checkpoint | None) -> None:
        fabric = _fabric(self.device, self.precision)
        module.propagate_by(fabric.backward, self.precision)
        plain = module.configure_optimizers()
        _, *optimizers = fabric.setup(module, *plain)
        account = module.account
        if checkpoint and _restore(module, plain, checkpoint):
            logger.info(f"{name}: going on at step {account.steps_done:,} of {len(batches):,}")
        captured = module.capture and self.device.type == "cuda"  # which no thread may use the GPU beside
        loads = batches.loads(range(account.steps_done, len(batches)), early=not captured)
        run = _runner(module, plain, optimizers, fabric, captured)
        with progress(name, len(batches), start=account.steps_done) as bar, interruption.deferred(), closing(loads):
            for loaded in loads:
                module.set_rates(account.fraction, plain)
                ends = account.add_step(run(batches.augment(loaded)))
                bar.advance()
                if ends:
                    break
                if checkpoint and (checkpoint.due() or interruption.pending()):
                    checkpoint.save(account.steps_done, module, plain, account.state())
                if interruption.pending():
                    break
        account.losses.flush()


def _restore(module: Module, optimizers: Sequence[Optimizer], checkpoint: Checkpoint) -> bool:
    """Puts a training back where a checkpoint says; returns whether there is one."""
    stored = checkpoint.load(module, optimizers)
    if stored is not None:
        module.account.load(stored["step"], stored["account"])
    return stored is not None


def _runner(
    module: Module, plain: Sequence[Optimizer], optimizers: Sequence[Any], fabric: "Fabric", captured: bool
) -> Callable[[Any], Losses]:
    """Runs one step in the precision asked for; captured: as the replay of a CUDA graph."""

    def run(batch: Any) -> Losses:
        with fabric.autocast(), _weights_cast_anew():
            return module.step(batch, optimizers)

    if not captured:
        return run
    capturable(plain)
    return Captured(run, module.account)


@contextmanager
def _weights_cast_anew() -> Iterator[None]:
    """Inside the block autocast keeps no cast weights: a step may update weights and use them again."""
    before = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)
    try:
        yield
    finally:
        torch.set_autocast_cache_enabled(before)


def _fabric(device: torch.device, precision: Precision) -> "Fabric":
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment

    return Fabric(
        accelerator=device.type, devices=1 if device.type == "cpu" else [device.index or 0], precision=precision,
        plugins=[LightningEnvironment()],  # one process, also inside of a cluster's job
    )  # fmt: skip
