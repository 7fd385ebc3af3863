"""The groups of `conf/` and the choices in them."""

from pathlib import Path

CONF = Path(__file__).parents[2] / "conf"


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
