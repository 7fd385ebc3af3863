"""Who is let in."""

import asyncio

import pytest

from al_bench.annotation.gate import Gate, is_loopback


async def _behind(scope, receive, send):
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"inside"})


def ask(gate, path="/picture/1", kind="http", query="", **headers):
    """What is sent to a request."""
    sent = []

    async def receive():
        return {"type": f"{kind}.connect"}

    async def send(message):
        sent.append(message)

    named = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "path": path, "query_string": query.encode(), "headers": named}
    asyncio.run(gate(scope, receive, send))
    return sent


def lets_in(gate, **request) -> bool:
    first = ask(gate, **request)[0]
    return first["type"] == "websocket.accept" or first.get("status") == 200


LOCAL = Gate(_behind, None, "page")
OPEN = Gate(_behind, "s3cret", "page")


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"host": "127.0.0.1:8080"}, True),
        ({"host": "localhost:9000"}, True),
        ({"host": "[::1]:8080"}, True),
        ({"host": "127.0.0.1:8080", "origin": "http://127.0.0.1:8080"}, True),
        ({"host": "evil.example:8080"}, False),
        ({"host": "127.0.0.1.evil.example"}, False),
        ({"host": "[::1"}, False),
        ({}, False),
        ({"host": "127.0.0.1:8080", "origin": "http://evil.example"}, False),
        ({"host": "127.0.0.1:8080", "origin": "http://127.0.0.1:9999"}, False),
        ({"host": "127.0.0.1:8080", "origin": "null"}, False),
    ],
)
def test_on_loopback_a_request_names_it_and_comes_from_the_page(kind, headers, expected):
    assert lets_in(LOCAL, kind=kind, **headers) is expected


def test_on_another_address_of_loopback_a_request_may_name_that():
    gate = Gate(_behind, None, "page", "127.0.0.2")
    assert lets_in(gate, host="127.0.0.2:8080", origin="http://127.0.0.2:8080")
    assert not lets_in(LOCAL, host="127.0.0.2:8080") and not lets_in(gate, host="127.0.0.3:8080")
    assert b"answers to 127.0.0.2 alone" in ask(gate, host="evil.example")[1]["body"]


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("cookie", "expected"),
    [
        ("page=s3cret", True),
        ("a=b; page=s3cret", True),
        ("page=s3cre", False),
        ("page=", False),
        ("other=s3cret", False),
        ("", False),
        ("page=sécret", False),
    ],
)
def test_elsewhere_everything_needs_the_token(kind, cookie, expected):
    host = "10.0.0.7:8080"
    assert lets_in(OPEN, kind=kind, host=host, cookie=cookie) is expected
    assert not lets_in(OPEN, kind=kind, host=host, cookie=cookie, origin="http://evil.example")


def test_the_token_leaves_the_address_for_a_cookie():
    start, _ = ask(OPEN, path="/", query="token=s3cret", host="10.0.0.7")
    headers = dict(start["headers"])
    assert (start["status"], headers[b"location"]) == (303, b"/")
    assert headers[b"set-cookie"] == b"page=s3cret; Path=/; HttpOnly; SameSite=Lax"
    assert ask(OPEN, path="/", query="token=guess", host="10.0.0.7")[0]["status"] == 403
    assert ask(OPEN, path="/picture/1", query="token=s3cret", host="10.0.0.7")[0]["status"] == 403
    assert ask(OPEN, path="/", query="", host="10.0.0.7")[0]["status"] == 403
    assert ask(OPEN, path="/", query="token=", host="10.0.0.7")[0]["status"] == 403


def test_a_page_keeps_to_itself():
    headers = dict(ask(LOCAL, host="localhost")[0]["headers"])
    assert headers[b"x-frame-options"] == b"DENY" and headers[b"referrer-policy"] == b"no-referrer"
    assert b"default-src 'self'" in headers[b"content-security-policy"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.0.0.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.1.2.3", False),
        ("box", False),
    ],
)
def test_loopback(host, expected):
    assert is_loopback(host) is expected
