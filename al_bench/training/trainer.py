"""Whether a Trainer of the user's own can be made here."""

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from lightning_fabric.utilities.exceptions import MisconfigurationException

from al_bench.config.validation import load_target
from al_bench.errors import UserError
from al_bench.sources.cores import usable_cores
from al_bench.training.module import TrainerFactory
from al_bench.training.several_devices import make_trainer, refuse_launcher, refuse_undivided

_CANNOT_BE = (MisconfigurationException, ImportError, TypeError, ValueError, RuntimeError)


def check_trainer(trainer: TrainerFactory, procedure: Mapping[str, Any]) -> None:
    """Makes one, which is asked for again with each training. Raises UserError where that cannot be done, where it
    wants more processes than there are CPU cores, and where what it would train cannot be on its several devices.

    procedure: the node of what is run, resolved.
    """
    usual = {"accelerator": "cpu", "logger": False, "enable_checkpointing": False}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The `srun` command is available")  # where Slurm is, and none of its jobs
            made = make_trainer(trainer, usual)
    except _CANNOT_BE as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(f"trainer cannot be made here: {first}") from error
    cores = usable_cores()
    if made.accelerator.name() == "cpu" and made.num_devices > cores:
        raise UserError(f"trainer.devices={made.num_devices} must be at most {cores}, the CPU cores that it may use")
    refuse_launcher(made)
    for place, node in _trained_nodes("", procedure):
        divisible = getattr(load_target(place, node["_target_"]), "divisible", False)
        refuse_undivided(place, divisible, made.world_size)


def _trained_nodes(place: str, node: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The nodes of parts that train by a Trainer, each with its place."""
    if not isinstance(node, Mapping):
        return
    if node.get("trainer") is not None and "_target_" in node:
        yield place, node
    for key, value in node.items():
        if key != "trainer":
            yield from _trained_nodes(f"{place}.{key}".lstrip("."), value)
