"""Who is let in: the browser of the person at this machine, or one that brings the token."""

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs, urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_LOCAL = ("localhost", "127.0.0.1", "::1")
_POLICY = (  # Vue compiles templates in the browser
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' blob: data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
NO_TOKEN = "This page needs the token that its address ended in: open the whole address that the page printed.\n"
_ELSEWHERE = "This page answers to {hosts} alone, not to the name it was asked by.\n"
_FOREIGN = "Another site asks in this browser's name, which this page does not answer.\n"


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Gate:
    """An application behind checks of every request, websockets included.

    app: behind it. token: that everybody must bring, once in the address, from then on as a cookie; None: the page is
    on loopback, and requests must name it as that (or another site's name could be made to lead here). cookie: its
    name, of one page on a machine. host: where the page is, by which it may be named, too.
    """

    def __init__(self, app: App, token: str | None, cookie: str, host: str = _LOCAL[1]) -> None:
        self.app, self.token, self.cookie, self.host = app, token, cookie, host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if self.token and scope["type"] == "http" and scope["path"] == "/" and self._is_right(_brought(scope)):
            await _answer(send, HTTPStatus.SEE_OTHER, "", self._entry())
        elif (refusal := self._refusal(headers)) is None:
            await self.app(scope, receive, _adding(send))
        elif scope["type"] == "http":
            await _answer(send, HTTPStatus.FORBIDDEN, refusal)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "refused"})

    def _refusal(self, headers: MutableMapping[str, str]) -> str | None:
        """Why a request is not let in; None where it is."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if self.token is None and _name(f"//{host}") not in (*_LOCAL, self.host):
            return _ELSEWHERE.format(hosts=self.host if self.host not in _LOCAL else " and ".join(_LOCAL[:2]))
        if self.token is not None and not self._is_right(_cookie(headers.get("cookie", ""), self.cookie)):
            return NO_TOKEN
        if origin is not None and origin.partition("://")[2] != host:
            return _FOREIGN
        return None

    def _is_right(self, brought: str) -> bool:
        return self.token is not None and hmac.compare_digest(brought.encode(), self.token.encode())

    def _entry(self) -> dict[str, str]:
        """To the page, without the token in the address."""
        return {"location": "/", "set-cookie": f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Lax"}


def _brought(scope: Scope) -> str:
    query: bytes = scope["query_string"]
    return parse_qs(query.decode("latin-1")).get("token", [""])[0]


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _cookie(header: str, name: str) -> str:
    found = (part.strip().partition("=") for part in header.split(";"))
    return next((value for key, _, value in found if key == name), "")


def _adding(send: Send) -> Send:
    """Answers with the headers that keep a page to itself."""

    async def add(message: Any) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *_encoded(_HEADERS)]
        await send(message)

    return add


async def _answer(send: Send, status: HTTPStatus, text: str, headers: MutableMapping[str, str] | None = None) -> None:
    own = {"content-type": "text/plain; charset=utf-8", **_HEADERS, **(headers or {})}
    await send({"type": "http.response.start", "status": int(status), "headers": _encoded(own)})
    await send({"type": "http.response.body", "body": text.encode()})


def _encoded(headers: MutableMapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]
