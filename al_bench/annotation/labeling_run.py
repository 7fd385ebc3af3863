"""What the folder of a labeling run says: what is asked, what was answered, which pictures there are."""

from pathlib import Path

from al_bench.annotation.known_pictures import KnownPictures
from al_bench.errors import UserError
from al_bench.storage.answers import LABELS, Answer, Answers, LabelLog
from al_bench.storage.asked import AskedPicture, read_asked
from al_bench.storage.picture_list import PICTURES, PictureList


class LabelingRun:
    """What the folder of a labeling run says at this moment.

    root: the folder of pictures, needed where the run has not asked yet. classes: all, in order. asked: what is asked
    for; cycle: the newest model's. Raises UserError for a folder of anything else.
    """

    def __init__(self, folder: Path, root: Path | None = None) -> None:
        asked = read_asked(folder)
        root = Path(asked.root) if asked else root
        if root is None:
            raise UserError(
                f"{folder} is not the folder of a run that a person labels: name one of oracle=human or oracle=files"
            )
        self.log = LabelLog(folder / LABELS)
        self.answers = Answers(self.log.read_new())
        self.pictures = PictureList(folder / PICTURES)
        self.root, self.known = root, KnownPictures(self.pictures, root)
        self.classes = list(dict.fromkeys([*(asked.classes if asked else ()), *self.answers.classes]))
        self.asked = asked.pictures if asked else []
        self.cycle = asked.cycle if asked else None

    def given(self) -> list[tuple[str, Answer]]:
        """The answers that hold, with the name that each picture has now; without those of pictures that are gone and
        whose name another has."""
        named = [(self.known.name(answer.position) or answer.file, answer) for answer in self.answers.given()]
        return [(name, answer) for name, answer in named if self.pictures.position(name) in (answer.position, None)]

    def open(self) -> list[AskedPicture]:
        """The pictures that are asked for, are there and have no answer, by the names that they have now; those that
        were put off come last. Raises UserError where their folder is gone."""
        if not self.root.is_dir():
            raise UserError(
                f"{self.root}, the folder of pictures, is gone: put it back, or start the run with its place"
            )
        waiting = [one for one in self.asked if not self.answers.answer(one.position)]
        named = [one.model_copy(update={"file": self.known.name(one.position) or one.file}) for one in waiting]
        there = [one for one in named if (self.root / one.file).is_file()]
        return sorted(there, key=lambda one: one.position in self.answers.later)
