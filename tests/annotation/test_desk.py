"""What is asked next, minus what was answered; what a person did is kept once."""

import json

import pytest
from made_asking import ask, asked, content_of, labels_of, lines_of, list_pictures, made_asking
from made_operations import back, give, later, moment, operations

from al_bench.annotation.desk import Desk
from al_bench.annotation.keys import checked_key, keys_of
from al_bench.annotation.known import state_of, tiles_of
from al_bench.annotation.operations import read_request
from al_bench.errors import UserError
from al_bench.storage.answers import Answer, LabelLog, NewClass, TakenBack, now
from al_bench.storage.asked import QUERY, Measured, SecondLook


def order(desk: Desk) -> list[int]:
    return [picture.position for picture in desk.open]


@pytest.fixture
def run(tmp_path):
    return made_asking(tmp_path, 6)


def test_the_audit_set_is_put_off_behind_its_others(tmp_path):
    run = made_asking(tmp_path, pictures=[*(asked(at, audit=True) for at in range(3)), asked(3), asked(4)])
    desk = Desk(run)
    desk.record(operations(later(1, 0)))
    assert [one.position for one in desk.open] == [1, 2, 0, 3, 4]
    desk.record(operations(give(2, 1, "cat"), give(3, 2, "cat"), later(4, 0)))
    assert [one.position for one in desk.open] == [3, 4, 0], "the last one goes behind all"


def test_pictures_come_as_asked_then_those_for_later(run):
    desk = Desk(run)
    desk.record(operations(give(0, 0, "cat"), later(1, 1), later(2, 2), later(3, 1), give(4, 4, None)))
    assert order(desk) == [3, 5, 2, 1]
    assert order(Desk(run)) == [3, 5, 2, 1], "after a restart too"


def test_answers_taken_back_are_shown_again_the_last_first(run):
    desk = Desk(run)
    desk.record(operations(*(give(at, at, "dog") for at in range(4)), back(5, 3), back(6, 2)))
    assert order(desk) == order(Desk(run)) == [2, 3, 4, 5]
    assert labels_of(run) == {0: "dog", 1: "dog"}
    assert [one["picture"]["position"] for one in state_of(desk)["history"]] == [1, 0]


def test_what_is_sent_twice_is_kept_once(run):
    sent = operations(give(0, 0, "cat"), back(1, 0), give(2, 0, "dog"))
    desk = Desk(run)
    desk.record(sent[:2])
    desk.record(sent)
    Desk(run).record(sent)
    assert [line.event for line in lines_of(run)] == ["answer", "back", "answer"]
    assert labels_of(run) == {0: "dog"}


def test_an_answer_keeps_what_the_run_said_of_its_picture(run):
    ask(run, [asked(0, asked_by=2, guess="dog", probability=0.75), asked(1, audit=True, guess="cat", probability=0.5)])
    desk = Desk(run, who="Zoë")
    content = content_of(run, 0)
    desk.record(operations(give(0, 0, "cat", content=content, guess_shown=True), give(1, 1, None)))
    first, second = lines_of(run)
    assert (first.who, first.asked_by, first.guess, first.probability) == ("Zoë", 2, "dog", 0.75)
    assert (first.content, first.seconds, first.guess_shown) == (content, 1, True)
    assert first.when == "2026-01-01T10:00:00.000+00:00"
    assert (second.audit, second.label, second.guess) == (True, None, "cat")


def test_an_answer_to_what_is_asked_no_more_is_kept(run):
    """It was on the screen when the process was killed and what is asked was replaced."""
    ask(run, [asked(5)])
    list_pictures(run, *([f"{at:03d}.png", 10, 0] for at in range(6)))
    desk = Desk(run)
    desk.record(operations(give(0, 1, "cat")))
    assert labels_of(run) == {1: "cat"}
    desk.record(operations(back(1, 1)))
    assert order(Desk(run)) == [1, 5], "and can be taken back: the log has the picture"


def test_a_class_that_nobody_named_comes_with_its_first_answer(run):
    desk = Desk(run)
    desk.record(operations(give(0, 1, "fox")))
    assert desk.classes == ["cat", "dog", "fox"] and labels_of(run) == {1: "fox"}


def test_a_key_that_another_class_has_moves(run):
    desk = Desk(run)
    named = [
        {"kind": "class", "when": moment(number), "name": name, "key": "F"}
        for number, name in enumerate(("fox", "cat"))
    ]
    desk.record(operations(*named[:1]))
    assert desk.keys == {"cat": "1", "dog": "2", "fox": "f"}
    desk.record(operations(*named[1:]))
    assert desk.keys == Desk(run).keys == {"cat": "f", "dog": "2", "fox": "3"}


def test_keys_are_digits_then_letters_until_there_are_none():
    names = [f"class {number}" for number in range(40)]
    keys = list(keys_of(names, {"class 12": "b", "class 39": "1"}).values())
    assert keys[1:9] == list("23456789")
    assert keys[0] == "a" and keys[12] == "b" and keys[39] == "1"
    assert keys[9:12] == ["c", "d", "e"]
    assert keys[35:39] == [None] * 4
    used = [key for key in keys if key]
    assert len(used) == len(set(used))


@pytest.mark.parametrize("key", ["0", " ", "?", "/", "ab", "\t"])
def test_a_key_that_cannot_be_is_refused(key):
    with pytest.raises(UserError, match="key"):
        checked_key(key)


def test_a_key_is_a_small_letter_of_any_alphabet():
    assert checked_key("Ä") == "ä"


def test_second_looks_go_when_they_are_kept_or_changed(run):
    desk = Desk(run)
    desk.record(operations(*(give(at, at, "cat") for at in range(4))))
    whens = [line.when for line in lines_of(run)]
    doubts = [
        SecondLook(
            position=at,
            file=f"{at:03d}.png",
            answer="cat",
            when=whens[at],
            probability=0.1,
            guess="dog",
            guess_probability=0.9,
        )
        for at in range(4)
    ]
    ask(run, [asked(5)], second_looks=doubts)
    assert desk.look() and [look.position for look in desk.looks] == [0, 1, 2, 3]
    desk.record(
        operations(give(10, 0, "cat", guess_shown=True), give(11, 1, "dog", guess_shown=True), give(12, 2, None))
    )
    assert [look.position for look in desk.looks] == [look.position for look in Desk(run).looks] == [3]
    changed = lines_of(run)[5]
    assert (changed.label, changed.guess, changed.probability) == ("dog", "dog", 0.9)
    desk.record(operations(back(13, 1)))
    assert labels_of(run)[1] == "cat" and order(desk) == [5], "the answer before it holds again"
    assert [look.position for look in desk.looks] == [1, 3]


def test_the_grid_shows_no_picture_of_the_audit_set(run):
    guessed = [asked(0, guess="dog", probability=0.5), asked(1, guess="dog", probability=0.9), asked(2)]
    ask(run, [*guessed, asked(3, guess="dog", probability=0.7, audit=True), asked(4, guess="cat", probability=0.6)])
    desk = Desk(run)
    assert [(name, [one.position for one in group]) for name, group in desk.guessed().items()] == [
        ("cat", [4]),
        ("dog", [1, 0]),
    ]
    assert [tile["position"] for tile in tiles_of(desk, "dog")] == [1, 0]
    audit = next(one for one in state_of(desk)["queue"] if one["audit"])
    assert audit["guess"] is None and audit["probability"] is None


def test_what_is_known(run):
    ask(
        run,
        [asked(0, audit=True), *(asked(at) for at in range(1, 6))],
        audit_size=10,
        forecast="Soon.",
        curve=[Measured(annotations=0, correct=0, images=0), Measured(annotations=20, correct=8, images=10)],
    )
    desk = Desk(run)
    desk.record(operations(*(give(3 * at, at, "cat" if at else None) for at in range(6))))
    state = state_of(desk)
    assert state["classes"] == [{"name": "cat", "key": "1", "count": 5}, {"name": "dog", "key": "2", "count": 0}]
    assert (state["labeled"], state["unknown"], state["left"]) == (6, 1, 0)
    assert state["audit"] == {"size": 10, "labeled": 1}
    assert state["pace"] == pytest.approx(20)
    (point,) = state["curve"]
    assert (point["accuracy"], point["images"]) == (0.8, 10)
    # 1 / (1 + z²/n) (p + z²/2n ± z sqrt(p (1 - p) / n + z²/4n²)) for z = 1.959964
    assert (point["low"], point["high"]) == (pytest.approx(0.49016, abs=1e-5), pytest.approx(0.94332, abs=1e-5))
    assert state["alive"] is False and "not running" in state["said"]


def test_a_pause_is_no_work(run):
    desk = Desk(run)
    desk.record(operations(*(give(2 * at, at, "cat") for at in range(4))))
    rest = [{**give(0, at, "cat"), "when": f"2026-01-01T12:00:{2 * at:02d}.000Z"} for at in (4, 5)]
    desk.record(operations(*rest))
    assert state_of(desk)["pace"] is None, "of four steps nothing is said"
    desk.record(operations({**give(0, 0, "dog"), "when": "2026-01-01T12:00:12.000Z"}))
    assert state_of(desk)["pace"] == pytest.approx(30)


def test_answers_from_elsewhere_are_no_work_and_are_not_looked_through_for_it(tmp_path, monkeypatch):
    run = made_asking(tmp_path, 7)
    desk = Desk(run)
    desk.record(operations(*(give(3 * at, at, "cat") for at in range(7))))
    LabelLog(run / "labels.jsonl").append(*(Answer(when=now(), position=at, file="", label="dog") for at in range(9)))
    desk.look()
    monkeypatch.setattr(desk.ledger, "latest", None)  # there may be a hundred thousand
    assert desk.ledger.pace() == pytest.approx(20)
    back = [TakenBack(when=now(), position=at, file="") for at in (0, 0, 1, 1)]
    LabelLog(run / "labels.jsonl").append(*back[:2])
    desk.look()
    assert desk.ledger.pace() == pytest.approx(20), "of six answers"
    LabelLog(run / "labels.jsonl").append(*back[2:])
    desk.look()
    assert desk.ledger.pace() is None


def test_what_others_write_is_taken_up(run):
    desk = Desk(run)
    assert not desk.look()
    LabelLog(run / "labels.jsonl").append(
        Answer(when=now(), position=0, file="000.png", label="dog"), NewClass(when=now(), name="owl")
    )
    assert desk.look() and order(desk)[0] == 1 and desk.classes[-1] == "owl"
    (run / QUERY).write_text("{")
    assert desk.look() and "corrupted" in desk.problem
    assert order(desk)[0] == 1, "what was read before is kept"
    ask(run, [asked(4)])
    assert desk.look() and desk.problem is None and order(desk) == [4]


def test_nothing_is_added_to_answers_that_cannot_be_read(run):
    desk = Desk(run)
    (run / "labels.jsonl").write_text("no line\n")
    with pytest.raises(UserError, match="line 1 is no answer"):
        desk.record(operations(give(0, 0, "cat")))
    assert (run / "labels.jsonl").read_text() == "no line\n"
    (run / "labels.jsonl").unlink()
    desk.record(operations(give(0, 0, "cat")))
    assert labels_of(run) == {0: "cat"}


def test_an_answer_of_the_audit_set_is_not_doubted(run):
    """The model's guess, which is shown beside the doubt, would lean the number that it is measured by."""
    ask(run, [asked(0, audit=True)])
    desk = Desk(run)
    desk.record(operations(give(0, 0, "cat")))
    doubt = {"answer": "cat", "probability": 0.1, "guess": "dog", "guess_probability": 0.9}
    ask(run, [], second_looks=[SecondLook(position=0, file="000.png", **doubt)])
    assert desk.look() and desk.looks == []


def test_a_renamed_picture_is_looked_at_again_by_its_new_name(run):
    desk = Desk(run)
    desk.record(operations(give(0, 0, "cat")))
    doubt = {"answer": "cat", "probability": 0.1, "guess": "dog", "guess_probability": 0.9}
    list_pictures(run, ["000.png", 10, 0], ["new.png", 10, 0, 0])
    ask(run, [], second_looks=[SecondLook(position=0, file="new.png", **doubt)])
    assert desk.look() and desk.picture(0).file == "new.png"
    desk.record(operations(give(1, 0, "dog")))
    assert [line.file for line in lines_of(run)] == ["000.png", "new.png"]


def test_pictures_that_are_gone_are_said(run):
    desk = Desk(run)
    (run.parent / "pictures").rename(run.parent / "elsewhere")
    assert desk.look() and "is gone: put it back" in desk.problem


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "load the page again"),
        (b'{"operations": [{"kind": "dance"}]}', "load the page again"),
        (
            json.dumps({"operations": [{**give(0, 0, "cat"), "seconds": -1}]}).encode(),
            "seconds",
        ),
        (json.dumps({"operations": [{**give(0, 0, "cat"), "when": "yesterday"}]}).encode(), "when"),
        (json.dumps({"operations": [{**give(0, 0, "cat"), "when": "2026-01-01T10:00:00"}]}).encode(), "time zone"),
        (json.dumps({"operations": [{**give(0, 0, "cat"), "when": "0001-01-01T00:00:00+23:59"}]}).encode(), "in UTC"),
        (json.dumps({"operations": [{**give(0, 0, "cat"), "label": "a\nb"}]}).encode(), "label"),
        (
            b'{"operations": [{"kind": "class", "when": "2026-01-01T10:00:00Z", "name": "a", "key": "0"}]}',
            "cannot tell",
        ),
        (
            b'{"operations": [{"kind": "class", "when": "2026-01-01T10:00:00Z", "name": "  ", "key": "a"}]}',
            "needs a name",
        ),
    ],
)
def test_what_is_no_operation_is_refused(body, words):
    with pytest.raises(UserError, match=words):
        read_request(body)
