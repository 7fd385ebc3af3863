"""The groups of `conf/` and the choices in them; what stands in the place of a name that is none."""

import difflib
from collections.abc import Sequence
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]  # which has conf where it is installed, and beside it in a checkout
CONF = (_PACKAGE if (_PACKAGE / "conf").exists() else _PACKAGE.parent) / "conf"


def members(group: str) -> list[str]:
    """The choices of a group, sub-folders included."""
    folder = CONF / group
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.yaml"))


def users_of(group: str) -> dict[str, list[str]]:
    """The choices, by their group, that take one of `group` as a part of themselves."""
    found: dict[str, list[str]] = {}
    for path in sorted(CONF.glob("*/*.yaml")):
        if f"/{group}@_here_" in path.read_text():
            found.setdefault(path.parent.name, []).append(path.stem)
    return found


def name_known(key: str, names: Sequence[str]) -> str:
    """What may stand in the place of a key that is not known."""
    names = [name for name in names if name not in ("self", "params")]
    if not names:
        return "there is nothing to set"
    close = difflib.get_close_matches(key, names, 1)
    return (f"did you mean {close[0]}? Use one of " if close else "use one of ") + ", ".join(names)
