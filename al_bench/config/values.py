"""Configurations as plain values, and how two of them differ."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from al_bench.config.groups import CONF

REFERENCE = re.compile(r"\$\{([\w.]+)\}")  # in text: a value that stands elsewhere, where a user would change it
_PROJECT = "|".join(sorted({re.escape(f"{folder}/") for folder in (CONF.parent, CONF.parent.resolve())}))
_IN_PROJECT = re.compile(rf"(?<![^\s=:,'\"\[({{])(?:{_PROJECT})")  # where a path begins


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


def value_at(container: Any, path: str) -> Any:
    """What stands at a path, such as learner.optimizer.lr, in plain containers; None where nothing does."""
    for key in path.split("."):
        if isinstance(container, Mapping):
            container = container.get(key)
        elif isinstance(container, list) and key.isdigit() and int(key) < len(container):
            container = container[int(key)]
        else:
            return None
    return container


def keys_of(value: Any) -> list[str]:
    """The parts of a path that lead on from a mapping or a list; none from all else."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [str(number) for number in range(len(value))]
    return [str(key) for key in value] if isinstance(value, Mapping) else []


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


def from_project(text: str) -> str:
    """Text for a person, in which paths inside the project's folder, where commands are typed, begin there."""
    return _IN_PROJECT.sub("", text)


def read_value(text: str) -> Any:
    """The value that `text` is on a command line: a number, a word, a list, a node."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    return OverridesParser.create().parse_override(f"key={text}").value()


def say_value(text: str) -> str:
    """A value of a command line for a person: a node by its class and arguments, anything else as it is."""
    node = read_value(text) if text.startswith("{") else None
    if not isinstance(node, dict) or "_target_" not in node:
        return text
    own = [f"{key.replace('_', ' ')} {value}" for key, value in node.items() if not key.startswith("_")]
    return f"{node['_target_'].rsplit('.', 1)[-1]}{' (' + ', '.join(own) + ')' if own else ''}"
