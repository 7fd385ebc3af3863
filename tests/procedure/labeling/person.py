"""Who answers while a run waits, in place of a person at the page."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from al_bench.storage.answers import Answer, Answers, LabelLog, now
from al_bench.storage.asked import Asked, read_asked
from al_bench.storage.record import CycleRecord

FAST = (
    "learner.epochs=10",
    "recipe.optimizer.lr=0.05",
    "network=linear",
    "dataset.image_size=8",
    "loop.initial_size=4",
    "loop.query_size=4",
)


class Person:
    """Answers the next picture that is asked, by the color in its name, whenever the run waits.

    before: what else happens first, given this person and how often it was waited for.
    """

    def __init__(self, folder: Path, before: Callable[["Person", int], None] = lambda person, times: None) -> None:
        self.log, self.folder, self.before = LabelLog(folder / "labels.jsonl"), folder, before
        self.answers, self.times, self.shown = Answers(), 0, list[int]()
        self.sees: str | None = None  # whatever it is

    @property
    def held(self) -> list[Answer]:
        """All answers that hold now."""
        self.look()
        return self.answers.given()

    @property
    def asked(self) -> Asked:
        found = read_asked(self.folder)
        assert found is not None
        return found

    def look(self) -> None:
        for line in self.log.read_new():
            self.answers.add(line)

    def waiting(self) -> list:
        self.look()
        return [one for one in self.asked.pictures if self.answers.answer(one.position) is None]

    def wait(self, *given: object) -> None:
        self.before(self, self.times)
        self.times += 1
        if waiting := self.waiting():
            self.say(waiting[0], *([self.sees] if self.sees else []))
            self.shown.append(waiting[0].position)

    def say(self, one, label: str | None = "by name", **more) -> None:
        content = hashlib.sha256((Path(self.asked.root) / one.file).read_bytes()).hexdigest()[:16]
        told = Path(one.file).name.partition("-")[0] if label == "by name" else label
        known = {"position": one.position, "file": one.file, "content": content, "asked_by": one.asked_by}
        self.log.append(Answer(when=now(), label=told, **known, **more))


def comparable(records: list[CycleRecord]) -> list[dict]:
    clocks = ("effort", "commit", "sha256_record", "sha256", "sha256_model")
    return [{key: value for key, value in one.plain().items() if key not in clocks} for one in records]
