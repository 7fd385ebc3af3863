"""Windows of a browser in which nothing may go wrong, and a page that has something of everything."""

import pytest
from made_asking import asked, made_asking, opened_page

from al_bench.storage.asked import Measured, SecondLook


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
