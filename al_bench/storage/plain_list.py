"""A JSON file of a run that lists plain values of one kind."""

from pathlib import Path
from typing import TypeVar

from al_bench.errors import UserError
from al_bench.files import read_json

_Plain = TypeVar("_Plain", int, str)


def read_list(path: Path, kind: type[_Plain], what: str) -> list[_Plain] | None:
    """What a file of ours lists, all of one kind; None where it is not there. Raises UserError for anything else."""
    try:
        found = read_json(path)
    except FileNotFoundError:
        return None
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(type(one) is kind for one in found):
        raise UserError(f"{path} is no list of {what}: put it back from a copy")
    return found
