"""What a browser sends of what a person did."""

import json

from made_asking import asked

from al_bench.annotation.operations import Operation, read_request


def operations(*given: dict) -> list[Operation]:
    return read_request(json.dumps({"operations": given}).encode())


def moment(number: int) -> str:
    return f"2026-01-01T10:00:{number:02d}.000Z"


def give(number: int, position: int, label: str | None, **more) -> dict:
    """An answer in second `number`."""
    picture = asked(position).model_dump()
    said = {"label": label, "seconds": 1, "guess_shown": False, "content": None}
    return {"kind": "answer", "when": moment(number), "picture": picture, **said, **more}


def back(number: int, position: int) -> dict:
    return {"kind": "back", "when": moment(number), "position": position}


def later(number: int, position: int) -> dict:
    return {"kind": "later", "when": moment(number), "picture": asked(position).model_dump()}
