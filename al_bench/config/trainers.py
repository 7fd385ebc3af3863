"""What a Trainer of the user's own may say: where it trains and what it shows, which is in no run's id."""

from collections.abc import Mapping
from typing import Any

from al_bench.errors import UserError

PLACEMENT = (
    "accelerator", "devices", "num_nodes", "strategy", "sync_batchnorm", "deterministic", "benchmark",
)  # fmt: skip
"""The devices, and by which kernels they compute: the same training but for rounding, and for what `docs/usage.md`
says of rows that are divided among devices, which `sync_batchnorm` takes from batch norm."""
SHOWN = (
    "callbacks", "logger", "profiler", "log_every_n_steps", "default_root_dir", "enable_checkpointing",
    "enable_progress_bar", "enable_model_summary",
)  # fmt: skip
LOOKING_ON = (
    "DeviceStatsMonitor", "LearningRateMonitor", "ModelSummary", "ProgressBar", "RichModelSummary", "RichProgressBar",
    "ThroughputMonitor", "TQDMProgressBar",
)  # fmt: skip
"""Lightning's callbacks that change no training; one of a user's own is believed to be one."""
_LIGHTNINGS = ("pytorch_lightning.", "lightning.")
_LENGTH = "use steps, learner.epochs or the part's own length"
_INSTEAD = {
    "precision": "use precision",
    **dict.fromkeys(("max_steps", "max_epochs", "min_steps", "min_epochs", "max_time", "limit_train_batches"), _LENGTH),
    **dict.fromkeys(("fast_dev_run", "overfit_batches"), "use scale=smoke"),
    "accumulate_grad_batches": "use recipe.batch_size",
}


def refuse_trainers(node: Any, path: str = "") -> None:
    """`refuse_trainer` of every Trainer's node in a node of plain containers. path: of the node."""
    if not isinstance(node, Mapping):
        return
    for key, value in node.items():
        place = f"{path}.{key}".lstrip(".")
        if key == "trainer" and isinstance(value, Mapping):
            refuse_trainer(value, place)
        else:
            refuse_trainers(value, place)


def refuse_trainer(arguments: Mapping[str, Any], name: str = "trainer") -> None:
    """Raises UserError for the first argument of a Trainer that is neither of its place nor of what is shown: the run
    would be another and have the same name. name: of the Trainer, as a user types it."""
    for key, value in arguments.items():
        if not key.startswith("_") and key not in (*PLACEMENT, *SHOWN):
            remedy = _INSTEAD.get(key, f"use {', '.join(PLACEMENT + SHOWN)}")
            said = " ".join(str(value).split())
            raise UserError(f"{name}.{key}={said} says neither where a training runs nor what it shows: {remedy}")
    _refuse_callbacks(arguments.get("callbacks"), name)


def _refuse_callbacks(callbacks: Any, name: str) -> None:
    """Raises UserError for a callback of Lightning's that may end a training or change it."""
    for node in callbacks if isinstance(callbacks, list | tuple) else [callbacks]:
        target = str(node.get("_target_")) if isinstance(node, Mapping) else ""
        kind = target.rpartition(".")[2]
        if target.startswith(_LIGHTNINGS) and kind not in LOOKING_ON:
            raise UserError(
                f"{name}.callbacks has {kind}, which may change a training, and no run's id knows of it: use "
                f"{', '.join(LOOKING_ON[:-1])} or {LOOKING_ON[-1]}, which look on"
            )
