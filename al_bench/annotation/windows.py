"""The browser windows that have the page open; one of them labels, so that no picture is asked twice."""

from pathlib import Path

from nicegui import Client, ui

_STYLE = Path(__file__).parent / "page" / "style.css"


class Labeler(ui.element, component="page/labeler.js", esm={"labeling": "page"}):
    """All that a window shows; `page/labeler.js` is the browser's half."""


class Windows:
    """Windows that are connected, in the order in which they came."""

    def __init__(self) -> None:
        self._open: dict[str, Labeler] = {}
        self._seat: str | None = None

    @property
    def any(self) -> bool:
        """Whether one is connected."""
        return bool(self._open)

    def add(self, client: Client) -> None:
        """Fills a new window."""
        ui.add_css(_STYLE)
        labeler = Labeler()
        labeler.on("claim", lambda: self._sit(client.id))
        client.on_connect(lambda: self._connected(client.id, labeler))
        client.on_disconnect(lambda: self._left(client))
        client.on_delete(lambda: self._gone(client.id))

    def tell(self, version: int) -> None:
        """Makes windows get the state anew that have an older one."""
        for labeler in self._open.values():
            labeler.run_method("look", version)

    def _connected(self, name: str, labeler: Labeler) -> None:
        self._open[name] = labeler
        self._sit(self._seat if self._seat in self._open else name)

    def _left(self, client: Client) -> None:
        if not client.has_socket_connection:
            self._gone(client.id)

    def _gone(self, name: str) -> None:
        if self._open.pop(name, None) is not None and self._seat == name:
            self._sit(next(reversed(self._open), None))

    def _sit(self, name: str | None) -> None:
        """From now on this window labels."""
        self._seat = name
        for other, labeler in self._open.items():
            labeler.run_method("seat", other == name)
