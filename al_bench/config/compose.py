"""What Hydra asks of us while it composes: resolvers, a run's identity and label, the lists in `--help`.

Imports nothing heavy, because `python run.py --help` and the driver of a sweep wait for it.
"""

import copy
import difflib
import hashlib
import json
import math
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

from omegaconf import DictConfig, ListConfig, OmegaConf

from al_bench.files import digest
from al_bench.sources.listing import databases_id, pictures_id

CONF = Path(__file__).parents[2] / "conf"

IDENTITY = ("dataset", "network", "evaluator", "learner", "strategy", "oracle", "representation", "procedure", "seed")
SIZES = ("initial", "every_class", "initial_size", "query_size")  # of loop; the budget and the stop rule are not in it
BESIDE = ("dataset", "evaluator", "seed")  # a procedure that turns no loop: what stands beside its own node
_OPTIONAL = ("pair/", "preset/")
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
    "al_bench.training.fit": "al_bench.training",
    "al_bench.training.losses": "al_bench.losses",
}
PLACES = {"root": "<data>", "decoded": "<decoded>", "cache": None}  # of dataset: where its files are, not what


def register() -> None:
    """Makes the resolvers known to OmegaConf; may be called again."""
    resolvers: dict[str, Callable[..., Any]] = {
        "at_most": at_most,
        "times": times,
        "run_id": run_id,
        "label": label,
        "choices": choices,
        "pictures_id": pictures_id,
        "databases_id": databases_id,
    }
    for name, resolver in resolvers.items():
        OmegaConf.register_new_resolver(name, resolver, replace=True)


def at_most(value: Any, limit: Any) -> Any:
    """`value`, cut to `limit` unless that is null: how a scale reaches a length. What is no number cuts nothing and is
    not cut: `validation.refuse_arguments` says so when a run is composed."""
    return min(value, limit) if _is_number(value) and _is_number(limit) else value


def times(channels: int | Sequence[int], factor: float | None) -> Any:
    """Channels, one number or a list, times `factor` and at least 1; unchanged where that is null: how a scale reaches
    the width of a network. What is no finite number changes nothing, as for `at_most`."""
    if isinstance(channels, int):
        return max(1, round(channels * factor)) if _is_number(factor) and math.isfinite(factor) else channels
    return ListConfig([times(number, factor) for number in channels])  # a plain list is no node for `--resolve`


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def identity(config: DictConfig) -> dict[str, Any]:
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
    return hash_of(identity(_root_))


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


def choices(group: str, about: str) -> str:
    """One entry of `--help`: a group, what it is for and every choice in it."""
    names = ", ".join(members(group))
    listed = textwrap.fill(names, width=96, initial_indent=" " * 17, subsequent_indent=" " * 17)
    return f"  {group:14} {about}\n{listed}"


def help_text() -> str:
    """What `--help` prints: Hydra would print the same, but first lists every group twice, whose time grows with each
    folder of `conf/`."""
    return str(OmegaConf.load(CONF / "config.yaml").hydra.help.template)


def members(group: str) -> list[str]:
    """The choices of a group, sub-folders included."""
    folder = CONF / group
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.yaml"))


def differences(stored: Any, asked: Any, path: str = "") -> list[str]:
    """Each place where two identities differ, as "key is A there and B here"."""
    if isinstance(stored, dict) and isinstance(asked, dict):
        keys = dict.fromkeys([*stored, *asked])
        return [
            line for key in keys for line in differences(stored.get(key), asked.get(key), f"{path}.{key}".lstrip("."))
        ]
    return [] if stored == asked else [f"{path} is {stored} there and {asked} here"]


def written_and_resolved(config: DictConfig) -> tuple[Any, Any]:
    """A configuration without Hydra's own, in plain containers: interpolations as written, and with their values."""
    config = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    return OmegaConf.to_container(config, resolve=False), OmegaConf.to_container(config, resolve=True)


def plain(value: Any) -> Any:
    """Resolved, in plain types; a whole number is an int however it was written, and infinity is "all"."""
    if isinstance(value, DictConfig | ListConfig):
        value = OmegaConf.to_container(value, resolve=True)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float) and math.isinf(value):
        return "all"
    return int(value) if isinstance(value, float) and value.is_integer() else value


def unknown_choice(arguments: Sequence[str]) -> str | None:
    """A sentence about the first GROUP=CHOICE on a command line that names no file, None where all do.

    Said before Hydra composes anything, whose own message takes a screen. With a search path or configuration folder
    of the user's own, what is known is left to Hydra.
    """
    if any(argument.startswith(("hydra.searchpath", "--config-", "-cd", "-cp")) for argument in arguments):
        return None
    for argument in arguments:
        group, _, value = argument.partition("=")
        if not (re.fullmatch(r"[\w/,-]+", value) and (CONF / group).is_dir() and group):
            continue
        for choice in value.split(","):
            if choice not in (known := members(group)):
                close = difflib.get_close_matches(choice, known, 1)
                hint = f"did you mean {close[0]}? Use one of " if close else "use one of "
                return f"{group}={choice} is not known: {hint}{', '.join(known)}"
    return None


def effects(config: DictConfig, chosen: Mapping[str, str]) -> str:
    """Which pair, preset and scale files a run reads, and which lengths its scale cuts.

    chosen: Hydra's `runtime.choices`.
    """
    files = [f"{group.split('@')[0]}/{choice}" for group, choice in chosen.items() if group.startswith(_OPTIONAL)]
    read = [name for name in files if (CONF / f"{name}.yaml").exists()]
    cuts = cut_by_scale(config)
    return "\n".join(
        [
            f"scale {chosen['scale']}" + (f" cuts {', '.join(cuts)}" if cuts else " cuts nothing"),
            f"preset {chosen['preset']}; also read: {', '.join(read) if read else 'nothing'}",
        ]
    )


def cut_by_scale(config: DictConfig) -> list[str]:
    """Each value that the scale changes, as "learner.epochs 80 -> 40"."""
    uncut = copy.deepcopy(config)
    OmegaConf.set_readonly(uncut, False)
    uncut.scale = OmegaConf.load(CONF / "scale" / "paper.yaml")
    found = []
    for path in _scaled_paths(OmegaConf.to_container(config, resolve=False)):
        before, after = OmegaConf.select(uncut, path), OmegaConf.select(config, path)
        if before != after:
            found.append(f"{path} {'all' if before is None else before} -> {after}")
    return found


def _scaled_paths(node: Any, path: str = "") -> list[str]:
    if isinstance(node, dict):
        return [found for key, value in node.items() for found in _scaled_paths(value, f"{path}.{key}".lstrip("."))]
    return [path] if isinstance(node, str) and "${scale." in node else []
