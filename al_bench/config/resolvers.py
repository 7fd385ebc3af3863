"""The resolvers that `conf/` uses: how a scale reaches a length, a run's id and label, the lists in `--help`."""

import math
import os
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, TypeGuard

from omegaconf import DictConfig, ListConfig, OmegaConf

from al_bench.config.groups import members
from al_bench.config.identity import label, run_id
from al_bench.sources.file_list import documents_id, folders_id
from al_bench.sources.listing import databases_id, folder_id, patterns_id, pictures_id


def register_resolvers() -> None:
    """Makes the resolvers known to OmegaConf; may be called again."""
    resolvers: dict[str, Callable[..., Any]] = {
        "at_most": at_most,
        "up_to": up_to,
        "times": times,
        "outputs": outputs,
        "run_id": run_id,
        "label": label,
        "choices": choices,
        "pictures_id": pictures_id,
        "folder_id": folder_id,
        "databases_id": databases_id,
        "patterns_id": patterns_id,
        "folders_id": folders_id,
        "documents_id": documents_id,
        "wandb_mode": wandb_mode,
        "timed_on": timed_on,
    }
    for name, resolver in resolvers.items():
        OmegaConf.register_new_resolver(name, resolver, replace=True)


def wandb_mode() -> str:
    """WANDB_MODE, also in W&B's older words; "offline" where it is not set, or empty."""
    mode = os.environ.get("WANDB_MODE", "").strip()
    return {"": "offline", "dryrun": "offline", "run": "online"}.get(mode, mode)


def timed_on(device: str, threads: int | None) -> str:
    """What a measurement of seconds is of, as they are its result: "cuda", "4 threads", "cuda, all threads"; nothing
    for one thread of a CPU, as in the ids of what was measured before these were told. `auto` is a CPU here, for such a
    measurement refuses it where it is not, see `timed_device`."""
    kind = str(device).partition(":")[0]
    counted = {1: "", None: "all threads"}.get(threads, f"{threads} threads")
    return ", ".join(word for word in ("" if kind in ("auto", "cpu") else kind, counted) if word)


def outputs(*, _root_: DictConfig) -> str:
    """Where runs go, asked before a folder is made. Raises UserError as `refuse_nodes` does."""
    from al_bench.config.top_level import refuse_nodes

    refuse_nodes({str(key): _root_[key] for key in _root_ if key != "hydra"})
    return str(_root_.paths.outputs)


def at_most(value: Any, limit: Any) -> Any:
    """`value`, cut to `limit` unless that is null: how a scale reaches a length. A list, such as [height,width], is
    made smaller as a whole until its largest number is no more than that. What is no number cuts nothing and is not
    cut: `validation.refuse_arguments` says so when a run is composed."""
    if isinstance(value, Sequence) and value and all(map(_is_number, value)) and _is_number(limit):
        return ListConfig([max(1, round(number * min(1, limit / max(value)))) for number in value])
    return min(value, limit) if _is_number(value) and _is_number(limit) else value


def up_to(values: Sequence[Any], limit: Any) -> Any:
    """Those of ascending `values` that are no more than `limit`, at least the first; all where that is null: how a
    scale reaches a list of sizes. What is no number cuts nothing and is not cut, as for `at_most`."""
    kept = [value for value in values if at_most(value, limit) == value]
    return ListConfig(kept or list(values[:1]))


def times(channels: Any, factor: Any) -> Any:
    """Channels, one number or a list, times `factor` and at least 1; unchanged where that is null: how a scale reaches
    the width of a network. What is no finite number changes nothing, as for `at_most`."""
    if isinstance(channels, Sequence) and not isinstance(channels, str):
        return ListConfig([times(number, factor) for number in channels])  # a plain list is no node for `--resolve`
    finite = _is_number(channels) and _is_number(factor) and math.isfinite(channels) and math.isfinite(factor)
    return max(1, round(channels * factor)) if finite and isinstance(channels, int) else channels


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def choices(group: str, about: str) -> str:
    """One entry of `--help`: a group, what it is for and every choice in it."""
    names = ", ".join(members(group))
    listed = textwrap.fill(names, width=96, initial_indent=" " * 17, subsequent_indent=" " * 17)
    return f"  {group:14} {about}\n{listed}"
