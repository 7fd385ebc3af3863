"""What a method of `conf/method` is made of, and what of it a run has otherwise."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import yaml

from al_bench.config.groups import CONF
from al_bench.config.validation import show
from al_bench.config.values import REFERENCE, plain

_PARTS = ("strategy", "learner", "network", "preset")  # groups: with another one of these it is another method


def changes(choices: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """What a run has otherwise than the method that was chosen for it says, as a command line says it: learner=mal,
    recipe.optimizer.lr=0.5. What the method does not set is no change, nor what it takes from elsewhere.

    choices: Hydra's, by group; config: the run's, in plain containers.
    """
    parts, node = _made_of(str(choices.get("method", "none")))
    found = [f"{group}={choices.get(group)}" for group, choice in parts.items() if choices.get(group) != choice]
    return [*found, *_otherwise(node, config, "")]


def _otherwise(method: Mapping[str, Any], run: Mapping[str, Any], path: str) -> Iterator[str]:
    """A key that the run has not is of another version, or of a part that is told already."""
    for key, value in method.items():
        if key not in run or (isinstance(value, str) and REFERENCE.search(value)):
            continue
        if isinstance(value, Mapping) and isinstance(run[key], Mapping):
            yield from _otherwise(value, run[key], f"{path}{key}.")
        elif plain(value) != plain(run[key]):
            yield f"{path}{key}={show(run[key])}"


@cache
def _made_of(method: str) -> tuple[dict[str, str], dict[str, Any]]:
    """The parts that a method chooses and the values that it sets, those of methods that it begins with among them; of
    one that is in no file of ours nothing is known."""
    path = CONF / "method" / f"{method}.yaml"
    written: dict[str, Any] = (yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None) or {}
    parts, node = dict[str, str](), dict[str, Any]()
    for entry in written.pop("defaults", ()):
        if isinstance(entry, str) and entry.startswith("/method/"):
            inherited, values = _made_of(entry.removeprefix("/method/"))
            parts, node = {**parts, **inherited}, _merged(node, values)
        elif isinstance(entry, Mapping):
            chosen = {str(group).removeprefix("override /"): str(choice) for group, choice in entry.items()}
            parts |= {group: choice for group, choice in chosen.items() if group in _PARTS}
    return parts, _merged(node, written)


def _merged(node: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """As Hydra does it: mappings by their keys, all else replaced."""
    both = {key: _merged(node[key], value) for key, value in other.items() if _is_in_both(node.get(key), value)}
    return {**node, **other, **both}


def _is_in_both(one: Any, other: Any) -> bool:
    return isinstance(one, Mapping) and isinstance(other, Mapping)
