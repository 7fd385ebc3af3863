"""Whether a run that a person labels goes on after all was labeled; light, since every start of such a run asks it."""

from pathlib import Path

from al_bench.files import read_json
from al_bench.sources.listing import is_text, picture_files
from al_bench.storage.answers import LABELS
from al_bench.storage.lines import read_lines
from al_bench.storage.picture_list import PICTURES, PictureList

TAKEN = "taken.json"  # which answers the last cycle has, of a run's folder
FILES_TAKEN = "labels_taken.json"  # sums of the files of answers that were taken in


def has_grown(run: Path, root: str | None) -> bool:
    """Whether pictures or lines of answers came that the last cycle of a run has not. run: its folder, root: that of
    its pictures; False where it is gone, and of a run that nobody labels. Raises UserError for a corrupted list."""
    if root is None or not (run / PICTURES).exists():
        return False
    try:
        found = [file for file in picture_files(Path(root).expanduser()) if is_text(file.name)]
    except OSError:
        return False
    return _lines_taken(run) != len(read_lines(run / LABELS)) or not PictureList(run / PICTURES).has_all(found)


def _lines_taken(run: Path) -> int | None:
    try:
        return int(read_json(run / TAKEN)["lines"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
