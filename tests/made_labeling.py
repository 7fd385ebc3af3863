"""Folders of labeling runs whose answers leave and come back in files."""

from pathlib import Path

import pytest

from al_bench.annotation.exchange import read_answers
from al_bench.annotation.importing import Taken, import_answers
from al_bench.errors import UserError
from al_bench.sources.listing import PictureFile
from al_bench.storage.answers import Answer, Answers, LabelLog, TakenBack, now
from al_bench.storage.asked import Asked, AskedPicture, write_asked
from al_bench.storage.picture_list import PictureList

WHEN = "2026-05-31T14:59:00.250+00:00"
NAMES = ["a.png", "sub/b.png", "=c.png", "'d.png", 'e "ü", f;.png', "pics/a.png", "100%20 +&.png"]
CLASSES = ["cat", 'a "dög"', "-1+2", "tell, cannot"]


class Labeling:
    """A labeling run's folder, as the run and the page make it."""

    def __init__(self, place: Path, names: list[str] = NAMES, classes: list[str] = CLASSES) -> None:
        self.folder, self.root = place / "run", place / "my pics" / "pics"
        self.names, self.classes = names, classes
        self.folder.mkdir(parents=True)
        for name in names:
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(name.encode(errors="surrogateescape"))
        found = [PictureFile(name, 10, 0) for name in names]
        PictureList(self.folder / "pictures.jsonl").look(found, {}, lambda name: None, print, lambda names: set())
        self.ask()

    def ask(self, pictures: list[AskedPicture] | None = None, **more) -> None:
        if pictures is None:
            pictures = [AskedPicture(position=one, file=name) for one, name in enumerate(self.names)]
        asked = {"root": str(self.root), "classes": self.classes, "state": "waiting", "said": ""} | more
        write_asked(self.folder, Asked(pictures=pictures, **asked))

    def answer(self, position: int, label: str | None, **more) -> Answer:
        one = Answer(**({"when": WHEN, "position": position, "file": self.names[position], "label": label} | more))
        self.append(one)
        return one

    def append(self, *lines) -> None:
        LabelLog(self.folder / "labels.jsonl").append(*lines)

    def holds(self) -> dict[str, str | None]:
        return {one.file: one.label for one in self.given()}

    def given(self) -> list[Answer]:
        return Answers(LabelLog(self.folder / "labels.jsonl").read_new()).given()

    def lines(self) -> bytes:
        path = self.folder / "labels.jsonl"
        return path.read_bytes() if path.exists() else b""

    def take(self, text: str | bytes, name: str = "in.csv", **more) -> Taken:
        path = self.folder.parent / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return import_answers(self.folder, read_answers(path), **more)

    def refuses(self, match: str, text: str | bytes, name: str = "in.csv", **more) -> None:
        before = self.lines()
        with pytest.raises(UserError, match=match):
            self.take(text, name, **more)
        assert self.lines() == before


def answer_all(run: Labeling) -> None:
    """Every class, cannot tell, answers taken back and given again, other persons."""
    for position in range(len(run.names)):
        label = [*run.classes, None][position % 5]
        run.answer(position, label, who=f"=anna {position}", seconds=position / 7 if position else None)
    run.answer(0, "cat")
    run.answer(0, None, who="b")
    run.append(TakenBack(when=now(), position=0, file="a.png"))


def exported(image: str, *labels: str | None, **data) -> dict:
    """A task as Label Studio exports it as JSON; None: it was skipped."""
    annotations = [
        {
            "id": 1001,
            "completed_by": {"id": 10, "email": "anna@example.org", "first_name": ""},
            "result": [
                {"id": "x", "from_name": "choice", "to_name": "image", "type": "choices", "value": {"choices": [label]}}
            ]
            if label is not None
            else [],
            "was_cancelled": label is None,
            "created_at": "2021-03-09T22:16:08.728353Z",
            "updated_at": "2021-03-09T23:16:08.728353+01:00",
            "lead_time": 4.288,
        }
        for label in labels
    ]
    return {"id": 1, "annotations": annotations, "drafts": [], "data": {"image": image} | data, "meta": {}}
