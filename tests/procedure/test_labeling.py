"""A person labels a folder of pictures: what is asked, what is kept, and that nothing is asked twice."""

import csv
import hashlib
import json
import logging
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from composing import compose
from pictures import save

from al_bench.active.part import hash_of
from al_bench.config.identity import identify
from al_bench.errors import Pause, UserError
from al_bench.learner.supervised import Supervised
from al_bench.oracle.human import Human
from al_bench.procedure.terminal import cycle_line
from al_bench.storage.answers import Answer, Answers, LabelLog, NewClass, TakenBack, now
from al_bench.storage.asked import Asked, read_asked
from al_bench.storage.grown import has_grown
from al_bench.storage.record import CycleRecord
from al_bench.storage.store import RunStore
from run import instantiated

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


@pytest.fixture
def pictures(tmp_path) -> Path:
    """Twenty red ones and twenty blue ones, some in a folder of their own."""
    root = tmp_path / "pictures"
    for number in range(20):
        for place, color in enumerate(("red", "", "blue")):
            if color:
                pixels = np.random.default_rng(number + place).integers(0, 90, (8, 8, 3), dtype=np.uint8)
                pixels[..., place] += 100
                save(root / ("deeper" if number % 2 else "") / f"{color}-{number}.png", pixels)
    return root


@pytest.fixture
def label(tmp_path, pictures, monkeypatch):
    """Runs, or goes on with, a run that a person labels; gives its records."""

    def start(*overrides: str, before=lambda person, times: None, classes="[red,blue]") -> list[CycleRecord]:
        config = compose(
            "dataset=image_folder", f"dataset.root={pictures}", f"dataset.class_names={classes}", "oracle=human",
            "strategy=margin", "oracle.audit_size=8", "oracle.ahead=6", *FAST, f"paths.outputs={tmp_path}",
            "device=cpu", "tracking=none", *overrides,
        )  # fmt: skip
        identity = identify(config)
        start.folder = tmp_path / hash_of(identity)
        start.person = Person(start.folder, before)
        monkeypatch.setattr(Human, "begin", lambda self, folder: None)
        monkeypatch.setattr(Human, "wait", lambda self, folder: start.person.wait())
        with RunStore(start.folder, identity, {}) as store:
            instantiated(config.procedure).run(store)
            return store.cycle_records

    return start


def comparable(records: list[CycleRecord]) -> list[dict]:
    clocks = ("effort", "commit", "sha256_record", "sha256", "sha256_model")
    return [{key: value for key, value in one.plain().items() if key not in clocks} for one in records]


def test_the_audit_set_comes_first_and_no_model_is_trained_on_it(label):
    records = label("loop.budget=20")
    person = label.person
    audit = {one.position for one in person.asked.pictures if one.audit} | set(person.shown[:8])
    trained = [place for record in records for place in record.query.indices]
    assert len(audit) == 8 and audit.isdisjoint(trained) and len(set(person.shown)) == len(person.shown)
    assert [record.annotations for record in records] == [12, 16, 20]
    assert [len(record.query.indices) for record in records] == [4, 4, 4]
    assert [record.test_images for record in records] == [8, 8, 8] and records[-1].metrics["accuracy"] == 1
    assert [sum(record.class_counts) for record in records] == [4, 8, 12]
    assert [one.images for one in person.asked.curve] == [8, 8, 8] and person.asked.curve[-1].correct == 8
    assert person.asked.state == "finished" and "budget" in person.asked.said


def test_while_a_model_is_trained_pictures_stand_ready_that_an_earlier_one_asked_for(label, monkeypatch):
    ready, fit = [], Supervised.fit

    def look(self, *given, **named):
        ready.append((label.person.asked.state, len(label.person.waiting())))
        return fit(self, *given, **named)

    monkeypatch.setattr(Supervised, "fit", look)
    records = label("loop.budget=20")
    assert ready == [("training", 6)] * 3
    given = label.person.held
    assert [one.asked_by for one in given] == [None] * 18 + [0] * 2  # the audit set, four, six ahead; then by the first
    assert all(one.guess in ("red", "blue") for one in label.person.asked.pictures if not one.audit)
    assert records[2].query.scores[:2] == [None, None] and all(records[2].query.scores[2:])


def test_a_run_that_is_killed_anywhere_ends_as_one_that_is_not(label, tmp_path, pictures, monkeypatch):
    whole = comparable(label("loop.budget=24"))
    folder = label.folder
    folder.rename(tmp_path / "whole")
    order = [one.position for one in Answers(LabelLog(tmp_path / "whole" / "labels.jsonl").read_new()).given()]
    fit = Supervised.fit

    def killed_fit(self, *given, **named):
        raise KeyboardInterrupt

    def die(person: Person, times: int) -> None:
        if times == 3:
            raise KeyboardInterrupt

    for number in range(6):
        monkeypatch.setattr(Supervised, "fit", killed_fit if number % 2 else fit)
        with pytest.raises(KeyboardInterrupt):
            label("loop.budget=24", before=die)
    monkeypatch.setattr(Supervised, "fit", fit)
    assert comparable(label("loop.budget=24")) == whole
    answers = Answers(LabelLog(folder / "labels.jsonl").read_new())
    assert [one.position for one in answers.given()][: len(order)] == order


def test_a_training_that_was_killed_goes_on_with_the_answers_that_it_had(label, monkeypatch):
    def killed_fit(self, *given, **named):
        for _ in range(5):
            label.person.wait()  # who does not know
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Supervised, "fit", killed_fit)
        label("loop.budget=20")
    first, second = label("loop.budget=17")
    assert [len(record.query.indices) for record in (first, second)] == [4, 5]


def test_labels_stay_with_their_pictures_when_the_folder_changes(label, pictures, caplog):
    label("loop.budget=16")
    before = {one.file: one.label for one in label.person.held}
    trained = [file for file in before if not any(one.file == file for one in label.person.asked.pictures)]
    (pictures / trained[0]).rename(pictures / "renamed.png")
    (pictures / trained[1]).unlink()
    caplog.set_level(logging.INFO)
    save(pictures / "a" / "red-new.png", np.full((8, 8, 3), (200, 0, 0), dtype=np.uint8))
    caplog.clear()
    records = label("loop.budget=26")
    said = next(one.getMessage() for one in caplog.records if "kept" in one.getMessage())
    assert (
        said == f"1 pictures more, 1 gone, 1 renamed; labels of {len(before)} kept, 1 of them of pictures that are gone"
    )
    assert len(set(label.person.shown) & {one.position for one in label.person.held[: len(before)]}) == 0
    assert records[-1].annotations >= 26 and sum(records[-1].class_counts) == records[-1].annotations - 8


def test_a_class_that_is_added_on_the_way_is_learned_too(label):
    def add(person: Person, times: int) -> None:
        if times == 15:
            person.log.append(NewClass(when=now(), name="gr\u00fcn", key="g"))
            person.say(person.waiting()[0], "gr\u00fcn")

    records = label("loop.budget=16", before=add)
    assert [len(record.class_counts) for record in records] == [2, 3] and records[-1].class_counts[2] == 1
    more = label("loop.budget=20", classes="[blue,red]")  # in another order, and without the one that was added
    assert more[-1].class_counts[2] == 1 and label.person.asked.classes == ["red", "blue", "gr\u00fcn"]


def test_an_answer_that_is_taken_back_is_asked_for_again_and_the_other_one_counts(label):
    changed: list[int] = []

    def change(person: Person, times: int) -> None:
        if times == 14:  # after the first model
            first = next(one for one in person.held if one.position == person.shown[8])
            person.log.append(TakenBack(when=now(), position=first.position, file=first.file))
            changed.append(first.position)

    label("loop.budget=16", before=change)
    records = label("loop.budget=20")
    assert changed and changed[0] in records[0].query.indices
    again = [record.index for record in records if changed[0] in record.query.indices]
    assert len(again) <= 2 and label.person.answers.answer(changed[0]) is not None


def test_answers_that_a_model_doubts_come_back_to_be_looked_at(label):
    wrong: list[str] = []

    def err(person: Person, times: int) -> None:
        person.sees = None
        if times == 21:  # after two models
            one = person.waiting()[0]
            person.sees = "blue" if "red" in one.file else "red"
            wrong.append(one.file)

    label("loop.budget=28", before=err)
    first = label.person.asked.second_looks[0]
    assert first.file == wrong[0] and first.guess in wrong[0] and first.answer not in wrong[0]
    assert first.probability < 0.5 < first.guess_probability
    label("loop.budget=32")  # what models said before is stored with the cycles
    assert label.person.asked.second_looks[0].file == wrong[0]


def test_a_forecast_is_a_sentence_once_there_are_cycles_enough(label):
    label("loop.budget=20", "oracle.goal=0.5")
    assert label.person.asked.forecast == "50 % on the audit set was measured first with 4 labels to train on."


def test_answers_may_come_in_files(label, tmp_path, pictures):
    """Tasks go out, the run ends, and goes on when the answers are there."""

    def go_on() -> RunStore:
        config = compose(
            "dataset=image_folder", f"dataset.root={pictures}", "dataset.class_names=[red,blue]", "oracle=files",
            "strategy=margin", "oracle.audit_size=8", *FAST, "loop.budget=20", f"paths.outputs={tmp_path}",
            "device=cpu", "tracking=none",
        )  # fmt: skip
        identity = identify(config)
        with RunStore(tmp_path / "files", identity, {}) as store:
            instantiated(config.procedure).run(store)
            return store

    for asked in (12, 4, 4):
        for _ in range(2):  # again, before anybody answered
            with pytest.raises(Pause, match=f"^{asked} pictures are asked for"):
                go_on()
        tasks = tmp_path / "files" / "tasks.csv"
        with tasks.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            row["label"] = Path(row["file"]).name.partition("-")[0]
        with tasks.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    records = go_on().cycle_records
    assert [record.annotations for record in records] == [12, 16, 20]
    for record in records[1:]:
        assert record.query.scores and None not in record.query.scores, "a model chose them"
        assert np.allclose(record.query.scores, 2 - 2 * np.array(record.query.of_guess), atol=1e-4), "the last one"


def test_answers_that_are_there_already_are_taken_once(label, tmp_path, pictures):
    known = tmp_path / "known.csv"
    known.write_text("file,label\n" + "".join(f"red-{number}.png,red\n" for number in range(0, 20, 2)))
    records = label("loop.budget=22", f"oracle.labels={known}")
    named = {one.file for one in label.person.held if one.label == "red"}
    assert {f"red-{number}.png" for number in range(0, 20, 2)} <= named and records[0].annotations >= 12
    one = label.person.held[0]
    label.person.say(one, "blue")
    label("loop.budget=26", f"oracle.labels={known}")
    assert label.person.answers.answer(one.position).label == "blue"
    known.write_text("file,label\nnone.png,red\n")
    with pytest.raises(UserError, match=r"none\.png"):
        label("loop.budget=30", f"oracle.labels={known}")


def test_more_pictures_stand_ready_where_a_training_takes_longer_than_they_do(label, monkeypatch):
    say = Person.say
    monkeypatch.setattr(Person, "say", lambda self, one, *label: say(self, one, *label, seconds=1e-4))
    label("loop.budget=20")
    waiting = [one for one in label.person.waiting() if not one.audit]
    assert len(waiting) == 20, "all that are left, for every model took longer than six answers"


def test_an_audit_picture_that_is_asked_for_again_comes_without_a_guess(label):
    def take_back(person: Person, times: int) -> None:
        if times == 14:  # after the first model
            one = next(one for one in person.held if one.position in person.shown[:8])
            person.log.append(TakenBack(when=now(), position=one.position, file=one.file))

    label("loop.budget=16", before=take_back)
    audit = set(label.person.shown[:8])
    again = [one for one in label.person.asked.pictures if one.position in audit]
    assert again and all(one.audit and one.guess is None for one in again)


def test_what_the_person_cannot_tell_counts_and_teaches_nothing(label):
    def pass_on(person: Person, times: int) -> None:
        if times in (2, 9):
            person.say(person.waiting()[0], None)

    records = label("loop.budget=16", before=pass_on)
    assert records[0].test_images == 7 and -1 in records[0].query.labels
    assert sum(records[0].class_counts) == len(records[0].query.labels) - 1


def test_without_an_audit_set_no_accuracy_is_shown(label, caplog):
    records = label("loop.budget=8", "oracle.audit_size=0")
    assert [record.annotations for record in records] == [4, 8]
    assert records[0].metrics["accuracy"] is None and records[0].test_images is None and label.person.asked.curve == []
    assert "accuracy not measured" in cycle_line(records[0]) and "nan" not in cycle_line(records[0])


def test_all_pictures_may_be_labeled(label):
    records = label()
    assert records[-1].annotations == 40 and records[-1].unlabeled == 0
    assert "every image is labeled" in label.person.asked.said


def test_a_run_goes_on_after_all_was_labeled_when_pictures_come_or_answers_change(label, pictures):
    assert label()[-1].annotations == 40 and not has_grown(label.folder, str(pictures))
    cycles = len(label())
    assert cycles == len(label()) and label.person.times == 0, "nothing new: nothing is asked or trained"
    for number in range(2):
        save(pictures / f"red-new-{number}.png", np.full((8, 8, 3), (200, number, 0), dtype=np.uint8))
    assert has_grown(label.folder, str(pictures))
    records = label()
    assert records[-1].annotations == 42 and len(records) == cycles + 1 and records[-1].unlabeled == 0
    person = label.person
    changed = next(one for one in person.held if one.position >= 40)
    person.say(changed, "blue")
    assert has_grown(label.folder, str(pictures))
    assert len(label()) == cycles + 2 and not has_grown(label.folder, str(pictures))


def test_a_run_ends_where_what_is_left_cannot_be_read_or_is_gone(label, pictures):
    label("loop.budget=20")
    answered = {one.file for one in label.person.held}
    left = [file for file in sorted(pictures.rglob("*.png")) if str(file.relative_to(pictures)) not in answered]
    for number, file in enumerate(left):
        file.write_bytes(b"none") if number % 2 else file.unlink()
    records = label()
    assert records[-1].annotations == len(answered) and "every image is labeled" in label.person.asked.said


def test_it_is_enough_when_the_accuracy_is_certain(label):
    records = label("loop.certain_above=0.6")
    assert "above 0.6 with 95 % certainty" in label.person.asked.said and records[-1].annotations < 40


def test_a_query_decodes_no_more_pictures_than_it_may(label):
    label("loop.budget=16", "oracle.candidates=5", "oracle.ahead=2")
    known = np.fromfile(label.folder / "decoded.npy.known", dtype=np.uint8)
    assert 16 <= known.sum() < 32


def test_one_class_alone_teaches_nothing(label):
    def see_red(person: Person, times: int) -> None:
        person.sees = "red"

    with pytest.raises(UserError, match="fewer than two classes"):
        label(before=see_red)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["dataset.class_names=[cat]"], r"class_names=\[cat\] must name at least two"),
        (["dataset.class_names=[cat,cat]"], "each once"),
        (["dataset.class_names=['',c]"], "characters that can be seen"),
        (["dataset.class_names=[' a',c]"], "without spaces around it"),
        (["dataset.image_size=null"], "image_size is not given"),
        (["loop.certain_above=0.9", "oracle.audit_size=0"], "certain_above=0.9 is never reached"),
        (["dataset.class_names=null"], "no class folders|fewer|at least two|class folders"),
    ],
)
def test_what_cannot_be_labeled_is_said_before(label, overrides, sentence):
    with pytest.raises(UserError, match=sentence):
        label(*overrides)


def test_nobody_else_labels_pictures_without_labels(tmp_path, pictures):
    folder = ("dataset=image_folder", f"dataset.root={pictures}", "dataset.class_names=[red,blue]")
    config = compose(*folder, "dataset.image_size=8", "strategy=margin", f"paths.outputs={tmp_path}", "tracking=none")
    with RunStore(tmp_path / "run", {}, {}) as store, pytest.raises(UserError, match="have a person label them"):
        instantiated(config.procedure).run(store)


def test_only_folders_of_pictures_are_labeled(tmp_path):
    config = compose("dataset=digits", "oracle=human", "strategy=margin", f"paths.outputs={tmp_path}", "tracking=none")
    with RunStore(tmp_path / "run", {}, {}) as store, pytest.raises(UserError, match="dataset=image_folder"):
        instantiated(config.procedure).run(store)


def test_a_port_that_is_taken_is_named(tmp_path, label, monkeypatch):
    begin = Human.begin
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config = compose("oracle=human", f"oracle.port={port}", "dataset=image_folder", "dataset.class_names=[a,b]")
        with pytest.raises(UserError, match=f"oracle.port={port} .* choose another port"):
            begin(instantiated(config.oracle), tmp_path)


def test_core_set_asks_first_where_inputs_are_features(label, monkeypatch):
    from al_bench.dataset import Split
    from al_bench.representation.none import NoRepresentation

    def features(self, dataset, artifacts):
        from dataclasses import replace

        numbers = torch.zeros(len(dataset.train), 2)
        numbers[7], numbers[20] = 100.0, -100.0
        return replace(dataset, train=Split(numbers, dataset.train.labels))

    monkeypatch.setattr(NoRepresentation, "apply", features)
    monkeypatch.setattr(NoRepresentation, "shape", lambda self, shape: (2,))
    monkeypatch.setattr(NoRepresentation, "gives_images", False)
    records = label("loop.budget=8", "oracle.audit_size=0")
    assert {7, 20} <= set(records[0].query.indices)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("labels.jsonl", None, "a model was trained on 18 of them: put the file back"),
        ("labels.jsonl", '{"event": "answer", "when": "", "position": 40, "file": "", "label": "red"}\n', "picture 40"),
        ("pictures.jsonl", None, "of 0 pictures which they are: put both back"),
        ("audit.json", None, "audit.json is gone, the audit set"),
        ("audit.json", "[1, 2", "no list of positions in pictures.jsonl"),
        ("audit.json", "[40]", "no list of positions in pictures.jsonl"),
        ("labels_taken.json", "5", "no list of files that were taken"),
    ],
)
def test_what_is_lost_or_corrupted_is_not_made_up(label, tmp_path, name, content, sentence):
    (known := tmp_path / "known.csv").write_text("file,label\n")
    label("loop.budget=16", f"oracle.labels={known}")
    path = label.folder / name
    if content is None:
        path.unlink()
    else:
        path.write_text((path.read_text() if name == "labels.jsonl" else "") + content)
    with pytest.raises(UserError, match=sentence):
        label("loop.budget=20", f"oracle.labels={known}")


@pytest.mark.parametrize("content", ["5", '{"cycle": 2}', '{"cycle": 2, "lines": -3}', '{"cycle": 2, "lines": 3}'])
def test_a_cycle_begins_anew_where_it_is_not_known_what_it_had(label, content):
    label("loop.budget=16")
    (label.folder / "taken.json").write_text(content)
    assert [record.annotations for record in label("loop.budget=20")] == [12, 16, 20]


def test_a_training_that_was_killed_goes_on_with_the_classes_that_it_had(label, tmp_path, monkeypatch):
    """Of a class that is added meanwhile the next cycle is the first to know."""
    fit, killed = Supervised.fit, False

    def fit_and_add(self, *given, **named):
        if "x" not in Answers(LabelLog(label.folder / "labels.jsonl").read_new()).classes:
            label.person.log.append(NewClass(when=now(), name="x"))
            if killed:
                raise KeyboardInterrupt
        return fit(self, *given, **named)

    monkeypatch.setattr(Supervised, "fit", fit_and_add)
    whole = comparable(label("loop.budget=16"))
    label.folder.rename(tmp_path / "whole")
    killed = True
    with pytest.raises(KeyboardInterrupt):
        label("loop.budget=16")
    assert comparable(label("loop.budget=16")) == whole
    assert [len(record["class_counts"]) for record in whole] == [2, 3]


def test_an_answer_to_a_picture_that_cannot_be_read_teaches_nothing(label, pictures):
    broken = {f"{color}-{number}.png" for color in ("red", "blue") for number in range(0, 20, 3)}

    def damage(person: Person, times: int) -> None:
        for file in pictures.rglob("*.png") if times == 0 else ():
            if file.name in broken:
                file.write_bytes(b"no picture")

    records = label("loop.budget=20", before=damage)
    answered = {one.position: Path(one.file).name for one in label.person.held}
    trained = {place for record in records for place in record.query.indices}
    assert broken & set(answered.values()) and broken.isdisjoint(answered[place] for place in trained)
    audit = json.loads((label.folder / "audit.json").read_text())
    assert records[-1].test_images == sum(answered[place] not in broken for place in audit) < 8
