"""What is kept of a person's answers, and that none is asked for twice."""

import csv
import itertools
import json
import logging
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from composing import compose
from pictures import save
from PIL import Image
from procedure.labeling.person import FAST, Person

from al_bench.annotation.exchange import write_csv
from al_bench.config.identity import identify
from al_bench.errors import Pause, UserError
from al_bench.procedure.labeling.session import Session
from al_bench.storage.answers import NewClass, TakenBack, now
from al_bench.storage.picture_list import PictureList
from al_bench.storage.store import RunStore
from al_bench.storage.unstarted import discard_unstarted
from run import instantiated


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
        said == f"1 picture more, 1 gone, 1 renamed; labels of {len(before)} kept, 1 of them of pictures that are gone"
    )
    assert len(set(label.person.shown) & {one.position for one in label.person.held[: len(before)]}) == 0
    assert records[-1].annotations >= 26 and sum(records[-1].class_counts) == records[-1].annotations - 8


def test_another_picture_of_the_same_size_and_time_is_not_taken_for_one_that_went(label, pictures):
    """As in uncompressed files of an archive that gives all one time; one that was renamed is known by its pixels."""
    for file in [*pictures.rglob("*.png")]:
        with Image.open(file) as image:
            image.save(file.with_suffix(".bmp"))
        file.unlink()
        os.utime(file.with_suffix(".bmp"), ns=(7, 7))
    label("loop.budget=16")
    renamed = next(one for one in label.person.waiting() if one.guess)
    (pictures / renamed.file).rename(pictures / "red-renamed.bmp")
    label("loop.budget=20")
    removed = next(one for one in label.person.waiting() if one.guess)
    (pictures / removed.file).unlink()
    save(pictures / "red-new.bmp", np.full((8, 8, 3), (200, 0, 0), dtype=np.uint8))
    os.utime(pictures / "red-new.bmp", ns=(7, 7))
    label("loop.budget=24")
    listed = PictureList(label.folder / "pictures.jsonl")
    assert listed.names[renamed.position] == "red-renamed.bmp" and listed.names.index("red-new.bmp") == 40


def test_a_class_that_is_added_on_the_way_is_learned_too(label, caplog):
    caplog.set_level(logging.INFO)

    def add(person: Person, times: int) -> None:
        if times == 15:
            person.log.append(NewClass(when=now(), name="gr\u00fcn", key="g"))
            person.say(person.waiting()[0], "gr\u00fcn")

    records = label("loop.budget=16", before=add)
    assert [len(record.class_counts) for record in records] == [2, 3] and records[-1].class_counts[2] == 1
    more = label("loop.budget=20", classes="[blue,red]")  # in another order, and without the one that was added
    assert "3 classes: the run keeps gr\u00fcn, which dataset.class_names leaves out" in caplog.messages
    assert more[-1].class_counts[2] == 1 and label.person.asked.classes == ["red", "blue", "gr\u00fcn"]
    label("loop.budget=24", classes="[rot,blue,'gr\u00fcn']")
    said = "4 classes: the run keeps red, which dataset.class_names leaves out, and rot is added, no new name of one"
    assert said in caplog.messages


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
            with pytest.raises(Pause, match=f"^asked for: {asked} pictures;"):
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
    for path in label.folder.iterdir():  # among them what says that the file was taken
        with pytest.raises(UserError, match="is a file that the run itself needs"):
            write_csv(label.folder, path)
    known.write_text("file,label\nnone.png,red\n")
    with pytest.raises(UserError, match=r"none\.png"):
        label("loop.budget=30", f"oracle.labels={known}")


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("file,label\nred-2.png,green", r"name one of 'red', 'blue', or add it to dataset\.class_names$"),
        ("file,label\nred-0.png,red\nnone.png,red", "none.png"),
        ("file,label,p(red),p(blue)\nred-0.png,red,0.9,0.1", "a model's predictions"),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_before_anything_is_written(label, tmp_path, table, sentence):
    (known := tmp_path / "known.csv").write_text(f"{table}\n")
    with pytest.raises(UserError, match=sentence):
        label("loop.budget=12", f"oracle.labels={known}")
    discard_unstarted(label.folder, tmp_path)
    assert not label.folder.exists()


def test_an_audit_set_that_a_file_labels_is_one_all_the_same(label, tmp_path, pictures):
    names = [path.relative_to(pictures).as_posix() for path in pictures.rglob("*.png")]
    rows = [f"{name},{Path(name).name.partition('-')[0]}\n" for name in names]
    (known := tmp_path / "known.csv").write_text("file,label\n" + "".join(rows))
    records = label("loop.budget=12", f"oracle.labels={known}")
    audited = {one.position for one in label.person.held if one.audit}
    assert audited == set(json.loads((label.folder / "audit.json").read_text())) and records[0].test_images == 8


def test_answers_are_looked_through_only_when_others_came(label, monkeypatch):
    looked, labels, wait, waited = [], Session.labels, Person.wait, itertools.count()
    monkeypatch.setattr(Session, "labels", lambda self, *given: looked.append(given) or labels(self, *given))
    monkeypatch.setattr(Person, "wait", lambda self, *given: None if next(waited) % 5 else wait(self, *given))
    label("loop.budget=12")
    assert len(label.person.held) == 12 and next(waited) > 50 and len(looked) < 20


@pytest.mark.parametrize("words", [[], ["dataset.cache=never"]], ids=["a full disk", "never"])
def test_decoded_pictures_are_kept_only_where_they_may_and_fit(label, monkeypatch, words, caplog, pictures):
    if not words:
        monkeypatch.setattr("al_bench.sources.cache.shutil.disk_usage", lambda folder: SimpleNamespace(free=1 << 30))
    next(pictures.rglob("red-3.png")).write_bytes(b"no picture")
    records = label("loop.budget=16", *words)
    assert not (label.folder / "decoded.npy").exists() and records[-1].metrics["accuracy"] == 1
    said = "each is decoded when it is asked for, which is slower; paths.outputs can name a folder on a larger disk"
    assert (said in caplog.text) == (not words)


@pytest.mark.parametrize("ahead", [0, 6])
def test_what_the_person_cannot_tell_is_no_label_to_train_with(label, ahead):
    def pass_on(person: Person, times: int) -> None:
        if times in (2, 9, 10, 12):
            person.say(person.waiting()[0], None)

    records = label("loop.budget=22", f"oracle.ahead={ahead}", before=pass_on)
    assert records[0].test_images == 7 and -1 in records[0].query.labels
    assert [sum(record.class_counts) for record in records] == [4, 8, 12][: len(records)] and len(records) > 1
    assert [len(record.query.labels) for record in records[:2]] == [6, 5]


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


def test_pictures_that_were_away_for_a_while_are_asked_for_once_they_are_back(label, pictures, caplog):
    away: list[Path] = []

    def take_away(person: Person, times: int) -> None:
        if times == 0:
            asked = [pictures / one.file for one in person.asked.pictures if not one.audit]
            away.extend(file.rename(file.with_suffix(".away")) for file in asked[-5:])

    label("loop.budget=16", before=take_away)
    answered = {Path(one.file).name for one in label.person.held}
    broken = next(file for file in sorted(pictures.rglob("*.png")) if file.name not in answered)
    broken.write_bytes(b"no picture")
    for file in away:
        file.rename(file.with_suffix(".png"))
    records = label()
    trained = {place for record in records for place in record.query.indices}
    used = {Path(one.file).stem for one in label.person.held if one.position in trained}
    assert {file.stem for file in away} <= used and broken.stem not in used
    assert "left out: 1 picture that" not in caplog.text, "it was never tried before"
    label()
    named = broken.relative_to(pictures)
    assert f"left out: 1 picture that cannot be read: mend or replace {named}; every start tries again" in caplog.text
