"""Answers and queries of a labeling run out of its folder, at any time: the run and the page may go on meanwhile.

Formats are `spreadsheet.py` and `label_studio.py`; the way back is `importing.py`.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from al_bench.annotation.label_studio import (
    answered_task,
    asked_task,
    is_label_config,
    label_config,
    read_label_studio,
)
from al_bench.annotation.labeling_run import LabelingRun
from al_bench.annotation.rows import Row
from al_bench.annotation.spreadsheet import answers_as_csv, query_as_csv, read_csv
from al_bench.errors import UserError, printable
from al_bench.files import output_file, write_json, written_whole
from al_bench.storage.answers import Answer, LabelLog
from al_bench.storage.asked import PAGE, QUERY, RUN_ID
from al_bench.storage.grown import FILES_TAKEN, TAKEN
from al_bench.storage.picture_list import AUDIT, AUDIT_DRAWN

logger = logging.getLogger(__name__)

LABEL_CONFIG = "label_config.xml"
TASKS_CSV, TASKS_JSON = "tasks.csv", "tasks.json"
ANSWERED = ("answers.csv", "answers.json", TASKS_CSV)  # what a person puts into the folder of a run

# of those that end as an export does
_OF_THE_RUN = frozenset({"config.json", QUERY, PAGE, RUN_ID, AUDIT, AUDIT_DRAWN, TAKEN, FILES_TAKEN})
_TAKEN_ASIDE = ".taken-"  # in the names of what a person had put there


def write_csv(folder: Path, path: Path, query: bool = False) -> int:
    """Writes the answers that hold as CSV, or the query, a table to be filled in. Returns the number of rows.

    A query begins with a byte order mark, by which spreadsheets know UTF-8.
    """
    run, place = LabelingRun(folder), _free_to_write(folder, path)
    if query:
        asked = run.open()
        text, count = "\ufeff" + query_as_csv(asked), len(asked)
    else:
        given = run.given()
        text, count = answers_as_csv(given), len(given)
        refuse_edited(run, place)
    with written_whole(output_file(place)) as file:
        file.write(text.encode(errors="backslashreplace"))
    return count


def write_label_studio(folder: Path, path: Path, query: bool = False, pictures_at: str | None = None) -> int:
    """Writes the answers that hold as tasks of Label Studio with annotations, or the query as tasks with predictions;
    and beside them the labeling interface, where nobody's own is there. Returns the number of tasks.

    pictures_at: what comes before the name of a picture in its address; None: Label Studio's of local files, where its
    document root is the folder above that of the pictures; "": nothing.
    """
    run, place = LabelingRun(folder), _free_to_write(folder, path)
    if pictures_at is None:
        pictures_at = f"/data/local-files/?d={quote(run.root.name)}/"
    if query:
        model = "al_bench" if run.cycle is None else f"cycle {run.cycle}"
        tasks = [asked_task(one, pictures_at, model) for one in run.open()]
    else:
        tasks = [answered_task(file, answer, pictures_at) for file, answer in run.given()]
        refuse_edited(run, place)
    write_json(output_file(place), tasks)
    _write_interface(path.with_name(LABEL_CONFIG), run.classes)
    return len(tasks)


def read_answers(path: Path) -> list[Row]:
    """The answers of a file: of Label Studio where its name ends in .json, else a CSV file. Raises UserError."""
    return read_label_studio(path) if path.suffix.lower() == ".json" else read_csv(path)


def refuse_answered(path: Path) -> None:
    """Raises UserError where a file has answers, which would be lost, or is none of answers or tasks."""
    if path.exists() and read_answers(path):
        raise UserError(f"{path} has answers that would be lost: import it first, or name another file by --to")


def refuse_edited(run: LabelingRun, path: Path) -> None:
    """Raises UserError where a file has an answer that the run never had: somebody changed it there and has not brought
    it in, or it is of another run. What is no file of answers is the user's to name."""
    try:
        rows = read_answers(path) if path.is_file() else []
    except UserError:
        return
    names, labels = defaultdict[int, set[str]](set), defaultdict[int, set[str | None]](set)
    for line in LabelLog(run.log.path).read_new():
        if isinstance(line, Answer):
            names[line.position] |= {printable(line.file), printable(run.known.name(line.position) or line.file)}
            labels[line.position].add(None if line.label is None else printable(line.label))
    ever = {(name, label) for position, own in names.items() for name in own for label in labels[position]}
    if other := next((row for row in rows if (printable(row.file), row.label) not in ever), None):
        raise UserError(
            f"{other.place} has an answer to {printable(other.file)} that the run never had, and it would be lost: "
            f"import {path} first, or name another file by --to"
        )


def _write_interface(path: Path, classes: Sequence[str]) -> None:
    """What a person made of it, with keys or instructions, stays."""
    try:
        is_own = path.is_symlink() or not is_label_config(path.read_bytes().decode())
    except FileNotFoundError:
        is_own = False
    except (OSError, UnicodeDecodeError):
        is_own = True
    if is_own:
        logger.warning(
            f"{path} is not as al_bench writes it, and stays: see that it has the run's {len(classes)} classes"
        )
        return
    with written_whole(path) as file:
        file.write(label_config(classes).encode())


def _free_to_write(folder: Path, path: Path) -> Path:
    place, own = path.parent.resolve(), folder.resolve()
    is_export = path.suffix.lower() in (".csv", ".json") and path.name not in _OF_THE_RUN
    if own in place.parents or (own == place and (not is_export or _TAKEN_ASIDE in path.name)):
        raise UserError(f"{path} is a file that the run itself needs: choose another place or name")
    if own == place and path.name in ANSWERED:
        refuse_answered(path)
    return path
