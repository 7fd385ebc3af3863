"""Whether a Trainer of the user's own can be made here."""

import os
import warnings
from collections.abc import Callable

import pytorch_lightning as pl
from lightning_fabric.utilities.exceptions import MisconfigurationException

from al_bench.errors import UserError

_CANNOT_BE = (MisconfigurationException, ImportError, TypeError, ValueError, RuntimeError)


def check_trainer(trainer: Callable[..., pl.Trainer]) -> None:
    """Makes one, which is asked for again with each training. Raises UserError where that cannot be done, and where it
    wants more processes than there are CPU cores."""
    usual = {"accelerator": "cpu", "logger": False, "enable_checkpointing": False}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The `srun` command is available")  # where Slurm is, and none of its jobs
            made = trainer(**{**usual, **getattr(trainer, "keywords", {})})
    except _CANNOT_BE as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(f"trainer cannot be made here: {first}") from error
    cores = os.cpu_count() or 1
    if made.accelerator.name() == "cpu" and made.num_devices > cores:
        raise UserError(f"trainer.devices={made.num_devices} must be at most {cores}, the CPU cores there are")
