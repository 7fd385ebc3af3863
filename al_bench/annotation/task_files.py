"""Labeling without a page: what is asked as files in a run's folder, and what a person put beside them.

Out: `tasks.csv`, to be filled in, `tasks.json` and `label_config.xml` for Label Studio. In: `tasks.csv` filled in,
`answers.csv` or `answers.json`.
"""

import os
from pathlib import Path

from al_bench.annotation.exchange import ANSWERED, TASKS_CSV, TASKS_JSON, read_answers, write_csv, write_label_studio
from al_bench.annotation.importing import Taken, import_answers


def write_tasks(folder: Path) -> int:
    """Writes what is asked and not answered; returns how many pictures that is.

    A `tasks.csv` with answers that were not taken stays as it is.
    """
    table = folder / TASKS_CSV
    if not (table.exists() and read_answers(table)):
        write_csv(folder, table, query=True)
    return write_label_studio(folder, folder / TASKS_JSON, query=True)


def take_answers(folder: Path, new_classes: bool = False) -> Taken | None:
    """Takes in what a person put into the folder, once: each file is then called `answers.taken-1.csv`,
    `tasks.taken-1.csv` and so on.

    new_classes: whether a class that there is not is added. Returns None where there are no answers. Raises UserError,
    takes nothing and leaves the files where they are, for what cannot be taken, see `import_answers`.
    """
    places = [folder / name for name in ANSWERED]
    found = {path: rows for path in places if os.path.lexists(path) and (rows := read_answers(path))}
    if not found:
        return None
    taken = import_answers(folder, [row for rows in found.values() for row in rows], new_classes, guess_shown=True)
    for path in found:
        _move_aside(path)
    return taken


def _move_aside(path: Path) -> None:
    number = 1
    while (aside := path.with_name(f"{path.stem}.taken-{number}{path.suffix}")).exists():
        number += 1
    path.rename(aside)
