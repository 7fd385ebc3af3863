"""Which of what is stored a person, or an experiment, asked for."""

from collections.abc import Mapping, Sequence, Set
from glob import escape
from pathlib import Path

from al_bench.analysis.reading import StoredRuns, add_artifacts, add_runs
from al_bench.errors import UserError
from al_bench.storage.cell import SUFFIX, id_of
from al_bench.storage.folder import run_folders


def stored_at(places: Sequence[str], outputs: Path, cells: Path) -> StoredRuns:
    """The runs that a person named: folders, exported files, or ids. Raises UserError where a name leads nowhere."""
    found = StoredRuns(named=True)
    paths = [path for place in places for path in _places(place, outputs, cells)]
    add_runs(paths, found)
    roots = {run.place.parents[3] / "artifacts" for run in found.runs if run.has_tensors and len(run.place.parents) > 3}
    add_artifacts([*sorted(roots), outputs / "artifacts"], found)
    return found


def stored_of(labels: Mapping[str, str], outputs: Path, cells: Path) -> StoredRuns:
    """The runs of these ids wherever they are, and every run that bears one of their labels. labels: by id."""
    found = StoredRuns(named=True)
    starts = {label.replace("/", "-") for label in labels.values()}
    folders = [
        folder
        for folder in run_folders(outputs)
        if folder.name in labels or folder.relative_to(outputs).parent.as_posix() in labels.values()
    ]
    files = [
        file for file in sorted(cells.glob(f"*{SUFFIX}")) if _told_apart(file.name.removesuffix(SUFFIX), labels, starts)
    ]
    add_runs([*folders, *files], found)
    add_artifacts([outputs / "artifacts"], found)
    return found


def stored_of_task(task: str, outputs: Path, cells: Path) -> StoredRuns:
    """The runs that have the task, such as fashion_mnist-waal, in their path or at the head of their file's name, and
    maybe others; no artifact."""
    found = StoredRuns(named=True)
    folders = [folder for folder in run_folders(outputs) if task in folder.absolute().parts]
    add_runs([*folders, *sorted(cells.glob(f"{escape(task)}-*{SUFFIX}"))], found)
    return found


def _told_apart(stem: str, labels: Mapping[str, str], starts: Set[str]) -> bool:
    start, _, own = stem.rpartition("-")
    return own in labels or start in starts


def _places(place: str, outputs: Path, cells: Path) -> list[Path]:
    path = Path(place)
    if path.exists():
        return [path]
    named = place if place.isalnum() and len(place) >= 4 else "/"
    folders = [folder for folder in run_folders(outputs) if folder.name.startswith(named)]
    files = [file for file in cells.glob(f"*{SUFFIX}") if id_of(file).startswith(named)]
    if not folders + files:
        raise UserError(
            f"{place} is no run: use a run's folder, an exported file, or at least four digits of the id of a run "
            f"under {outputs} or {cells}"
        )
    return folders + files
