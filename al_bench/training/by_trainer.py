"""A training that a Lightning Trainer drives; imported where one is asked for."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytorch_lightning as pl
import torch
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import Optimizer

from al_bench.config.ranges import Precision
from al_bench.errors import UserError
from al_bench.training.batches import Batches
from al_bench.training.module import Module, Part, TrainerFactory
from al_bench.training.per_process import PerProcess
from al_bench.training.several_devices import account_brought_back, make_trainer, refuse_launcher, refuse_undivided


class TrainedByTrainer(pl.LightningModule):
    """A module as a Trainer takes it."""

    def __init__(self, module: Module) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.module = module

    def configure_optimizers(self) -> list[Optimizer]:
        return self.module.configure_optimizers()

    def training_step(self, batch: Any, batch_idx: int) -> None:
        """The module's `step`, on several devices with a part of the batch each."""
        optimizers: Any = self.optimizers()
        listed = optimizers if isinstance(optimizers, list) else [optimizers]
        self.module.propagate_by(self.manual_backward, str(self.trainer.precision))
        self.module.set_rates(self.module.account.fraction, listed)
        part = batch if isinstance(batch, Part) else Part(batch, 1.0)
        ends = self.module.account.add_step(self.module.step_on_part(part, listed))
        if self.trainer.world_size > 1:  # buffers differ between devices, and so may what a callback measures
            ends = self.trainer.strategy.reduce_boolean_decision(ends, all=False)
        if ends:
            self.trainer.should_stop = True


def fit_by_trainer(
    module: Module, batches: Batches, factory: TrainerFactory, device: torch.device, precision: Precision, name: str
) -> None:
    """Trains a module in place. What `factory` says of itself, where it trains and what it shows, wins over what is
    said here. name: of the training.

    On several devices a batch is the same rows as on one, each device's part of it counts by its rows, and the losses
    are means over all. Raises UserError where that would not be the same training, or a callback of the Trainer's ended
    it.
    """
    usual = {
        "max_epochs": 1,
        "precision": precision,
        "accelerator": device.type,
        "devices": 1 if device.type == "cpu" else [device.index or 0],
        "logger": False,
        "enable_checkpointing": False,
        "enable_model_summary": False,
        "enable_progress_bar": False,
        "use_distributed_sampler": False,
    }
    driver = make_trainer(factory, usual)
    refuse_launcher(driver)
    refuse_undivided(name, module.divisible, driver.world_size)
    brought_back = account_brought_back(driver, module.account)
    least = 2 if any(isinstance(part, _BatchNorm) for part in module.modules()) else 1
    with brought_back, closing(PerProcess(batches, driver, least)) as parts, _interrupted_as_ever():
        driver.fit(TrainedByTrainer(module), train_dataloaders=parts)
    account = module.account
    if not account.is_whole:
        raise UserError(
            f"a callback of trainer ended the training of {name} after {account.steps_done} of {account.steps_planned} "
            "steps, which no run's id knows: use one that looks on alone, and steps or learner.epochs for its length"
        )
    account.losses.flush()


@contextmanager
def _interrupted_as_ever() -> Iterator[None]:
    """Raises what a signal raised, which Lightning turns into an exit with code 1 and no words."""
    try:
        yield
    except SystemExit as end:
        if isinstance(end.__context__, KeyboardInterrupt):
            raise end.__context__ from None
        raise
