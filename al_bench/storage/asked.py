"""What the run of a person who labels and the page meet in, beside the answers.

query.json   what is asked, and what is known so far; the run writes it, the page reads it
page.json    where the page is open; the page writes it, and holds `page.lock` while it is open
run_id.json  which run the folder is of: drawn when it is made, so that one made anew in its place is told from it
"""

import secrets
import socket
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from filelock import Timeout
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from al_bench.errors import UserError
from al_bench.files import lock_of, read_json, remembered, write_json
from al_bench.storage.answers import Name, Position

QUERY, PAGE, PAGE_LOCK, RUN_ID = "query.json", "page.json", "page.lock", "run_id.json"

Fraction = Annotated[float, Field(ge=0, le=1)]


class _Stored(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class AskedPicture(_Stored):
    """A picture to label. Of the fields see `answers.Answer`; guess and probability are the newest model's;
    score: what it was chosen by, in its strategy's own sense, None where it was drawn."""

    position: Position
    file: str
    audit: bool = False
    asked_by: Position | None = None
    guess: Name | None = None
    probability: Fraction | None = None
    score: float | None = None


class SecondLook(_Stored):
    """An answer that a model disagrees with. when: it was given, so that the same answer given again is known as kept.
    probability: that the model gives the answer; guess: what it takes it for, with what probability."""

    position: Position
    file: str
    answer: Name
    when: Annotated[str, Field(max_length=40)] = ""
    probability: Fraction
    guess: Name
    guess_probability: Fraction


class Measured(_Stored):
    """How many of the audit set's answered pictures a model of so many annotations had right."""

    annotations: int
    correct: int
    images: int


class Asked(_Stored):
    """What a person is asked.

    root: the folder of pictures, absolute; classes: that there were at the start, in order. pictures: to label, in the
    order to show them; those that were answered since it was written are among them. audit_size: pictures of the audit
    set, 0: none. state, with `said`, one sentence for the person: `training` and `waiting` while the run is there,
    `finished` when it asks no more. annotations: that the newest model has seen, cycle: its number, None: there is
    none. curve: of all models so far. second_looks: the answers most in doubt first. forecast: a sentence, None
    where too little is known.
    """

    version: Literal[1] = 1
    root: str
    classes: list[Name]
    pictures: list[AskedPicture]
    audit_size: Annotated[int, Field(ge=0)] = 0
    state: Literal["training", "waiting", "finished"]
    said: str
    annotations: Annotated[int, Field(ge=0)] = 0
    cycle: Position | None = None
    curve: list[Measured] = []
    second_looks: list[SecondLook] = []
    forecast: str | None = None


def _checked_address(address: str) -> str:
    """Raises ValueError where it is none."""
    if urlsplit(address).port is None:
        raise ValueError("an address without a port")
    return address


class OpenPage(_Stored):
    """address: of the page, for a browser; process: its id; host: what this machine itself reaches it at, None: what
    the address names."""

    address: Annotated[str, AfterValidator(_checked_address)]
    process: int
    host: str | None = None


def make_run_id(folder: Path) -> str:
    """Which run a folder is of, drawn where it does not say yet."""
    return str(remembered(folder / RUN_ID, lambda: secrets.token_hex(16)))


def read_run_id(folder: Path) -> str | None:
    """Which run a folder is of; None where it does not say, as of a folder that is gone."""
    try:
        return str(read_json(folder / RUN_ID))
    except (ValueError, FileNotFoundError):
        return None


def read_asked(folder: Path) -> Asked | None:
    """What a run asks; None where it has not asked yet. Raises UserError for a file that is none."""
    path = folder / QUERY
    if not path.exists():
        return None
    try:
        return Asked.model_validate(read_json(path))
    except (ValidationError, ValueError) as error:
        raise UserError(f"{path} is corrupted: a run writes it anew when it is started") from error


def asked_positions(folder: Path) -> set[int]:
    """Of the pictures that a run asks for; none where what it asks is corrupted, which it then makes anew."""
    try:
        asked = read_asked(folder)
    except UserError:
        return set()
    return set() if asked is None else {one.position for one in asked.pictures}


def open_page(folder: Path) -> OpenPage | None:
    """The page that is open for a run; None where none is, or none yet."""
    lock = lock_of(folder / PAGE_LOCK)
    try:
        if not (folder / PAGE).exists():
            return None
        lock.acquire(timeout=0)
    except Timeout:
        pass
    else:
        lock.release()
        return None
    page = announced_page(folder)  # maybe that of one that was killed, before the next has said where it is
    return page if page is not None and _listens(page) else None


def announced_page(folder: Path) -> OpenPage | None:
    """What the last page of a run said of itself, whether it is still open or not; None where there is none."""
    try:
        return OpenPage.model_validate(read_json(folder / PAGE))
    except (ValidationError, ValueError, FileNotFoundError):
        return None


def _listens(page: OpenPage) -> bool:
    place = urlsplit(page.address)
    try:
        socket.create_connection((page.host or place.hostname or "", place.port or 0), timeout=1).close()
    except (OSError, ValueError):
        return False
    return True


def write_asked(folder: Path, asked: Asked) -> None:
    """Replaces what a run asks, which from then on is known as that run."""
    make_run_id(folder)
    write_json(folder / QUERY, asked.model_dump())
