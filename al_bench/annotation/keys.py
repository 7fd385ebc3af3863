"""Which key gives which class."""

from collections.abc import Iterable, Mapping
from string import ascii_lowercase, digits

from al_bench.errors import UserError

TAKEN = {
    "0": "cannot tell",
    " ": "zoom",
    "?": "help",
    "/": "find a class",
}  # by the page itself, beside keys that write nothing
_DIGITS = digits[1:]


def keys_of(names: Iterable[str], chosen: Mapping[str, str | None]) -> dict[str, str | None]:
    """The key of each class, None where there is none left.

    chosen: keys that a person chose; of two classes with one key the first named has it. The others get the digits 1
    to 9 by their place, then the first letters that are free.
    """
    keys: dict[str, str | None] = dict.fromkeys(names)
    used: dict[str, str] = {}
    for name, key in chosen.items():
        if key and name in keys and used.setdefault(key, name) == name:
            keys[name] = key
    for place, name in enumerate(keys):
        if keys[name] is None:
            own = _DIGITS[place : place + 1]
            keys[name] = next((key for key in (own, *ascii_lowercase) if key and key not in used), None)
            used[keys[name] or ""] = name
    return keys


def checked_key(key: str) -> str:
    """A key as it is compared, in small letters. Raises UserError for one that cannot give a class."""
    small = key.lower()
    if small in TAKEN:
        raise UserError(f"the key {key!r} is taken by the page ({TAKEN[small]}): choose another letter or digit")
    if len(small) != 1 or not small.isprintable():
        raise UserError(f"{key!r} is no key: choose one letter or digit")
    return small
