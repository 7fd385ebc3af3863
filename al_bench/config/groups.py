"""The groups of `conf/` and the choices in them; what stands in the place of a name that is none."""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

_PACKAGE = Path(__file__).parents[1]  # which has conf where it is installed, and beside it in a checkout
CONF = (_PACKAGE if (_PACKAGE / "conf").exists() else _PACKAGE.parent) / "conf"


def members(group: str) -> list[str]:
    """The choices of a group, sub-folders included."""
    folder = CONF / group
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.yaml"))


def is_group(key: str) -> bool:
    """Whether a key of a command line, without what stands behind an @, is one of ours."""
    return bool(key) and (CONF / key.partition("@")[0]).is_dir()


def users_of(group: str) -> dict[str, list[str]]:
    """The choices, by their group, that take one of `group` as a part of themselves."""
    found: dict[str, list[str]] = {}
    for path in sorted(CONF.glob("*/*.yaml")):
        if f"/{group}@_here_" in path.read_text():
            found.setdefault(path.parent.name, []).append(path.stem)
    return found


def places_of(key: str) -> list[str]:
    """Where a key of a group's choices says that its value stands: recipe.optimizer, of learner.optimizer."""
    group, *inside = key.split(".")
    found = []
    for path in sorted((CONF / group).rglob("*.yaml")):
        written: Any = yaml.safe_load(path.read_text()) or {}
        for name in (group, *inside) if group in written else inside:
            written = written.get(name) if isinstance(written, dict) else None
        if isinstance(written, str) and (place := re.fullmatch(r"\$\{([\w.]+)\}", written)):
            found.append(place[1])
    return list(dict.fromkeys(found))


def name_chosen(made: object) -> str:
    """What a user chose a part by, "network=drn": every choice that makes one of its class, or the class where none
    does."""
    kind = type(made)
    package, *family = kind.__module__.split(".")
    if package != __name__.partition(".")[0] or not family or not (CONF / family[0]).is_dir():
        return kind.__name__
    target = f"{kind.__module__}.{kind.__qualname__}"
    choices = [choice for choice in members(family[0]) if _target_of(family[0], choice) == target]
    return f"{family[0]}={' or '.join(choices)}" if choices else kind.__name__


def _target_of(group: str, choice: str) -> str | None:
    """The class that a choice makes, by its own file or by the one that it begins with."""
    written: dict[str, Any] = yaml.safe_load((CONF / group / f"{choice}.yaml").read_text()) or {}
    node = written.get(group, written)  # of a file that chooses other groups, too
    if "_target_" in node:
        return str(node["_target_"])
    begun = [entry for entry in written.get("defaults", ()) if entry in members(group)]
    return _target_of(group, begun[0]) if begun else None


def name_known(key: str, names: Sequence[str]) -> str:
    """What may stand in the place of a key that is not known."""
    names = [name for name in names if name not in ("self", "params")]
    if not names:
        return "there is nothing to set"
    close = difflib.get_close_matches(key, names, 1) if key != "null" else []
    return (f"did you mean {close[0]}? Use one of " if close else "use one of ") + ", ".join(names)
