"""What tests do with an open page, and wait for."""

import http.client
import time
from contextlib import closing

from made_asking import labels_of, lines_of

from al_bench.storage.asked import SecondLook

NAMELESS = """[...document.querySelectorAll('button, a, input, [role]')]
    .filter(one => !(one.innerText || one.ariaLabel || one.title || '').trim()).length"""


SHOWN = """new MutationObserver((changes) => changes.forEach(({ target }) => {
    if (target.dataset.position)
        localStorage.shown = JSON.stringify([...JSON.parse(localStorage.shown ?? "[]"), target.dataset.position]);
})).observe(document.body, { subtree: true, attributeFilter: ["data-position"] })"""


def shown(tab, position: int) -> None:
    """Returns once a picture is on the screen."""
    tab.wait_for_selector(f'.stage[data-position="{position}"]')


def answered(tab, positions, key: str = "1") -> None:
    """Answers some pictures by one key, each once it is on the screen."""
    for position in positions:
        shown(tab, position)
        tab.keyboard.press(key)


def saved(run, count: int) -> dict[int, str | None]:
    """The labels, once so many lines are on the disk."""
    end = time.monotonic() + 60
    while len(lines_of(run)) < count and time.monotonic() < end:
        time.sleep(0.02)
    assert len(lines_of(run)) == count
    return labels_of(run)


def doubted(run, positions) -> list[SecondLook]:
    """Second looks at pictures that were answered first, in order, as cats, and that the model takes for dogs."""
    doubt = {"answer": "cat", "probability": 0.02, "guess": "dog", "guess_probability": 0.97}
    whens = [line.when for line in lines_of(run)]
    return [SecondLook(position=at, file=f"{at:03d}.png", when=whens[at], **doubt) for at in positions]


def tab_of(tab, name: str) -> None:
    tab.get_by_role("tab", name=name).click()


def request(page, method: str, path: str, body: bytes | None = None, **headers) -> tuple[int, bytes]:
    """A request as it is written, without a browser that tidies its path."""
    with closing(http.client.HTTPConnection("127.0.0.1", int(page.port), timeout=20)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
