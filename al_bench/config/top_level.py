"""What the keys of a configuration take that belong to no part; asked before anything of a run is looked up."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from al_bench.config.groups import members, name_known
from al_bench.config.ranges import (
    Certainty,
    CountOrAll,
    Iterations,
    NoneToAll,
    NotAll,
    Precision,
    Seed,
    Signed,
    Text,
    Threads,
)
from al_bench.config.trainers import refuse_trainer, refuse_trainers
from al_bench.config.validation import refuse_keys, show
from al_bench.errors import UserError

_PARTS = (
    "network", "evaluator", "dataset", "oracle", "matcher", "representation", "learner", "strategy", "tracking",
    "procedure", "loop", "scale",
)  # fmt: skip
_PARTS_OR_NULL = ("gan", "feature", "trainer")
_MAPPINGS = ("paths", "recipe")
_INSTEAD = {**dict.fromkeys(_MAPPINGS, "a mapping"), "loop": "settings by their names, such as loop.budget=100"}
_DEVICE = re.compile(r"auto|cpu(:0)?|cuda(:(0|[1-9]\d*))?")  # whether it is there is asked of a run that computes
_BESIDE = ("preset", "method", "experiment")  # nodes of groups that set others
_OF_EXPERIMENTS = ("references", "contrasts", "contrast_metrics", "versions", "at_scale")  # which the report reads


@dataclass(frozen=True)
class TopLevel:
    """seed: of the run. device: see `training.device.chosen_device`. threads: of torch on the CPU, None for all cores.

    precision: of learners. match_steps: whether an epoch has as many steps as one of WAAL's. steps: of a training on
    labeled inputs alone, None for those of its epochs. last_batch: what becomes of the inputs that an epoch's whole
    batches leave over, see `training.sampler`. stacked: whether trainings and latent searches are computed with those
    of other cells of the same process. capture: whether a GAN's step becomes a CUDA graph. keep_weights: of which
    cycles the model stays on disk.
    """

    seed: Seed
    device: str
    threads: Threads | None
    precision: Precision
    match_steps: bool
    steps: Iterations | None
    last_batch: Literal["smaller", "even", "filled"]
    stacked: bool
    capture: bool
    keep_weights: Literal["last", "all"]


@dataclass(frozen=True)
class Paths:
    """Folders: of data sets, of runs and artifacts, of decoded pictures, of exported runs."""

    data: Text
    outputs: Text
    decoded: Text
    cells: Text


@dataclass(frozen=True)
class StopRules:
    """What of the `loop` node says when a run is finished, which is asked before the node is made."""

    budget: CountOrAll
    max_cycles: NoneToAll | None
    stop_at: Mapping[str, Signed] | None
    certain_above: NotAll | None
    confidence: Certainty


def refuse_nodes(values: Mapping[str, Any]) -> None:
    """Raises UserError for a key that nothing reads or that is missing, for what is no part where one is needed, and
    for a Trainer that would train otherwise: asked before a run's folder is made, so of what Hydra has composed.

    values: of the top level, without Hydra's own.
    """
    needed = [*TopLevel.__dataclass_fields__, *_PARTS, *_PARTS_OR_NULL, *_MAPPINGS]
    for key in values:
        if key not in (*needed, *_BESIDE, *_OF_EXPERIMENTS):
            raise UserError(f"{key} is not known: {name_known(key, needed)}")
    for key in needed:
        if key not in values:
            raise UserError(f"{key} is missing: leave out ~{key}")
    for key in (*_MAPPINGS, *_PARTS, *_PARTS_OR_NULL):
        value = values[key]
        is_node = isinstance(value, Mapping) and (key in _MAPPINGS or "_target_" in value)
        if not is_node and (value is not None or key not in _PARTS_OR_NULL):
            raise UserError(f"{key}={show(value)} must be {_choices(key)}")
    refuse_keys(values["paths"], Paths, "paths.")
    refuse_trainer(values["trainer"] or {})


def refuse_top_level(written: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Raises UserError for a value of the top level that is not of its kind, for a number that is none, anywhere, and
    for two lengths of the learner's training.

    written: the whole configuration without Hydra's own, in plain containers; values: the same, resolved.
    """
    refuse_nodes(values)
    refuse_trainers(values)
    for path, value in _leaves(values):
        if isinstance(value, float) and (math.isnan(value) or value == -math.inf):
            raise UserError(f"{path}={value} must be a number")
    refuse_keys(values, TopLevel)
    if not _DEVICE.fullmatch(values["device"]):
        raise UserError(f"device={values['device']} is not known: use auto, cpu, cuda or cuda:1")
    refuse_stop_rules(values["loop"])
    refuse_small_budget(values["loop"])
    _refuse_two_lengths(written["learner"], values)


def refuse_stop_rules(loop: Mapping[str, Any]) -> None:
    """Raises UserError where a run's `loop` node, in plain containers, cannot say when it is finished."""
    refuse_keys({"certain_above": None, "confidence": 0.95, **loop}, StopRules, "loop.")  # older runs say neither


def refuse_small_budget(loop: Mapping[str, Any]) -> None:
    """Raises UserError where the first labels would not fit into the budget; of sizes that are numbers."""
    first, budget = loop.get("initial_size"), loop["budget"]
    if isinstance(first, int | float) and first < math.inf and first > budget:
        raise UserError(
            f"loop.budget={budget} is smaller than loop.initial_size={first}, which counts towards it: use a larger "
            "budget or fewer initial labels"
        )


def _refuse_two_lengths(learner: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """What the learner refuses itself, by the keys that say it.

    learner: its node as it is written; values: the whole configuration, resolved.
    """
    lengths = {key: values["learner"].get(key) for key in ("steps", "match_steps")}
    if lengths["match_steps"] is not True or lengths["steps"] is None:
        return
    said = [
        f"{key}={show(values[key])}" if f"${{{key}}}" in str(learner[key]) else f"learner.{key}={show(value)}"
        for key, value in lengths.items()
    ]
    raise UserError(f"{' and '.join(said)} both say how long the learner trains: use one of them")


def _choices(key: str) -> str:
    """What a node of the top level may be, as a user types it."""
    found = members(key)
    return f"one of {', '.join(found)}" if found else _INSTEAD.get(key, "a node with a _target_")


def _leaves(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that is no container, and its path."""
    if not isinstance(node, Mapping | list):
        yield path, node
    for key, value in node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, list) else ():
        yield from _leaves(value, f"{path}.{key}".lstrip("."))
