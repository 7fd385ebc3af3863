"""Folders of configurations beside conf/, as `hydra.searchpath` names them on a command line."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from al_bench.config.groups import CONF

ITEM = r"""\s*'(?:[^'\\]|\\.)*'\s*|\s*"(?:[^"\\]|\\.)*"\s*|[^\[\]{}'",]*"""  # of a list: with quotes or without


def items_of(listed: str) -> list[str]:
    """Of a list as it is written, each with its quotes."""
    return [item.strip() for item in re.findall(rf"(?:^|,)({ITEM})", listed.removeprefix("[").removesuffix("]"))]


def missing_folder(argument: str) -> str | None:
    """A sentence about the first entry of a search path that is no folder, of which Hydra would say nothing."""
    for folder in _folders(argument):
        if not Path(folder).is_dir():
            return (
                f"{argument}: {folder} is not a folder: name one that holds configurations, as file://$PWD/mine/configs"
            )
    return None


def folder_with(experiment: str, overrides: Sequence[str], conf: Path = CONF) -> Path:
    """The folder of configurations that an experiment's file is in: `conf`, or else the first that the search path
    among the overrides names, as Hydra has it. `conf` where none of them has it, as the folder of a package."""
    folders = [conf, *(Path(folder) for argument in overrides for folder in _folders(argument))]
    return next((folder for folder in folders if (folder / "experiment" / f"{experiment}.yaml").is_file()), conf)


def _folders(argument: str) -> Iterator[str]:
    """The entries of a search path that are folders of files; none of another argument."""
    key, _, value = argument.lstrip("+").partition("=")
    for entry in items_of(value) if key == "hydra.searchpath" else ():
        folder = entry.strip("'\"").replace("\\'", "'").removeprefix("file://")
        if folder and "://" not in folder:
            yield folder
