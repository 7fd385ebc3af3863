"""What the four papers show: every table and figure, and the experiments that make them.

`conf/experiment/contents.csv`: paper, item, holds (what of: a table or a figure, numbers or claims in the text, a
picture, settings), experiments (apart by blanks; empty where none is of it), reason (why there is none).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from al_bench.analysis.conf_table import Row, read_rows
from al_bench.config.groups import CONF
from al_bench.errors import UserError

_COLUMNS = ("paper", "item", "holds", "experiments", "reason")
HOLDS = ("table", "figure", "numbers in the text", "claims in the text", "picture", "settings")


@dataclass(frozen=True)
class Item:
    """One table or figure. reason: why no experiment is of it, "" where one is."""

    paper: str
    item: str
    holds: str
    experiments: Sequence[str]
    reason: str

    @property
    def name(self) -> str:
        return f"{self.paper} {self.item}"


def read_contents(conf: Path = CONF) -> list[Item]:
    """In the file's order. Raises UserError for a row that is no item."""
    path = conf / "experiment" / "contents.csv"
    try:
        return [_item(number, row, conf) for number, row in enumerate(read_rows(path, _COLUMNS), 2)]
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error


def choose_items(items: Sequence[Item], paper: str | None, item: str | None) -> list[Item]:
    """Those of a paper, of a name such as "Tab. 4", or all. Raises UserError where there are none."""
    of_paper = [one for one in items if paper is None or one.paper.lower() == paper.lower()]
    found = [one for one in of_paper if item is None or one.item == item]
    if not found:
        asked = " ".join(word for word in (paper, item) if word)
        known = ", ".join(one.name for one in of_paper or items)
        raise UserError(f"{asked} is no table or figure, use one of {known}")
    return found


def dataset_of(experiment: str, conf: Path = CONF) -> str:
    """The data set that an experiment's file chooses, or that every run has which chooses none."""
    text = (conf / "experiment" / f"{experiment}.yaml").read_text(encoding="utf-8")
    chosen = [item for item in (yaml.safe_load(text) or {}).get("defaults", ()) if isinstance(item, dict)]
    return next((str(item["override /dataset"]) for item in chosen if "override /dataset" in item), _default(conf))


def _default(conf: Path) -> str:
    named = yaml.safe_load((conf / "config.yaml").read_text(encoding="utf-8"))["defaults"]
    return next(str(item["dataset"]) for item in named if isinstance(item, dict) and "dataset" in item)


def has_data(dataset: str, data: Path, conf: Path = CONF) -> bool:
    """Whether the folder of a data set is there, below `data`; one that needs no folder always is."""
    root = str(_keys_of(dataset, conf).get("root", ""))
    return not root.startswith("${paths.data}/") or (data / root.removeprefix("${paths.data}/")).exists()


def format_of(dataset: str, conf: Path = CONF) -> str | None:
    """The form of its files that a data set is read from where a run says none; None of one that has but one form."""
    return _keys_of(dataset, conf).get("format")


def _keys_of(dataset: str, conf: Path) -> dict[str, Any]:
    """Of its file; empty where there is none."""
    path = conf / "dataset" / f"{dataset}.yaml"
    node = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("dataset") if path.exists() else None
    return node or {}


def _item(number: int, row: Row, conf: Path) -> Item:
    if row["holds"] not in HOLDS:
        raise ValueError(f"row {number}: holds is {row['holds']!r}, use one of {', '.join(HOLDS)}")
    experiments = row["experiments"].split()
    if bool(experiments) == bool(row["reason"]):
        raise ValueError(f"row {number}: name experiments, or the reason why there is none")
    if missing := [name for name in experiments if not (conf / "experiment" / f"{name}.yaml").exists()]:
        raise ValueError(f"row {number}: there is no experiment {missing[0]}")
    return Item(row["paper"], row["item"], row["holds"], experiments, row["reason"])
