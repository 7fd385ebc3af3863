"""The page as a person uses it, in headless Chromium (`tests/install_chromium.sh` gets it)."""

import hashlib
import http.client
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from chromium import CHROMIUM, FLAGS, needs_chromium
from made_asking import ROOT, ask, asked, command, labels_of, lines_of, made_asking, opened_page

from al_bench.storage.answers import Answer
from al_bench.storage.asked import Measured, SecondLook
from al_bench.storage.holding import Holding

NAMELESS = """[...document.querySelectorAll('button, a, input, [role]')]
    .filter(one => !(one.innerText || one.ariaLabel || one.title || '').trim()).length"""

SHOWN = """new MutationObserver((changes) => changes.forEach(({ target }) => {
    if (target.dataset.position)
        localStorage.shown = JSON.stringify([...JSON.parse(localStorage.shown ?? "[]"), target.dataset.position]);
})).observe(document.body, { subtree: true, attributeFilter: ["data-position"] })"""

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def window(browser):
    """A function that opens a page, in one browser's storage; nothing may go wrong in the console."""
    said = []
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    context.set_default_timeout(20_000)

    def go(address: str, **options):
        tab = context.new_page()
        if options:
            tab.set_viewport_size(options)
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.goto(address)
        tab.wait_for_selector(".labeler")
        return tab

    yield go
    context.close()
    assert said == []


def shown(tab, position: int) -> None:
    """Returns once a picture is on the screen."""
    tab.wait_for_selector(f'.stage[data-position="{position}"]')


def saved(run, count: int) -> dict[int, str | None]:
    """The labels, once so many lines are on the disk."""
    end = time.monotonic() + 60
    while len(lines_of(run)) < count and time.monotonic() < end:
        time.sleep(0.02)
    assert len(lines_of(run)) == count
    return labels_of(run)


def tab_of(tab, name: str) -> None:
    tab.get_by_role("tab", name=name).click()


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


def test_second_looks(window, tmp_path):
    run = made_asking(tmp_path, 4)
    with opened_page(run) as page:
        tab = window(page.address)
        for position in range(3):
            shown(tab, position)
            tab.keyboard.press("1")
        saved(run, 3)
        doubt = {"answer": "cat", "probability": 0.02, "guess": "dog", "guess_probability": 0.97}
        whens = [line.when for line in lines_of(run)]
        looks = [SecondLook(position=at, file=f"{at:03d}.png", when=whens[at], **doubt) for at in (2, 0, 1)]
        ask(run, [asked(3)], second_looks=looks)
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


def test_a_page_that_is_killed_loses_nothing(window, tmp_path):
    run = made_asking(tmp_path, 12)
    with opened_page(run) as page:
        tab = window(page.address)
        for position in range(4):
            shown(tab, position)
            tab.keyboard.press("1")
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


@pytest.fixture(scope="module")
def asking_page(tmp_path_factory):
    """A page whose every part has something in it, with long names."""
    long = "ein_Name_der_so_lang_ist_wie_keiner_je_sein_sollte_und_den_doch_einmal_jemand_schreibt"
    pictures = [asked(at, file=f"{long}/{at}.png", asked_by=1, guess=long, probability=0.5) for at in range(30)]
    look = SecondLook(position=99, file="000.png", answer=long, probability=0.1, guess="cat", guess_probability=0.9)
    curve = [Measured(annotations=at, correct=at // 2, images=at) for at in (10, 20, 30)]
    run = made_asking(tmp_path_factory.mktemp("asking"), pictures=pictures, classes=[long, *"abcdefghijkl"],
                      second_looks=[look], curve=curve, audit_size=50, forecast="90 % at 300 labels.")  # fmt: skip
    with opened_page(run) as page:
        yield page


def request(page, method: str, path: str, body: bytes | None = None, **headers) -> tuple[int, bytes]:
    """A request as it is written, without a browser that tidies its path."""
    with closing(http.client.HTTPConnection("127.0.0.1", int(page.port), timeout=20)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


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
