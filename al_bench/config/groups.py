"""The groups of `conf/` and the choices in them."""

from pathlib import Path

CONF = Path(__file__).parents[2] / "conf"


def members(group: str) -> list[str]:
    """The choices of a group, sub-folders included."""
    folder = CONF / group
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.yaml"))
