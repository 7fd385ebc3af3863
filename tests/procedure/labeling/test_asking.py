"""What a person is asked, and when: pictures stand ready, and an audit set is nobody's training."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from procedure.labeling.person import Person

from al_bench.active.inputs import Inputs
from al_bench.dataset import Split
from al_bench.learner.supervised import Supervised
from al_bench.representation.none import NoRepresentation
from al_bench.representation.normalized import Normalization, NormalizedRows
from al_bench.storage.answers import TakenBack, now
from al_bench.strategy.coreset import CoreSet


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


def test_no_model_is_trained_on_a_copy_of_an_audited_picture(label, pictures):
    """Or it would be measured on what it learned; the copies are labeled all the same, as nobody knows them before."""
    for file in [*pictures.rglob("*.png")]:
        for number in range(3):
            file.with_name(f"{file.stem}-copy-{number}.png").write_bytes(file.read_bytes())
    records = label("loop.budget=28")
    content = {one.position: one.content for one in label.person.held}
    audited = {content[place] for place in label.person.shown[:8]}
    trained = [pair for one in records for pair in zip(one.query.indices, one.query.labels, strict=True)]
    copies = [label for place, label in trained if content[place] in audited]
    assert copies and set(copies) == {-1}
    assert sum(label >= 0 for _, label in trained) == len(trained) - len(copies) == sum(records[-1].class_counts)


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


def test_a_query_decodes_no_more_pictures_than_it_may(label):
    label("loop.budget=16", "oracle.candidates=5", "oracle.ahead=2")
    known = np.fromfile(label.folder / "decoded.npy.known", dtype=np.uint8)
    assert 16 <= known.sum() < 32


def represent(monkeypatch, made: Callable[[torch.Tensor], Inputs] = lambda numbers: numbers) -> None:
    """Features in place of images, two of them far off. made: what holds them."""

    def features(self, dataset, artifacts):
        numbers = torch.zeros(len(dataset.train), 2)
        numbers[7], numbers[20] = 100.0, -100.0
        return replace(dataset, train=Split(made(numbers), dataset.train.labels))

    monkeypatch.setattr(NoRepresentation, "apply", features)
    monkeypatch.setattr(NoRepresentation, "shape", lambda self, shape: (2,))
    monkeypatch.setattr(NoRepresentation, "gives_images", False)


def test_core_set_asks_first_where_inputs_are_features(label, monkeypatch):
    represent(monkeypatch)
    records = label("loop.budget=8", "oracle.audit_size=0")
    assert {7, 20} <= set(records[0].query.indices)


@pytest.mark.parametrize(("candidates", "expected"), [(15, 15), (39, 39), (10_000, 39)])
def test_the_first_query_on_features_that_are_read_looks_at_no_more_than_it_may(
    label, monkeypatch, candidates, expected
):
    """Of a million, all would not fit into memory. Where there are no more than that, all are looked at."""
    represent(monkeypatch, lambda numbers: NormalizedRows(numbers, Normalization("none", *torch.empty(2, 0))))
    looked_at, query = [], CoreSet.query

    def look(self, model, pool, size, rng):
        looked_at.append(len(pool.unlabeled))
        return query(self, model, pool, size, rng)

    monkeypatch.setattr(CoreSet, "query", look)
    records = label("loop.budget=8", "oracle.audit_size=0", f"oracle.candidates={candidates}")
    assert looked_at == [expected] and ({7, 20} <= set(records[0].query.indices) or candidates < 39)
