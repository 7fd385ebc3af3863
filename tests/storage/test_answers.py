"""What a person answered is kept line by line, and what holds is the fold of the lines."""

import pytest

from al_bench.errors import UserError
from al_bench.storage.answers import Answer, Answers, LabelLog, Later, NewClass, TakenBack, now


def answer(position: int, label: str | None, **more) -> Answer:
    return Answer(when=now(), position=position, file=f"{position}.png", label=label, **more)


def back(position: int) -> TakenBack:
    return TakenBack(when=now(), position=position, file=f"{position}.png")


def test_what_was_appended_is_read_once(tmp_path):
    log, reader = LabelLog(tmp_path / "labels.jsonl"), LabelLog(tmp_path / "labels.jsonl")
    assert reader.read_new() == []
    first = [answer(3, 'a "cat"\u00e4', seconds=0.5, content="0" * 16), NewClass(when=now(), name="fox", key="f")]
    log.append(*first)
    assert reader.read_new() == first
    log.append(last := back(3))
    assert reader.read_new() == [last] and reader.read_new() == []


def test_a_name_that_is_no_text_is_kept(tmp_path):
    """Names of files are bytes to the system."""
    log = LabelLog(tmp_path / "labels.jsonl")
    log.append(line := Answer(when=now(), position=1, file="\udcff.png", label="cat"))
    assert log.read_new() == [line]


def test_a_line_that_a_kill_cut_is_replaced(tmp_path):
    path = tmp_path / "labels.jsonl"
    log = LabelLog(path)
    log.append(kept := answer(1, "cat"))
    whole = path.read_bytes()
    for cut in (1, len(whole) - 1):
        path.write_bytes(whole + whole[:cut])
        assert LabelLog(path).read_new() == [kept]
        LabelLog(path).append(more := answer(2, None))
        assert LabelLog(path).read_new() == [kept, more]
        path.write_bytes(whole)
    path.write_bytes(whole + b"x" * 1000)  # longer than what takes its place
    LabelLog(path).append(more)
    assert LabelLog(path).read_new() == [kept, more] and path.read_bytes().endswith(b"}\n")


@pytest.mark.parametrize(
    "line", ["[]", "{", '{"event":"answer"}', '{"event":"run","when":"x"}', "NaN", "\x00", '{"event":"back","when":1}']
)
def test_what_is_no_line_is_named_by_its_number(tmp_path, line):
    path = tmp_path / "labels.jsonl"
    LabelLog(path).append(answer(1, "cat"))
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(UserError, match="line 2 is no answer"):
        LabelLog(path).read_new()


def test_answers_are_taken_back_in_the_order_in_which_they_were_given():
    found = Answers([answer(1, "cat"), answer(2, "dog"), answer(1, "dog"), answer(3, None)])
    assert [(one.position, one.label) for one in found.given()] == [(2, "dog"), (1, "dog"), (3, None)]
    left = []
    while (last := found.last()) is not None:
        left.append((last.position, last.label))
        found.add(back(last.position))
    assert left == [(3, None), (1, "dog"), (2, "dog"), (1, "cat")]
    found.add(back(1))
    assert found.given() == [] and found.num_lines == 9


def test_a_picture_to_be_seen_again_goes_to_the_end_until_it_is_answered():
    later = [Later(when=now(), position=position, file="") for position in (5, 6, 5)]
    found = Answers(later)
    assert list(found.later) == [6, 5]
    found.add(answer(6, "cat"))
    assert list(found.later) == [5]
