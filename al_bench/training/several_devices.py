"""One training on several devices of a Trainer: processes that take a part of every batch each, gradients averaged."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.strategies.launchers import _MultiProcessingLauncher

from al_bench.config.trainers import refuse_trainer
from al_bench.errors import UserError
from al_bench.training.account import Account
from al_bench.training.module import TrainerFactory


def make_trainer(factory: TrainerFactory, usual: dict[str, Any]) -> pl.Trainer:
    """What `factory` makes. usual: arguments that it does not say itself; several devices are, where it names no
    strategy, processes that end with the training (`ddp_spawn`). Raises UserError as `refuse_trainer` does."""
    own = getattr(factory, "keywords", {})
    refuse_trainer(own)
    named = {**usual, **own}
    driver = factory(**named)
    if driver.world_size > 1 and "strategy" not in named:
        driver = factory(**named, strategy="ddp_spawn")
    return driver


def refuse_launcher(driver: pl.Trainer) -> None:
    """Raises UserError where its processes would begin by starting the command again, or on other machines."""
    if driver.world_size > 1 and not isinstance(driver.strategy.launcher, _MultiProcessingLauncher):
        raise UserError(
            f"trainer.devices={driver.world_size} by this trainer.strategy start the command once more for each: use "
            "trainer.strategy=ddp_spawn or ddp_spawn_find_unused_parameters_true, on one machine"
        )


def refuse_undivided(name: str, divisible: bool, devices: int) -> None:
    """Raises UserError for what is trained otherwise by several devices than by one. name: as a person knows it."""
    if devices > 1 and not divisible:
        raise UserError(
            f"{name} cannot be trained on {devices} devices, for its updates are not means over the rows of a batch: "
            "use trainer.devices=1, or learner=supervised and a strategy that trains nothing"
        )


@contextmanager
def account_brought_back(driver: pl.Trainer, account: Account) -> Iterator[None]:
    """Trained in processes of its own, a module comes back with its weights alone: inside the block the first process
    writes what the training's account knows, and at the end the account knows it here too."""
    if driver.world_size == 1:
        yield
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "account.pt"
        driver.callbacks.append(  # type: ignore[attr-defined]  # which it sets
            _WritesAccount(path)
        )
        try:
            yield
        except BaseException:
            _end(driver)
            raise
        stored = torch.load(path, weights_only=True)
    account.load(stored["step"], stored["account"])
    account.earlier_seconds = 0.0  # they passed here too


def _end(driver: pl.Trainer) -> None:
    """Of a training that was stopped here, its processes too."""
    for process in getattr(driver.strategy.launcher, "procs", ()):
        process.kill()  # at a SIGTERM Lightning has them wait for each other
        process.join()


class _WritesAccount(pl.Callback):
    """Losses are the means over all devices, the rest is the first one's, which is the same in all."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        account: Any = pl_module.module.account  # type: ignore[union-attr]
        account.losses.flush()
        for name, values in account.losses.trace.items():
            mean = trainer.strategy.reduce(torch.tensor(values, device=pl_module.device), reduce_op="mean")
            account.losses.trace[name] = mean.tolist()
        if trainer.is_global_zero:
            torch.save({"step": account.steps_done, "account": account.state()}, self.path)
