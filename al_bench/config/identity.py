"""What a run's results depend on, the id made from it, and the label that a person reads.

Imports nothing heavy, because the driver of a sweep waits for it.
"""

import copy
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from al_bench.config.values import plain
from al_bench.files import digest

IDENTITY = ("dataset", "network", "evaluator", "learner", "strategy", "oracle", "representation", "procedure", "seed")
SIZES = ("initial", "every_class", "initial_size", "query_size")  # of loop; the budget and the stop rule are not in it
BESIDE = ("dataset", "evaluator", "seed")  # a procedure that turns no loop: what stands beside its own node
NEUTRAL = {"match_steps": False, "early_stopping": None, "split": None}  # came later: left out where they say nothing
ELSEWHERE = ("device", "threads", "trainer", "capture", "keep_weights")  # where and how a run computes, not what
MOVED = {  # until identities no longer hold the paths of modules: where these stood when runs were stored
    "al_bench.active.scores": "al_bench.scores",
    "al_bench.config.scale": "al_bench.scale",
    "al_bench.gan.latent_search": "al_bench.latent_search",
    "al_bench.procedure.active_learning": "al_bench.procedure.loop",
    "al_bench.procedure.timing.query_time": "al_bench.procedure.query_time",
    "al_bench.procedure.toy.intervals": "al_bench.intervals",
    "al_bench.procedure.toy.query_diversity": "al_bench.query_diversity",
    "al_bench.procedure.toy.sampling_bias": "al_bench.sampling_bias",
    "al_bench.training.augmentation": "al_bench.augmentation",
    "al_bench.training.early_stopping": "al_bench.early_stopping",
    "al_bench.training.losses": "al_bench.losses",
    "al_bench.training.schedule": "al_bench.training",
}
PLACES = {"root": "<data>", "decoded": "<decoded>", "cache": None}  # of dataset: where its files are, not what


def identify(config: DictConfig) -> dict[str, Any]:
    """What a run's results depend on, as plain values: the same however it was spelled on the command line."""
    blanked = copy.deepcopy(config)
    OmegaConf.set_readonly(blanked, False)
    OmegaConf.set_struct(blanked, False)
    for key in ELSEWHERE:
        blanked[key] = None
    if "files" in config.dataset:  # which pictures these are is read from the folder, so before it is blanked
        blanked.dataset.files = config.dataset.files
    if split := config.dataset.get("split"):  # an index file is what it says, wherever it lies
        blanked.dataset.split = content_id(split)
    for key in PLACES.keys() & config.dataset.keys():
        blanked.dataset[key] = PLACES[str(key)]
    blanked.paths = {str(name): f"<{name!s}>" for name in config.paths}
    kept = _kept_of_loop(blanked) if "settings" in config.procedure else _kept_beside(blanked)
    return {key: _as_stored(_without_neutral(value)) for key, value in kept.items()}


def _as_stored(value: Any) -> Any:
    """An identity with the names of parts as they stood when runs were stored."""
    if isinstance(value, dict):
        return {key: _as_stored(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_stored(item) for item in value]
    module, _, name = value.rpartition(".") if isinstance(value, str) else ("", "", "")
    return f"{MOVED[module]}.{name}" if module in MOVED else value


def _kept_of_loop(config: DictConfig) -> dict[str, Any]:
    kept = {key: plain(config[key]) for key in IDENTITY if key != "procedure"}
    kept["procedure"] = config.procedure._target_
    sizes = SIZES if config.learner.get("early_stopping") is None else (*SIZES, "free_validation")
    kept["loop"] = {key: plain(config.loop[key]) for key in sizes}
    return kept


def _kept_beside(config: DictConfig) -> dict[str, Any]:
    """Of a procedure that turns no loop: all that it uses is its own."""
    return {key: plain(config[key]) for key in (*BESIDE, "procedure")}


def _without_neutral(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: _without_neutral(item) for key, item in value.items() if key not in NEUTRAL or item != NEUTRAL[key]}


def content_id(path: str) -> str:
    """Sixteen hexadecimal digits of what a file says, or "unreadable", which the data set will say."""
    try:
        return digest(Path(path).expanduser().read_bytes())[:16]
    except OSError:
        return "unreadable"


def run_id(*, _root_: DictConfig) -> str:
    """Twelve hexadecimal digits that name the run: its folder's last part."""
    return hash_of(identify(_root_))


def hash_of(kept: dict[str, Any]) -> str:
    """The run id of an identity."""
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:12]


def label(*, _root_: DictConfig) -> str:
    """What a person reads in the path of a run: dataset, recipe where it is another's, strategy, learner, seed."""
    return label_of(_root_.hydra.runtime.choices, _root_.seed, _root_.learner)


def label_of(chosen: Mapping[str, str], seed: int, learner: Mapping[str, Any]) -> str:
    """The label of a run from Hydra's `runtime.choices`; of a procedure other than the loop: with what it looks at.

    learner: its node, or an empty one.
    """
    task = "-".join(dict.fromkeys([chosen["dataset"], *chosen["recipe"].split("/")]))
    if (procedure := chosen.get("procedure", "loop")) != "loop":
        looked_at = [chosen[family] for family in ("gan", "feature") if chosen[family] != "none"]
        return f"{task}/{'+'.join([procedure, *looked_at])}/seed={seed}"
    method = chosen["strategy"]
    for family, usual in (("learner", "supervised"), ("representation", "none")):
        if chosen[family] != usual:
            method += f"+{chosen[family]}"
    if learner.get("match_steps"):
        method += "+match_steps"
    return f"{task}/{method}/seed={seed}"
