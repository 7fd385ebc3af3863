"""What answers at a port that is taken: mostly the page of another run."""

import http.client
from contextlib import closing
from typing import Final

from pydantic import BaseModel, ValidationError

from al_bench.annotation.gate import NO_TOKEN
from al_bench.files import parse_json

WHOSE: Final = "/whose"
_MOST: Final = 1 << 16  # bytes of an answer
_PATIENCE: Final = 2.0  # seconds


class Whose(BaseModel):
    """What a page of ours says of itself. run: the folder of its run; process: its id."""

    run: str
    process: int


def reached_at(host: str) -> str:
    """What this machine itself reaches a page at: its own name may lead nowhere, as in a container."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def page_at(host: str, port: int) -> tuple[str, str] | None:
    """Whose page answers at a port, and how to end it, in words; None where it is none of ours."""
    try:
        status, content = _answer(reached_at(host), port)
        if status == http.HTTPStatus.FORBIDDEN and content.decode() == NO_TOKEN:
            return "a page of al_bench for others, whose run its token alone tells", "end it where it was opened"
        whose = Whose.model_validate(parse_json(content))
    except (OSError, http.client.HTTPException, ValidationError, ValueError):
        return None
    ends = "it ends a minute after that run is over and no browser shows it"
    return f"the page of {whose.run} (process {whose.process})", f"{ends}; end it now by kill {whose.process}"


def _answer(host: str, port: int) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection(host, port, timeout=_PATIENCE)) as connection:
        connection.request("GET", WHOSE)
        answer = connection.getresponse()
        return answer.status, answer.read(_MOST)
