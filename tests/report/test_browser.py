"""The page as a person opens it, in headless Chromium (`tests/install_chromium.sh` gets it)."""

from pathlib import Path

import numpy as np
import pytest
from chromium import needs_chromium
from made_picks import asked, pool
from made_runs import generated, made_run

from al_bench import report
from al_bench.analysis.reading import stored
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.report import picture_files
from al_bench.report.page import write_report

LONG = "a_strategy_whose_name_is_as_long_as_no_name_should_ever_be_but_somebody_will_write_one"

PAGE = Path(report.__file__).parent / "page"

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    """A report with every section, a long name, something left out."""
    root = tmp_path_factory.mktemp("report")
    for seed in (0, 1):
        made_run(root / "outputs", "random", seed)
        made_run(root / "outputs", "asal_auto", seed, tensors=generated())
    made_run(root / "outputs", LONG, 0, learner={"long": LONG * 3})
    for strategy in ("margin", LONG):
        chosen = asked(labels=[0, 1], guesses=[1, 1], of_answer=[0.25, 0.5]) | {"test_images": 40}
        made_run(root / "outputs", strategy, 0, (0.5, 0.6, 0.7, 0.75), choices={"dataset": "folder"}, more=chosen)
    maps = {"predicted": np.arange(96, dtype=np.uint8).reshape(2, 6, 8) % 20}
    scenes = {"metrics": {"mean_iou": 0.5, "iou": [0.5] * 20}, "class_counts": [1] * 20}
    for strategy in ("random", "entropy", "mal", "vaal", "bald", "coreset", "margin", LONG):
        made_run(root / "outputs", strategy, 0, choices={"dataset": "scenes"}, tensors=maps, more=scenes)
    (root / "outputs" / LONG / "cycles").mkdir(parents=True)
    found = stored(root / "outputs", root / "cells")
    assert found.problems
    return write_report(found, root / "report", "range", pool())


def test_a_large_page_shows_the_pictures_beside_it(browser, tmp_path, monkeypatch):
    monkeypatch.setattr(picture_files, "LARGEST", 0)
    for seed in (0, 1):
        made_run(tmp_path / "outputs", "random", seed)
    found = stored(tmp_path / "outputs", tmp_path / "cells")
    page = write_report(found, tmp_path / "report", "range", Rebuilder(None))
    assert list((page.parent / "pictures").iterdir())
    tab = browser.new_page()
    said = []
    tab.on("console", lambda message: said.append(message.text))
    tab.goto(page.as_uri())
    tab.eval_on_selector_all("img", "all => all.forEach(one => { one.loading = 'eager' })")
    tab.wait_for_load_state("networkidle")
    widths = tab.eval_on_selector_all("img", "all => all.map(one => one.naturalWidth)")
    assert widths and all(widths), said
    assert said == []
    tab.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_opens_whole(browser, page, width, scheme):
    tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said, asked = [], []
    tab.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(page.as_uri())
    tab.wait_for_load_state("networkidle")
    tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [page.as_uri()]
    pictures = tab.evaluate("[...document.images].map(one => [one.alt, one.naturalWidth, one.width])")
    assert len(pictures) == page.read_text().count("<img ") > 5
    assert tab.locator(".picks img").count() == tab.locator(".picks li").count() >= 12, "two of each query, and doubts"
    assert all(natural > 0 and shown > 0 for _, natural, shown in pictures)
    assert tab.locator("img[alt='']").count() == tab.locator(".picks img[alt='']").count(), "named by the words below"
    drawn = tab.evaluate("[...document.querySelectorAll('.legend use')].map(one => one.getBBox().width)")
    assert drawn and all(drawn), "every line of a legend is defined"
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    wide = "[...document.querySelectorAll('table')].filter(one => !one.closest('.scroll')).length"
    assert tab.evaluate(wide) == 0, "a table scrolls inside its own box"
    tab.close()


def test_nothing_of_a_table_is_cut_in_print(browser, page):
    """A table scrolls on a screen alone. As wide as a sheet of A4 on its side without its margins."""
    tab = browser.new_page(viewport={"width": 1047, "height": 718})
    tab.goto(page.as_uri())
    tab.emulate_media(media="print")
    tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    of_less = "all => all.filter(one => one.client{0} + 1 < one.scroll{0}).length"
    cut = [tab.eval_on_selector_all(".scroll", of_less.format(side)) for side in ("Height", "Width")]
    bounded = tab.eval_on_selector_all(".scroll", "all => all.map(one => getComputedStyle(one).maxHeight)")
    assert cut == [0, 0] and set(bounded) == {"none"}
    tab.close()


def test_long_names_break_before_a_tables_last_column_is_cut(browser):
    name = "asal_pixel, gan wgan_gp, min_distance"
    row = f"<tr><th>{name}</th>{'<td class=number>93.8 ± 2.3</td>' * 8}</tr>"
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    style = (PAGE / "style.css").read_text()
    rows = f"<thead><tr><th>method</th>{'<th class=number>110</th>' * 8}</tr></thead><tbody>{row}</tbody>"
    tab.set_content(
        f"<style>{style}</style><main><section><div class=scroll><table>{rows}</table></div></section></main>"
    )
    seen = tab.locator(".scroll")
    assert seen.evaluate("one => one.scrollWidth") <= seen.evaluate("one => one.clientWidth")
    tab.close()


@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_without_runs_opens_too(browser, tmp_path, width):
    empty = write_report(stored(tmp_path, tmp_path), tmp_path / "report", "range", Rebuilder(None))
    tab = browser.new_page(viewport={"width": width, "height": 900})
    tab.goto(empty.as_uri())
    assert tab.inner_text("h1") == "No runs yet"
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    tab.close()
