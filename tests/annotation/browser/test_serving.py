"""Whom the page answers, with what, and what is left of one that ended."""

import json
import shutil
import subprocess

import pytest
from annotation.browser.page_use import SHOWN, answered, request, saved, shown
from chromium import needs_chromium
from made_asking import ROOT, ask, asked, command, labels_of, lines_of, made_asking, opened_page

from al_bench.storage.answers import now
from al_bench.storage.asked import SecondLook
from al_bench.storage.holding import Holding

pytestmark = needs_chromium


def test_a_page_that_is_killed_loses_nothing(window, tmp_path):
    run = made_asking(tmp_path, 12)
    with opened_page(run) as page:
        tab = window(page.address)
        answered(tab, range(4))
        shown(tab, 4)
        tab.keyboard.press("Backspace")
        shown(tab, 3)
        saved(run, 5)
        tab.wait_for_load_state("networkidle")
        page.kill()
        for position in (3, 4):  # kept in the browser
            shown(tab, position)
            tab.keyboard.press("2")
        tab.wait_for_selector("text=2 not saved yet")
        tab.evaluate(f"window.before = true; {SHOWN}")
        with opened_page(run, port=page.port):
            assert saved(run, 7) == {0: "cat", 1: "cat", 2: "cat", 3: "dog", 4: "dog"}
            tab.wait_for_selector("text=not saved yet", state="detached")
            tab.wait_for_function("!window.before && window.did_handshake")  # it has loaded itself anew
            shown(tab, 5)
            assert set(tab.evaluate("JSON.parse(localStorage.shown ?? '[]')")) <= {"5"}, "none is asked twice"
            again = window(page.address)
            again.wait_for_selector("text=open in another window")
            again.get_by_role("button", name="Label here").click()
            shown(again, 5)
            tab.wait_for_selector("text=open in another window")
            again.keyboard.press("1")
            shown(again, 6)
            tab.get_by_role("button", name="Label here").click()
            shown(tab, 6)
    assert labels_of(run)[5] == "cat" and len(lines_of(run)) == 8


def test_a_second_page_says_where_the_first_is(tmp_path):
    run = made_asking(tmp_path, 1)
    with opened_page(run) as page:
        done = subprocess.run(command(run), cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert (
            done.stderr
            == f"error: the page of {run} is open already at {page.address} (process {page.process.pid}): label there\n"
        )


def test_a_run_that_is_not_there_is_said(window, tmp_path):
    run = made_asking(tmp_path, 3)
    (holding := Holding(run)).take()
    with opened_page(run) as page:
        tab = window(page.address)
        assert tab.inner_text(".run") == "Label these pictures."
        holding.give_back()
        tab.wait_for_selector("text=The run is not running")
        shown(tab, 0)
        tab.keyboard.press("1")
        assert saved(run, 1) == {0: "cat"}
        tab.close()
    with opened_page(run, "--idle", "0.1") as page:
        assert page.process.wait(20) == 0
    assert not (run / "page.json").exists()


@pytest.mark.parametrize(
    "path",
    [
        "999",
        "-1",
        "0/../../secret",
        "..%2f..%2fsecret.png",
        "%2e%2e/%2e%2e/etc/passwd",
        "0%00",
        "1e0",
        "0?size=../../x",
        "0?size=original",
    ],
)
def test_only_pictures_that_are_asked_for_are_served(asking_page, path):
    status, body = request(asking_page, "GET", f"/picture/{path}")
    assert status in (404, 422), body
    assert request(asking_page, "GET", "/picture/0?size=tile")[1].startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "path",
    [
        "/../../../../etc/passwd",
        "/..%2f..%2f..%2fetc/passwd",
        "//etc/passwd",
        "/_nicegui/esm/../../../etc/passwd",
        "/pictures/000.png",
        "/query.json",
        "/labels.jsonl",
    ],
)
def test_no_file_is_served_by_its_path(asking_page, path):
    status, body = request(asking_page, "GET", path)
    assert status == 404 and b"root:" not in body


def test_other_sites_are_not_answered(asking_page):
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        for path in ("/", "/state", "/picture/0", "/_nicegui_ws/socket.io/?EIO=4&transport=polling"):
            assert request(asking_page, "GET", path, **headers)[0] == 403
        assert request(asking_page, "POST", "/record", b'{"operations": []}', **headers)[0] == 403
    assert request(asking_page, "POST", "/record", b'{"operations": []}', **{"Content-Type": "text/plain"})[0] == 415
    status, body = request(
        asking_page, "POST", "/record", b'{"operations": [1]}', **{"Content-Type": "application/json"}
    )
    assert status == 400 and b"load the page again" in body


def test_what_is_of_no_picture_of_the_run_is_no_answer(asking_page):
    run = json.loads(request(asking_page, "GET", "/state")[1])["run"]
    for at, when, words in ((999_999, now(), b"no picture 999999"), (0, "0001-01-01T00:00:00+23:59", b"none in UTC")):
        sent = json.dumps({"operations": [{"kind": "back", "when": when, "position": at}]}).encode()
        status, body = request(asking_page, "POST", f"/record?run={run}", sent, **{"Content-Type": "application/json"})
        assert status == 400 and words in body and json.loads(body)["final"]


def test_what_was_done_in_a_window_of_another_run_is_not_kept_in_this_one(asking_page):
    for other in ("?run=0123456789abcdef", ""):
        status, body = request(
            asking_page, "POST", f"/record{other}", b'{"operations": []}', **{"Content-Type": "application/json"}
        )
        assert status == 409 and b"of another run" in body


def test_a_window_goes_over_to_the_run_whose_page_is_at_its_address_now(window, tmp_path):
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    first, second = made_asking(tmp_path / "first", 4), made_asking(tmp_path / "second", 4, ("owl", "yak"))
    with opened_page(first) as page:
        tab = window(page.address)
        shown(tab, 0)
        page.kill()
        tab.keyboard.press("1")
    with opened_page(second, port=page.port):
        shown(tab, 0)
        tab.get_by_text("owl").first.wait_for()
        tab.keyboard.press("2")
        assert saved(second, 1) == {0: "yak"}
    with opened_page(first, port=page.port):
        assert saved(first, 1) == {0: "cat"}


def test_answers_to_pictures_that_are_others_by_now_are_not_kept_and_said(window, tmp_path):
    run, pictures = made_asking(tmp_path, 6), tmp_path / "pictures"
    with opened_page(run) as page:
        tab = window(page.address)
        answered(tab, range(2))
        saved(run, 2)
        tab.wait_for_load_state("networkidle")
        page.kill()
        answered(tab, (2, 3), "2")
        shown(tab, 4)
        tab.keyboard.press("2")
        shown(tab, 5)
        tab.keyboard.press("Backspace")
        (pictures / "005.png").replace(pictures / "003.png")
    with opened_page(run, port=page.port):
        tab.get_by_text("One answer was not kept").wait_for()
        tab.get_by_text("003.png is another picture by now: the answer (dog)").first.wait_for()
        assert saved(run, 5) == {0: "cat", 1: "cat", 2: "dog"}, "4 was taken back"
        tab.wait_for_function(
            "!JSON.parse(localStorage.getItem(Object.keys(localStorage).find(one => one.endsWith('pending')))).length"
        )
        tab.get_by_role("button", name="I have read it").click()
        assert tab.get_by_text("not kept").count() == 0
        again = window(page.address)
        again.get_by_role("button", name="Label here").click()
        shown(again, 4)
        again.keyboard.press("1")
        shown(again, 3)
        again.keyboard.press("1")
        assert saved(run, 7) == {0: "cat", 1: "cat", 2: "dog", 4: "cat", 3: "cat"}, "asked again, as it is now"


def test_what_is_taken_back_of_a_refused_answer_takes_back_no_other(window, tmp_path):
    run, pictures = made_asking(tmp_path, 3), tmp_path / "pictures"
    with opened_page(run) as page:
        tab = window(page.address)
        shown(tab, 0)
        tab.keyboard.press("1")
        saved(run, 1)
        doubt = {"answer": "cat", "probability": 0.02, "guess": "dog", "guess_probability": 0.97}
        ask(run, [asked(1), asked(2)], second_looks=[SecondLook(position=0, file="000.png", **doubt)])
        tab.get_by_role("tab", name="Look again 1").click()
        shown(tab, 0)
        tab.wait_for_load_state("networkidle")
        page.kill()
        tab.keyboard.press("2")
        tab.wait_for_selector("text=1 not saved yet")
        tab.keyboard.press("Backspace")
        tab.wait_for_selector("text=2 not saved yet")
        (pictures / "002.png").replace(pictures / "000.png")
    with opened_page(run, port=page.port):
        tab.get_by_text("One answer was not kept").wait_for()
        tab.wait_for_selector("text=not saved yet", state="detached")
        assert saved(run, 1) == {0: "cat"}


def test_answers_for_a_run_that_was_made_anew_are_not_taken_for_it(window, tmp_path):
    run = made_asking(tmp_path, 4)
    with opened_page(run) as page:
        tab = window(page.address)
        shown(tab, 0)
        page.kill()
        tab.keyboard.press("1")
        tab.wait_for_selector("text=1 not saved yet")
        shutil.rmtree(run)
        shutil.rmtree(tmp_path / "pictures")
        made_asking(tmp_path, 4, ("owl", "yak"))
    with opened_page(run, port=page.port):
        tab.get_by_text("Of another run, whose page was at this address, one answer is not saved").wait_for()
        shown(tab, 0)
        tab.keyboard.press("2")
        assert saved(run, 1) == {0: "yak"}
        tab.get_by_role("button", name="Forget them").click()
        tab.reload()
        shown(tab, 1)
        assert tab.get_by_text("Of another run").count() == 0 and labels_of(run) == {0: "yak"}


def test_elsewhere_a_token_is_needed(window, tmp_path):
    run = made_asking(tmp_path, 2)
    with opened_page(run, "--host", "0.0.0.0") as page:
        token = page.address.split("token=")[1]
        assert len(token) >= 32
        for path in ("/", "/state", "/picture/0", "/labels.csv", "/_nicegui_ws/socket.io/?EIO=4&transport=polling"):
            assert request(page, "GET", path)[0] == 403
        tab = window(f"http://127.0.0.1:{page.port}/?token={token}")
        shown(tab, 0)
        assert tab.url == f"http://127.0.0.1:{page.port}/"
        tab.keyboard.press("1")
        shown(tab, 1)
        saved(run, 1)
        page.kill()
        tab.keyboard.press("2")
        with opened_page(run, "--host", "0.0.0.0", port=page.port) as again:
            assert again.address == page.address, "the window that the other left goes on"
            assert saved(run, 2) == {0: "cat", 1: "dog"}
