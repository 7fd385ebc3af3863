"""A labeling run that is killed anywhere, or whose files are lost, makes nothing up."""

import pytest
from procedure.labeling.person import Person, comparable

from al_bench.errors import UserError
from al_bench.learner.supervised import Supervised
from al_bench.storage.answers import Answers, LabelLog, NewClass, now


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
