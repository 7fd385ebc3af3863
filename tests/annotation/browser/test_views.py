"""What the page shows, in headless Chromium."""

import re

import pytest
from annotation.browser.page_use import NAMELESS, answered, doubted, saved, shown, tab_of
from chromium import needs_chromium
from made_asking import ask, asked, lines_of, made_asking, opened_page

from al_bench.storage.answers import Answer
from al_bench.storage.asked import Measured

pytestmark = needs_chromium


def test_the_grid(window, tmp_path):
    guesses = ["cat"] * 7 + ["dog"] * 3
    pictures = [asked(at, guess=guess, probability=0.9 - at / 100) for at, guess in enumerate(guesses)]
    run = made_asking(tmp_path, pictures=[*pictures, asked(10, guess="cat", probability=1.0, audit=True)])
    with opened_page(run) as page:
        tab = window(page.address)
        tab_of(tab, "Grid")
        tab.get_by_role("button", name="Confirm 7").wait_for()
        tab.click('.tile[data-position="1"]')
        tab.click('.tile[data-position="4"]')
        tab.keyboard.press("2")
        tab.get_by_role("button", name="Confirm 5").wait_for()
        assert saved(run, 2) == {1: "dog", 4: "dog"}
        tab.click('.tile[data-position="2"]')
        tab.keyboard.press("Enter")
        tab.get_by_role("button", name="Confirm 3").wait_for()
        assert tab.inner_text(".grid-bar strong") == "dog", "the next class"
        whole = {1: "dog", 4: "dog", 0: "cat", 3: "cat", 5: "cat", 6: "cat"}
        assert saved(run, 6) == whole
        tab.keyboard.press("Backspace")
        assert saved(run, 10) == {1: "dog", 4: "dog"}, "a page is taken back at once"
        tab.get_by_role("button", name="cat 5").click()
        tab.get_by_role("button", name="Confirm 4").wait_for()
        tab_of(tab, "One by one")
        shown(tab, 0)
    assert all(line.guess_shown for line in lines_of(run) if isinstance(line, Answer))


def test_only_what_was_on_the_screen_is_confirmed(window, tmp_path):
    run = made_asking(tmp_path, pictures=[asked(at, guess="cat", probability=0.9) for at in range(24)])
    with opened_page(run) as page:
        tab = window(page.address, width=400, height=500)
        tab_of(tab, "Grid")
        tab.get_by_role("button", name=re.compile("Confirm [1-9]")).wait_for()
        first = int(tab.inner_text(".grid-bar .primary").split()[1])
        assert 0 < first < 24
        tab.locator(".tile").last.scroll_into_view_if_needed()
        tab.mouse.wheel(0, 2000)
        tab.get_by_role("button", name="Confirm 24").wait_for()
        ask(run, [asked(at, guess="dog", probability=0.9) for at in range(24)])  # a new model says something else
        tab.get_by_role("button", name="dog 24").click()
        tab.get_by_role("button", name=re.compile("Confirm [1-9]")).wait_for()
        assert int(tab.inner_text(".grid-bar .primary").split()[1]) < 24


def test_another_class_is_given_to_no_picture_of_the_one_before(window, tmp_path):
    pictures = [asked(at, guess=guess, probability=0.9) for at, guess in enumerate(["cat", "cat", "dog"])]
    run, held = made_asking(tmp_path, pictures=pictures), []
    with opened_page(run) as page:
        tab = window(page.address)
        tab_of(tab, "Grid")
        tab.get_by_role("button", name="Confirm 2").wait_for()
        tab.route("**/grid?guess=dog", lambda route: held.append(route))  # comes late
        tab.get_by_role("button", name="dog 1").click()
        tab.get_by_role("button", name="Confirm 0").wait_for()
        tab.keyboard.press("Enter")
        held[0].continue_()
        tab.get_by_role("button", name="Confirm 1").wait_for()
        tab.keyboard.press("Enter")
        assert saved(run, 1) == {2: "dog"}


def test_second_looks(window, tmp_path):
    run = made_asking(tmp_path, 4)
    with opened_page(run) as page:
        tab = window(page.address)
        answered(tab, range(3))
        saved(run, 3)
        ask(run, [asked(3)], second_looks=doubted(run, (2, 0, 1)))
        tab.get_by_role("tab", name="Look again 3").click()
        shown(tab, 2)
        assert tab.inner_text(".guess") == "The model says dog (97 %); you said cat, which it gives 2 %."
        tab.keyboard.press("ArrowRight")
        shown(tab, 0)
        tab.keyboard.press("Enter")
        shown(tab, 1)
        tab.keyboard.press("Backspace")
        shown(tab, 0)
        tab.keyboard.press("Enter")
        shown(tab, 1)
        tab.keyboard.press("2")
        tab.wait_for_function("document.querySelector('.stage').innerText.startsWith('No answer')")
        assert saved(run, 7) == {0: "cat", 1: "dog", 2: "cat"}
        tab_of(tab, "Look again 1")
        tab.keyboard.press("Backspace")
        tab.keyboard.press("Backspace")
        assert saved(run, 9) == {0: "cat", 1: "cat", 2: "cat"}


def test_names_are_shown_as_they_are(window, tmp_path):
    classes = ['"Käfer" & <b>Co</b>', "<script>window.broken = 1</script>", "it's {{ 7 * 6 }}"]
    names = ["<img src=x onerror='window.broken=1'>.png", 'sub dir/ä "quoted" #1?.png', "%2e%2e.png"]
    run = made_asking(tmp_path, pictures=[asked(at, file=name) for at, name in enumerate(names)], classes=classes)
    with opened_page(run) as page:
        tab = window(page.address)
        for position, name in enumerate(names):
            shown(tab, position)
            assert tab.inner_text(".file") == name
            assert tab.get_attribute(".frame img", "alt") == name
            tab.keyboard.press(str(position + 1))
        assert saved(run, 3) == dict(enumerate(classes))
        assert tab.locator(".give .name").all_inner_texts() == classes
        assert tab.evaluate("window.broken") is None
    assert [line.file for line in lines_of(run)] == names


def test_classes_and_keys_of_ones_own(window, tmp_path):
    run = made_asking(tmp_path, 4)
    with opened_page(run) as page:
        tab = window(page.address)
        shown(tab, 0)
        tab.get_by_role("button", name="Add a class").click()
        tab.get_by_label("Name of the new class").fill("Eule ä")
        tab.get_by_label("Key of the new class").fill("1")
        tab.get_by_role("button", name="Add", exact=True).click()
        tab.get_by_label("Key of dog").fill("h")
        ask(run, [asked(at) for at in range(4)], forecast="It goes on.")
        tab.wait_for_selector("text=It goes on.")
        tab.get_by_label("Key of dog").press("Tab")
        saved(run, 2)
        tab.get_by_label("Key of dog").fill("0")
        tab.get_by_label("Key of dog").press("Tab")
        assert "page's own" in tab.inner_text(".last")
        tab.get_by_role("button", name="Done").click()
        for position, key in enumerate("1ha"):
            shown(tab, position)
            tab.keyboard.press(key)
        assert saved(run, 5) == {0: "Eule ä", 1: "dog", 2: "cat"}


def test_one_of_many_classes_is_found_by_its_name(window, tmp_path):
    classes = [f"class {number:03d}" for number in range(120)] + ["Grünspecht", "a Grun", "GRUN"]
    pictures = [asked(at, guess=classes[0], probability=0.9) for at in range(6)]
    run = made_asking(tmp_path, pictures=pictures, classes=classes)
    with opened_page(run) as page:
        tab = window(page.address)
        shown(tab, 0)
        tab.keyboard.press("/")
        tab.keyboard.type("grun")
        assert tab.locator(".give .name").all_inner_texts() == ["GRUN", "Grünspecht", "a Grun"]
        assert tab.inner_text(".find p") == "3 of 123; Enter: GRUN"
        tab.keyboard.type("s")
        tab.keyboard.press("Enter")
        shown(tab, 1)
        assert tab.locator(".give").count() == 123 and tab.input_value(".find input") == ""
        tab.keyboard.press("1")
        shown(tab, 2)
        tab.keyboard.press("/")
        tab.keyboard.type("no such")
        tab.keyboard.press("Enter")
        assert tab.inner_text(".find p") == "No class has that in its name."
        tab.keyboard.press("Escape")
        tab.keyboard.press("0")
        shown(tab, 3)
        assert saved(run, 3) == {0: "Grünspecht", 1: "class 000", 2: None}
        tab_of(tab, "Grid")
        tab.get_by_role("button", name="Confirm 3").wait_for()
        tab.click('.tile[data-position="4"]')
        tab.keyboard.press("/")
        tab.keyboard.type("117")
        tab.keyboard.press("Enter")
        tab.get_by_role("button", name="Confirm 2").wait_for()
        assert saved(run, 4)[4] == "class 117"


def test_what_is_asked_may_change_while_it_is_open(window, tmp_path):
    run = made_asking(tmp_path, 12)
    with opened_page(run) as page:
        tab = window(page.address)
        shown(tab, 0)
        tab.keyboard.press("1")
        shown(tab, 1)
        ask(
            run,
            [asked(at) for at in (9, 8, 0)],
            said="A new model asks.",
            curve=[Measured(annotations=8, correct=3, images=4)],
        )
        tab.wait_for_selector("text=75.0 %")
        assert tab.get_attribute(".stage", "data-position") == "1", "what a person looks at stays"
        tab.keyboard.press("2")
        shown(tab, 9)
        tab.keyboard.press("2")
        shown(tab, 8)
        assert saved(run, 3) == {0: "cat", 1: "dog", 9: "dog"}
        ask(run, [], state="finished", said="That is enough.")
        tab.wait_for_selector("text=That is enough.")


def test_a_picture_that_cannot_be_shown(window, tmp_path):
    run = made_asking(tmp_path, 4)
    (tmp_path / "pictures" / "000.png").write_text("no picture")
    (tmp_path / "pictures" / "001.png").unlink()
    (tmp_path / "pictures" / "002.png").unlink()
    (tmp_path / "secret.png").symlink_to(tmp_path / "pictures" / "003.png")
    (tmp_path / "pictures" / "002.png").symlink_to("/etc/hostname")
    with opened_page(run) as page:
        tab = window(page.address)
        for position, words in enumerate(("none of the formats", "not in the folder", "out of the folder")):
            shown(tab, position)
            assert words in tab.inner_text(".placeholder")
            tab.keyboard.press("1")
            assert "Nobody can see this picture" in tab.inner_text(".last")
            tab.keyboard.press("0")
        shown(tab, 3)
        assert saved(run, 3) == dict.fromkeys(range(3))
        assert [line.content for line in lines_of(run)] == [None] * 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_it_fits_and_asks_nothing_of_other_sites(browser, asking_page, width, scheme):
    tab = browser.new_page(viewport={"width": width, "height": 850}, color_scheme=scheme)
    said, asked_for = [], []
    tab.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked_for.append(request.url))
    tab.goto(asking_page.address)
    shown(tab, 0)
    for name in ("Grid", "Look again", "One by one"):
        tab_of(tab, name)
        tab.wait_for_load_state("networkidle")
        assert tab.evaluate("document.documentElement.scrollWidth") == width, name
        assert tab.evaluate(NAMELESS) == 0, name
    tab.keyboard.press("?")
    tab.get_by_role("dialog", name="Keys").wait_for()
    tab.keyboard.press("Escape")
    dark = "getComputedStyle(document.body).backgroundColor"
    before = tab.evaluate(dark)
    assert (before == "rgb(16, 18, 22)") == (scheme == "dark")
    for _ in range(2 if scheme == "light" else 1):
        tab.get_by_role("button", name="Theme").click()
    assert tab.evaluate(dark) != before
    assert said == []
    assert all(url.startswith((asking_page.address, f"blob:{asking_page.address}")) for url in asked_for)
    tab.close()
