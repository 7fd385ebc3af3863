"""Answers of a person at the page, in headless Chromium (`tests/install_chromium.sh` gets it)."""

import hashlib

from annotation.browser.page_use import answered, doubted, saved, shown
from chromium import needs_chromium
from made_asking import ask, asked, lines_of, made_asking, opened_page

from al_bench.storage.answers import Answer

pytestmark = needs_chromium


def test_forty_answers_with_undo(window, tmp_path):
    run = made_asking(tmp_path, 50)
    keys = ["1", "2", "0", "2", "1"]
    names = {"1": "cat", "2": "dog", "0": None}
    with opened_page(run, "--who", "Ada") as page:
        tab = window(page.address)
        for position in range(40):
            shown(tab, position)
            tab.keyboard.press(keys[position % 5])
        shown(tab, 40)
        for position in (39, 38, 37):
            tab.keyboard.press("Backspace")
            shown(tab, position)
        tab.keyboard.press("2")
        shown(tab, 38)
        tab.reload()
        shown(tab, 38)
        tab.get_by_role("button", name="Take back").click()
        shown(tab, 37)
        tab.get_by_role("button", name="cat", exact=False).click()
        shown(tab, 38)
        expected = {position: names[keys[position % 5]] for position in range(37)} | {37: "cat"}
        assert saved(run, 40 + 3 + 1 + 1 + 1) == expected
    answers = [line for line in lines_of(run) if isinstance(line, Answer)]
    assert [answer.position for answer in answers] == [*range(40), 37, 37]
    files = [tmp_path / "pictures" / answer.file for answer in answers]
    assert [one.content for one in answers] == [hashlib.sha256(file.read_bytes()).hexdigest()[:16] for file in files]
    assert all(answer.who == "Ada" and 0 <= answer.seconds < 20 and not answer.guess_shown for answer in answers)
    assert [answer.when for answer in answers] == sorted(answer.when for answer in answers)


def test_a_key_never_labels_a_picture_that_was_not_on_the_screen(window, tmp_path):
    run, held = made_asking(tmp_path, 16), []
    with opened_page(run) as page:
        tab = window(page.address)
        shown(tab, 0)
        press = "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '1', bubbles: true, repeat: %s}))"
        tab.evaluate(";".join([press % "true", press % "false", press % "false", press % "false"]))
        assert tab.inner_text(".last").startswith("Too early")
        shown(tab, 1)
        assert saved(run, 1) == {0: "cat"}
        tab.route("**/picture/14?*", lambda route: held.append(route))  # comes late
        for position in range(1, 14):
            shown(tab, position)
            tab.keyboard.press("2")
        tab.wait_for_selector("text=Loading")
        tab.keyboard.press("1")
        assert tab.inner_text(".last").startswith("Too early")
        held[0].continue_()
        shown(tab, 14)
        tab.keyboard.press("2")
        assert saved(run, 15) == {0: "cat"} | dict.fromkeys(range(1, 15), "dog")


def test_a_key_that_is_held_down_takes_one_answer_back(window, tmp_path):
    run = made_asking(tmp_path, 6)
    with opened_page(run) as page:
        tab = window(page.address)
        answered(tab, range(4))
        shown(tab, 4)
        back = (
            "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'Backspace', bubbles: true, repeat: %s}))"
        )
        tab.evaluate(";".join([back % "false", *[back % "true"] * 20]))
        shown(tab, 3)
        assert saved(run, 5) == {0: "cat", 1: "cat", 2: "cat"}


def test_no_key_labels_what_the_zoom_hides(window, tmp_path):
    """Another picture took the place of the enlarged one, or another window labels."""
    run = made_asking(tmp_path, 4)
    with opened_page(run) as page:
        tab = window(page.address)
        answered(tab, range(3))
        saved(run, 3)
        looks = doubted(run, range(3))
        ask(run, [asked(3)], second_looks=looks[:2])
        tab.get_by_role("tab", name="Look again 2").click()
        shown(tab, 0)
        tab.keyboard.press(" ")
        tab.wait_for_selector(".zoom img")
        ask(run, [asked(3)], second_looks=looks[2:])
        tab.get_by_role("tab", name="Look again 1").wait_for()
        tab.keyboard.press("2")
        assert saved(run, 4) == {0: "dog", 1: "cat", 2: "cat"}, "the one that is enlarged"
        shown(tab, 2)
        tab.keyboard.press(" ")
        tab.wait_for_selector(".zoom img")
        window(page.address).get_by_role("button", name="Label here").click()
        tab.wait_for_selector(".zoom", state="detached")


def test_later_zoom_and_a_guess(window, tmp_path):
    guessed = {"guess": "dog", "probability": 0.875, "asked_by": 1}
    run = made_asking(tmp_path, pictures=[asked(0, audit=True, **guessed), asked(1, **guessed), asked(2), asked(3)])
    with opened_page(run) as page:
        tab = window(page.address)
        shown(tab, 0)
        tab.keyboard.press("ArrowDown")
        assert "No guess" in tab.inner_text(".guess")
        tab.keyboard.press("1")
        shown(tab, 1)
        assert tab.locator(".guess").count() == 0
        tab.keyboard.press("ArrowDown")
        assert tab.inner_text(".guess") == "The model says dog (88 %)."
        tab.keyboard.press("ArrowDown")
        assert tab.locator(".guess").count() == 0
        tab.keyboard.press(" ")
        tab.wait_for_selector(".zoom img")
        tab.keyboard.press("+")
        assert tab.inner_text(".zoom output") == "140 %"
        tab.mouse.wheel(0, 400)
        tab.wait_for_function("document.querySelector('.zoom output').innerText === '52 %'")
        tab.keyboard.press("Escape")
        assert tab.locator(".zoom").count() == 0
        tab.keyboard.press("2")
        shown(tab, 2)
        tab.keyboard.press("ArrowRight")
        shown(tab, 3)
        tab.keyboard.press("2")
        shown(tab, 2)
        for _ in range(2):  # it is the only one that is left
            tab.keyboard.press("ArrowRight")
            shown(tab, 2)
        tab.keyboard.press("2")
        saved(run, 7)
        assert tab.inner_text(".stage") == "Nothing to label."
    answers = [line for line in lines_of(run) if isinstance(line, Answer)]
    assert [(one.position, one.guess_shown, one.audit) for one in answers] == [
        (0, False, True), (1, True, False), (3, False, False), (2, False, False),
    ]  # fmt: skip


def test_all_answers_are_a_click_away(window, tmp_path):
    run = made_asking(tmp_path, 2)
    with opened_page(run) as page:
        tab = window(page.address)
        shown(tab, 0)
        digit = "new KeyboardEvent('keydown', {key: '&', code: 'Digit2', bubbles: true})"  # as a French keyboard has it
        tab.evaluate(f"document.body.dispatchEvent({digit})")
        shown(tab, 1)
        saved(run, 1)
        with tab.expect_download() as download:
            tab.get_by_role("link", name="Download labels.csv").click()
        text = download.value.path().read_text()
    assert text.splitlines()[0].startswith("file,label") and "000.png,dog" in text
