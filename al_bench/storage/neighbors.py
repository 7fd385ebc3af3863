"""Runs that lie beside a run: a person who changed a setting is told which, and where answers to the pictures are."""

import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path

from al_bench.config.values import differences, value_at
from al_bench.errors import UserError, amount
from al_bench.files import read_json
from al_bench.sources.listing import picture_files
from al_bench.storage.answers import LABELS, Answers, LabelLog
from al_bench.storage.picture_list import PICTURES, PictureList
from al_bench.storage.stored import Plain

_MOST, _LONGEST = 4, 240  # differences that are said, and characters of each
_FILES = "dataset.files "  # how the difference of two folders of pictures begins


def say_nearest(folder: Path, identity: Plain, about: Plain) -> str:
    """In what a run that begins is another than the one of its label and seed beside it that is the most like it, and
    where most answers to the same pictures are; "" where neither is there, and of a run that has answers of its own.

    folder, identity: of the run; about: what is stored beside that. What cannot be read there is nobody's neighbor.
    """
    if _count_answers(folder):
        return ""
    found = [
        (differences(stored["identity"], identity), path, stored)
        for path, stored in _stored(folder.parent)
        if path != folder and stored["label"] == about["label"]
    ]
    answers = _say_answers(folder, about)
    if not found:
        return f"a new run{answers}" if answers else ""
    told, path, stored = min(found, key=lambda one: len(one[0]))
    told = [_say_folders(stored, about) if line.startswith(_FILES) else line for line in told]
    more = f"; and {len(told) - _MOST} more" if len(told) > _MOST else ""
    said = "; ".join(textwrap.shorten(line, _LONGEST, placeholder=" …") for line in told[:_MOST])
    return f"a new run, not {path.name} beside it: {said}{more}{answers}"


def _stored(place: Path) -> Iterator[tuple[Path, Plain]]:
    """The folders of runs in a place, with what is stored of each beside its records."""
    for path in sorted(place.glob("*/config.json")):
        try:
            stored = read_json(path)
            if isinstance(stored["identity"], dict) and isinstance(stored["label"], str):
                yield path.parent, stored
        except (OSError, ValueError, KeyError, TypeError):
            continue


def _say_folders(stored: Plain, about: Plain) -> str:
    """A difference of folders of pictures, for the numbers that stand for them say nothing to a person."""
    there, here = (value_at(one, "config.dataset.root") for one in (stored, about))
    if there == here:
        return f"dataset.root={here} held other pictures there"
    return f"dataset.root is {there} there and {here} here"


def _say_answers(folder: Path, about: Plain) -> str:
    """Where the most answers to the pictures that a person is to label are, and how they come along; "" where none
    are, or the command names a file of some."""
    root, classes = (value_at(about, f"config.dataset.{key}") for key in ("root", "class_names"))
    place = _outputs(folder, about["label"])
    if root is None or classes is None or place is None or value_at(about, "config.oracle.labels") is not None:
        return ""
    labeled = [(count, run) for run in _labeled(place, about["label"]) if (count := _count_answers(run))]
    for count, run in sorted(labeled, key=lambda one: -one[0]):
        if run != folder and _has_pictures_of(run, Path(str(root)).expanduser()):
            return (
                f"; {run} has {amount(count, 'answer')} to these pictures, which come along by `python "
                f"scripts/labels.py export {shlex.quote(str(run))}`, then oracle.labels={run / 'labels.csv'}"
            )
    return ""


def _outputs(folder: Path, label: str) -> Path | None:
    """Where runs of all labels lie, None of a run that lies elsewhere."""
    parts = label.split("/")
    return folder.parents[len(parts)] if folder.parent.parts[-len(parts) :] == tuple(parts) else None


def _labeled(outputs: Path, label: str) -> list[Path]:
    """All runs that a person labels, whatever data set, strategy or seed: labels have as many parts."""
    return sorted(path.parent for path in outputs.glob(f"{'*/' * (label.count('/') + 2)}{LABELS}"))


def _count_answers(run: Path) -> int:
    try:
        return len(Answers(LabelLog(run / LABELS).read_new()).given())
    except (UserError, OSError):
        return 0


def _has_pictures_of(run: Path, root: Path) -> bool:
    """Whether a run labels this folder's pictures, wherever they lay: at least half have the name and size."""
    try:
        stored = read_json(run / "config.json")["config"]["dataset"]["root"]
        if Path(str(stored)).expanduser().resolve() == root.resolve():
            return True
        known = {(file.name, file.size) for file in PictureList(run / PICTURES).files}
        found = [(file.name, file.size) in known for file in picture_files(root)]
    except (UserError, OSError, ValueError, KeyError, TypeError):
        return False
    return 2 * sum(found) >= max(1, len(found))
