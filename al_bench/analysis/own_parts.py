"""What may be made of a stored configuration: our own data sets, GANs and networks, from this machine's own places.

What is stored is data, whoever wrote it. So only parts that declare a name are made of it, a data set with the settings
that `conf/` has for it; where files lie is the reader's to say, and what their content has to be the project's.
"""

import os
import pkgutil
import re
from collections.abc import Mapping, Sequence
from functools import cache
from inspect import isclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import yaml

from al_bench.active.part import Declared
from al_bench.config.experiment import made
from al_bench.config.groups import CONF
from al_bench.config.validation import refuse_arguments
from al_bench.errors import UserError

_FAMILIES = {  # of what is made, those inside it
    "dataset": ("dataset",),
    "gan": ("gan", "network", "schedule"),
    "network": ("network",),
}
_OURS = re.compile(r"al_bench\.(dataset|gan|network|training)(\.[a-z]\w*)+\.[A-Za-z]\w*")
_TORCHS = re.compile(r"torch\.(nn|optim)\.[A-Z]\w*")  # activations and optimizers, as conf/gan has them
_REFERS = re.compile(r"\$\{|^\?\?\?$")  # what Hydra would put something else in the place of


def make_own(node: Any, family: str, places: Sequence[str] = (), decoded: str = "") -> Any:
    """The data set, the GAN or, to be called, the network that a stored node describes. Raises UserError as
    `own_node`, and where it cannot be made here."""
    own = {family: own_node(node, family, places, decoded)}
    refuse_arguments(own, own, family)
    return made(own[family])


def own_node(node: Any, family: str, places: Sequence[str], decoded: str) -> Any:
    """A stored node as it may be made.

    family: "dataset", "gan" or "network", which is asked for; places: the folders below which files may lie; decoded:
    where decoded pictures of them are kept. Raises UserError for a node that asks for another kind of thing, or for
    settings or files of its own.
    """
    if not isinstance(node, Mapping) or _family(node) != family:
        raise UserError(f"{_name(node)} is no {family} of ours, and nothing else is made of what is stored")
    if node.get("_partial_", False) is not (family == "network"):
        raise UserError(f"its {family}._partial_={node.get('_partial_')} is none of ours")
    return _own(node, family, family, places, decoded)


def _own(node: Any, name: str, top: str, places: Sequence[str], decoded: str) -> Any:
    """The same node where all of it may be made; name: of it, in sentences."""
    if isinstance(node, str) and _REFERS.search(node):
        raise UserError(f"its {name}={node} refers to something else, which is not followed")
    if isinstance(node, Sequence) and not isinstance(node, str):
        return [_own(item, f"{name}.{place}", top, places, decoded) for place, item in enumerate(node)]
    if not isinstance(node, Mapping):
        return node
    files = _files(node, name, top) if "_target_" in node else set()
    own = {key: _own(value, f"{name}.{key}", top, places, decoded) for key, value in node.items()}
    return own | {key: _place(key, own[key], name, top, places, decoded) for key in files}


def _files(node: Mapping[str, Any], name: str, top: str) -> set[str]:
    """The arguments of a node that are files or folders. Raises UserError where it is not one of ours."""
    family = _family(node)
    if family not in (*_FAMILIES[top], "torch"):
        raise UserError(f"its {name}={_name(node)} is not of ours, which is not made")
    given = [key for key in node if key not in ("_target_", "_partial_")]
    for key in given:
        if key.startswith("_") or (family == "dataset" and key not in _settings().get(node["_target_"], ())):
            raise UserError(f"it has {name}.{key} of its own, which conf/{family} sets nowhere and so is not believed")
    target = pkgutil.resolve_name(node["_target_"])
    hints = {} if family == "torch" else get_type_hints(target.__init__ if isclass(target) else target)
    named = target.__part__.files if family != "torch" else ()
    return {key for key in given if key in named or Path in (hints.get(key), *get_args(hints.get(key)))}


def _place(key: str, value: Any, name: str, top: str, places: Sequence[str], decoded: str) -> str | None:
    """A file or folder of a data set, which has to be below one of the places."""
    if key == "decoded":
        return decoded
    if value is None:
        return None
    if top != "dataset":
        raise UserError(f"its {name}.{key}={value} is a file, which is not read for it")
    path = os.path.normpath(_from_home(str(value)))
    below = (_from_root(path).is_relative_to(_from_root(_from_home(place))) for place in places)
    if path.startswith("~") or not any(below):
        raise UserError(
            f"its {name}.{key}={value} is not below {' or '.join(places)}: give its folder by --data to have it read"
        )
    return path


def _from_home(path: str) -> str:
    """As it is where it names the home of nobody here."""
    try:
        return str(Path(path).expanduser())
    except RuntimeError:
        return path


def _from_root(path: str) -> Path:
    """Links are not followed: where one inside a place leads is that of whoever made it."""
    return Path(os.path.normpath(Path.cwd() / path))


def _family(node: Mapping[str, Any]) -> str:
    """That of what a node makes: "torch" for an activation or an optimizer, nothing for what is no part of ours."""
    target, found = str(node.get("_target_")), None
    if _OURS.fullmatch(target) or _TORCHS.fullmatch(target):
        try:
            found = pkgutil.resolve_name(target)
        except (ImportError, AttributeError):
            return ""
    if _TORCHS.fullmatch(target) and node.get("_partial_") is True and _is_of_torch(found):
        return "torch"
    part = vars(found).get("__part__") if _OURS.fullmatch(target) and hasattr(found, "__dict__") else None
    return part.name.partition("/")[0] if isinstance(part, Declared) else ""


def _is_of_torch(found: Any) -> bool:
    import torch

    return isclass(found) and issubclass(found, torch.nn.Module | torch.optim.Optimizer)


def _name(node: Any) -> str:
    return str(node.get("_target_", "it")) if isinstance(node, Mapping) else "it"


@cache
def _settings() -> dict[str, set[str]]:
    """The settings that `conf/` has for each data set, by its target."""
    found: dict[str, set[str]] = {}
    for path in sorted((CONF / "dataset").rglob("*.yaml")):
        for node in _nodes(yaml.safe_load(path.read_text(encoding="utf-8"))):
            found.setdefault(node["_target_"], set()).update(node)
    return found


def _nodes(value: Any) -> list[dict[str, Any]]:
    """Every node in a value that makes something."""
    if not isinstance(value, dict):
        return []
    inside = [node for item in value.values() for node in _nodes(item)]
    return [value, *inside] if "_target_" in value else inside
