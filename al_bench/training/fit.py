"""The one way to train a module: its `step` is the arithmetic, two drivers call it.

`fit` drives `step` in a short loop of its own on one device (Fabric for placement and precision), or with a Lightning
Trainer where several devices, callbacks or Lightning's own checkpoints are asked for. Both end with the same weights.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric import Fabric
from torch.optim import Optimizer

from al_bench import seeding
from al_bench.progress import progress
from al_bench.training import interruption
from al_bench.training.batches import Batches, PerProcess
from al_bench.training.callback import Callback
from al_bench.training.checkpoint import Checkpoint
from al_bench.training.cost import add_cost
from al_bench.training.cuda_graph import Captured, capturable
from al_bench.training.loss_record import Losses, LossRecord, Trace
from al_bench.training.module import Module

logger = logging.getLogger(__name__)


def fit(
    module: Module,
    batches: Batches,
    *,
    seed: int,
    device: torch.device,
    name: str,
    precision: Any = "32-true",
    trainer: Callable[..., pl.Trainer] | None = None,
    scratch: Path | None = None,
    callback: Callback | None = None,
    checkpoint_seconds: float = 60.0,
) -> Trace:
    """Trains `module` in place on all of `batches` and leaves it on `device` in eval mode.

    seed: of everything that the training draws from the global generators. precision: as Fabric and the Trainer name
    it. trainer: makes a Trainer in place of the loop of our own. scratch: folder for a checkpoint every
    `checkpoint_seconds` and at a signal, from which the same call goes on, bit for bit. callback: may end it early.

    Returns the mean of each recorded loss over every 50 steps. Raises FloatingPointError at a loss that is not finite.
    """
    module.to(device).train()
    module.updates, module.steps_done, module.steps_planned = 0, 0, len(batches)
    module.callback = callback
    with seeding.fork(seed):
        if trainer is not None:
            trace = _fit_by_trainer(module, batches, trainer, precision, device)
        else:
            checkpoint = Checkpoint(scratch / f"{name}.ckpt", checkpoint_seconds) if scratch else None
            trace = _fit_by_loop(module, batches, precision, device, name, checkpoint)
    add_cost(module.updates, round(module.steps_done * batches.images_per_step))
    module.to(device).eval()
    if callback is not None:
        callback.finish()
    return trace


def _fit_by_loop(
    module: Module, batches: Batches, precision: Any, device: torch.device, name: str, checkpoint: Checkpoint | None
) -> Trace:
    fabric = Fabric(accelerator=device.type, devices=_index(device), precision=precision)
    plain = module.configure_optimizers()
    _, *optimizers = fabric.setup(module, *plain)
    record = module.losses = LossRecord()
    start, earlier, began = 0, 0.0, time.perf_counter()
    if checkpoint and (stored := checkpoint.load(module, plain)):
        start = module.steps_done = stored["step"]
        account = stored["account"]
        record.load(account["losses"])
        module.updates, earlier = account["updates"], account["seconds"]
        if module.callback is not None:
            module.callback.load(account["callback"])
        logger.info(f"{name}: going on at step {start:,} of {len(batches):,}")
    run = _runner(module, plain, optimizers, fabric, device)
    with progress(name, len(batches), start=start) as bar, interruption.deferred():
        for step in range(start, len(batches)):
            module.set_rates(step / len(batches), plain)
            record.add(run(batches[step]))
            module.steps_done = step + 1
            bar.advance()
            if module.callback is not None and module.callback.ends(step + 1):
                break
            if checkpoint and (checkpoint.due() or interruption.pending()):
                seconds = earlier + time.perf_counter() - began
                account = {"losses": record.state(), "updates": module.updates, "seconds": seconds}
                if module.callback is not None:
                    account["callback"] = module.callback.state()
                checkpoint.save(step + 1, module, plain, account)
            if interruption.pending():
                break
    record.flush()
    add_cost(0, 0, earlier)
    if checkpoint:
        checkpoint.remove()
    return record.trace


def _runner(
    module: Module, plain: Sequence[Optimizer], optimizers: Sequence[Any], fabric: Fabric, device: torch.device
) -> Callable[[Any], Losses]:
    """Runs one step in the precision asked for, as the replay of a CUDA graph where the module says so."""

    def run(batch: Any) -> Losses:
        with fabric.autocast(), _weights_cast_anew():
            return module.step(batch, optimizers)

    if not (module.capture and device.type == "cuda"):
        return run
    capturable(plain)
    return Captured(run, module)


@contextmanager
def _weights_cast_anew() -> Iterator[None]:
    """Inside the block autocast keeps no cast weights: a step may update weights and use them again."""
    before = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)
    try:
        yield
    finally:
        torch.set_autocast_cache_enabled(before)


def _fit_by_trainer(
    module: Module, batches: Batches, trainer: Callable[..., pl.Trainer], precision: Any, device: torch.device
) -> Trace:
    """What `trainer` says of itself wins over what is said here. With several devices that are processes of their own
    the losses stay in them, and the trace is empty."""
    usual = {
        "max_epochs": 1,
        "precision": precision,
        "accelerator": device.type,
        "devices": _index(device),
        "logger": False,
        "enable_checkpointing": False,
        "enable_model_summary": False,
        "enable_progress_bar": False,
        "use_distributed_sampler": False,
    }
    module.losses = LossRecord()
    driver = trainer(**{**usual, **getattr(trainer, "keywords", {})})
    driver.fit(module, train_dataloaders=PerProcess(batches, driver))
    module.losses.flush()
    return module.losses.trace


def _index(device: torch.device) -> Any:
    return 1 if device.type == "cpu" else [device.index or 0]
