"""What takes effect of a composed configuration: which files it reads, which lengths its scale cuts, and what of the
experiment's sweep it has not."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from al_bench.config.groups import CONF
from al_bench.config.values import REFERENCE, keys_of, value_at

_OPTIONAL = ("pair/", "preset/")
_CUTS = ("dataset.max_images", "dataset.max_held_out", "dataset.max_test")


def effects(config: DictConfig, hydra: Any) -> str:
    """Which pair, preset and scale files a run reads, which lengths its scale cuts, which it is given in vain, and what
    no run of the experiment's sweep has.

    hydra: Hydra's own configuration, a node or what Hydra makes of it.
    """
    chosen = hydra.runtime.choices
    files = [f"{group.split('@')[0]}/{choice}" for group, choice in chosen.items() if group.startswith(_OPTIONAL)]
    read = [name for name in files if (CONF / f"{name}.yaml").exists()]
    cuts = cut_by_scale(config)
    return "\n".join(
        [
            f"scale {chosen['scale']}" + (f" cuts {', '.join(cuts)}" if cuts else " cuts nothing"),
            f"preset {chosen['preset']}; also read: {', '.join(read) if read else 'nothing'}",
            *(f"{given} changes nothing with {what}" for given, what in _in_vain(config, chosen)),
            *_of_no_cell(hydra),
        ]
    )


def _of_no_cell(hydra: Any) -> Iterator[str]:
    """What a single run of an experiment has chosen of a group that the experiment's sweep goes through, where it is
    none of these: a sweep's choices are not those of a run by itself."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import Glob
    from hydra.types import RunMode

    if hydra.mode == RunMode.MULTIRUN:
        return
    chosen, params = hydra.runtime.choices, hydra.sweeper.params or {}
    groups = [f"{key}={value}" for key, value in params.items() if key in chosen]
    for swept in OverridesParser.create().parse_overrides(groups):
        if isinstance(swept.value(), Glob):
            continue  # of all that there is
        key = swept.key_or_group
        of_sweep = [*swept.sweep_string_iterator()] if swept.is_sweep_override() else [str(swept.value())]
        if chosen[key] not in of_sweep:
            only = ",".join(of_sweep)
            whose = chosen.get("experiment") or "this configuration"  # one's own may have no experiments
            yield f"{key}={chosen[key]} is in no run of {whose}'s sweep, which has {key}={only}"


def _in_vain(config: DictConfig, chosen: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is given and not asked for, and with what: lengths and batches of a training on labeled inputs with a
    learner, cuts with pictures that nobody labeled, but for those by the scale."""
    last = None if config.last_batch == "smaller" else config.last_batch
    given = {"match_steps": "true" if config.match_steps else None, "steps": config.steps, "last_batch": last}
    asked = str(OmegaConf.to_container(config.learner, resolve=False))
    for key, value in given.items():
        if value is not None and f"${{{key}}}" not in asked:
            yield f"{key}={value}", f"learner={chosen['learner']}"
    written = OmegaConf.to_container(config, resolve=False)
    for path in _never_cut(config):
        if isinstance(cut := value_at(written, path), int):
            yield f"{path}={cut}", "dataset.class_names"


def _never_cut(config: DictConfig) -> tuple[str, ...]:
    """What a scale says in vain: of pictures that nobody labeled all are the pool, and there are no others."""
    return _CUTS if config.dataset.get("class_names") is not None else ()


def cut_by_scale(config: DictConfig) -> list[str]:
    """Each value that the scale changes of the procedure and of what this is made of, as "learner.epochs 80 -> 40"."""
    uncut = copy.deepcopy(config)
    OmegaConf.set_readonly(uncut, False)
    uncut.scale = OmegaConf.load(CONF / "scale" / "paper.yaml")
    written, found = OmegaConf.to_container(config, resolve=False), []
    for path in _scaled_paths(written, "procedure", set(_never_cut(config))):
        before, after = OmegaConf.select(uncut, path), OmegaConf.select(config, path)
        if before != after:
            found.append(f"{path} {'all' if before is None else before} -> {after}")
    return found


def _scaled_paths(written: Any, path: str, seen: set[str]) -> Iterator[str]:
    """The values that say a scale, below a path and where these refer to, each once. written: the whole configuration,
    interpolations as written; seen: paths that are passed over."""
    if path in seen:
        return
    seen.add(path)
    value = value_at(written, path)
    if isinstance(value, str) and "${scale." in value:
        yield path
    for name in REFERENCE.findall(value) if isinstance(value, str) else [f"{path}.{key}" for key in keys_of(value)]:
        yield from _scaled_paths(written, name, seen)
