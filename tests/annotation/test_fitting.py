"""An answer that a browser kept for days is of the picture that the person saw, or it is refused."""

import shutil
from http import HTTPStatus

import pytest
from made_asking import ask, asked, content_of, labels_of, lines_of, list_pictures, made_asking
from made_operations import back, give, later, operations

from al_bench.annotation.desk import Desk
from al_bench.annotation.fitting import UnfitError
from al_bench.annotation.known import run_of
from al_bench.errors import UserError


@pytest.fixture
def run(tmp_path):
    return made_asking(tmp_path, 6)


def exchange(run, one: int, other: int) -> None:
    """Two pictures take each other's names."""
    root = run.parent / "pictures"
    (root / f"{one:03d}.png").rename(root / "aside")
    (root / f"{other:03d}.png").rename(root / f"{one:03d}.png")
    (root / "aside").rename(root / f"{other:03d}.png")


def refusal(run, *given: dict) -> tuple[str, int]:
    before = lines_of(run)
    with pytest.raises(UnfitError) as error:
        Desk(run).record(operations(*given))
    assert lines_of(run) == before, "nothing of it is kept"
    return str(error.value), error.value.status


def test_an_answer_to_a_picture_whose_file_is_another_by_now_is_refused(run):
    given = [give(at, at, "cat", content=content_of(run, at)) for at in range(3)]
    exchange(run, 1, 4)
    sentence = "001.png is another picture by now: the answer (cat) was to what it was before"
    assert refusal(run, *given) == (sentence, HTTPStatus.CONFLICT)
    Desk(run).record(operations(given[0], given[2]))
    assert labels_of(run) == {0: "cat", 2: "cat"}


def test_an_answer_to_what_was_at_its_place_in_another_run_is_refused(run):
    given = give(0, 1, None, picture=asked(1, file="a_000.png").model_dump())
    sentence = "a_000.png is not what picture 1 is now, 001.png: the answer (cannot tell) was to what it was before"
    assert refusal(run, given) == (sentence, HTTPStatus.CONFLICT)
    assert refusal(run, {**given, "content": "0" * 16}) == (sentence, HTTPStatus.CONFLICT)


def test_a_picture_that_was_renamed_takes_what_was_said_of_it_by_its_old_name(run):
    """By its content; of a picture that no browser could show there is none, and the run's list has its names."""
    given = [give(0, 1, "cat", content=content_of(run, 1)), give(1, 2, None)]
    root = run.parent / "pictures"
    for at in (1, 2):
        (root / f"{at:03d}.png").rename(root / f"new_{at}.png")
    ask(run, [asked(at, file=f"new_{at}.png") for at in (1, 2)])
    assert refusal(run, given[1])[1] == HTTPStatus.CONFLICT, "so far nothing says that it is the same"
    list_pictures(run, *([f"{at:03d}.png", 10, 0] for at in range(6)), ["new_1.png", 10, 0, 1], ["new_2.png", 10, 0, 2])
    Desk(run).record(operations(*given))
    assert [(line.position, line.file) for line in lines_of(run)] == [(1, "new_1.png"), (2, "new_2.png")]


@pytest.mark.parametrize("kind", ["answer", "later", "back"])
def test_what_is_of_no_picture_of_the_run_is_refused(run, kind):
    """Kept, it would be one that the run's next start cannot place."""
    list_pictures(run, *([f"{at:03d}.png", 10, 0] for at in range(8)))
    picture = asked(8, file="../../etc/passwd").model_dump()
    given = {
        "answer": give(0, 8, "owl", picture=picture),
        "later": {**later(0, 8), "picture": picture},
        "back": back(0, 8),
    }
    sentence = "the run asked for no picture 8, which its list does not have: load the page again"
    assert refusal(run, give(1, 0, "cat"), given[kind]) == (sentence, HTTPStatus.BAD_REQUEST)
    desk = Desk(run)
    desk.record(operations(later(0, 7)))
    assert [line.file for line in lines_of(run)] == ["007.png"], "by the list's name, whatever the browser says"


def test_an_answer_to_a_picture_that_is_asked_no_more_is_of_what_the_list_has_there(run):
    given = give(0, 1, "cat", content=content_of(run, 1))
    list_pictures(run, *([f"{at:03d}.png", 10, 0] for at in range(6)))
    exchange(run, 1, 4)
    ask(run, [asked(5)])
    assert refusal(run, given)[1] == HTTPStatus.CONFLICT
    exchange(run, 1, 4)
    Desk(run).record(operations(given))
    assert labels_of(run) == {1: "cat"}


def test_what_was_kept_and_is_sent_again_is_not_refused(run):
    given = give(0, 1, "cat", content=content_of(run, 1))
    Desk(run).record(operations(given))
    exchange(run, 1, 4)
    Desk(run).record(operations(given))
    assert len(lines_of(run)) == 1


def test_a_run_that_is_made_anew_in_the_same_folder_is_another(run, tmp_path):
    desk = Desk(run)
    first = run_of(desk)
    assert run_of(Desk(run)) == first, "whichever process shows it"
    shutil.rmtree(tmp_path / "pictures")
    shutil.rmtree(run)
    with pytest.raises(UserError, match="or gone: end this page"):
        desk.record(operations(give(0, 0, "cat")))
    assert not run.exists(), "no answer makes its folder again"
    assert made_asking(tmp_path, 6) == run
    assert run_of(Desk(run)) != first
    with pytest.raises(UserError, match="is another run's by now"):
        desk.record(operations(give(0, 0, "cat")))
    assert desk.look() and "is another run's by now" in desk.problem and lines_of(run) == []
