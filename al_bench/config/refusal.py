"""What a user is told of an error, where it is of what was asked for and not of ours."""

import re
from collections.abc import Mapping
from inspect import signature
from traceback import walk_tb
from typing import Any

from al_bench.config.groups import is_group, members, name_known, places_of, users_of
from al_bench.config.validation import load_target
from al_bench.errors import UserError, of_files, printable

_MEMORY = re.compile(
    r"can't allocate memory|bad_alloc|out of memory|Storage size calculation overflowed|multiplication overflow"
)
_REMEDIES = {  # which Hydra says in further lines, or not at all
    "Ambiguous value for argument": "begin with -m for a sweep of several values",
    "Could not append": "leave out the +",
}


def sentence_of(error: BaseException) -> str | None:
    """One sentence on a line of its own, None for a defect, which keeps its traceback.

    A user's are what says so itself, failures of the file system, what Hydra cannot compose or make, and more memory
    than there is. What code of this package raised while Hydra called it is a defect, unless it is a `UserError`.
    """
    from hydra.errors import ConfigCompositionException, HydraException, OverrideParseException
    from omegaconf.errors import OmegaConfBaseException
    from yaml import MarkedYAMLError

    chain = _causes(error)
    for one in chain:
        known = of_files(one) if isinstance(one, OSError) else one
        if isinstance(known, UserError):
            return printable(_line(" ".join(map(str, known.args))))  # in its own words, which may be of several lines
        if isinstance(one, MemoryError) or (isinstance(one, RuntimeError) and _MEMORY.search(str(one))):
            return f"there is not enough memory ({_first(one)}): make images, batches or networks smaller"
        if isinstance(one, MarkedYAMLError) and (mark := one.problem_mark):  # which a file of the user's own may be
            return _line(f"{mark.name}, line {mark.line + 1} is no YAML: {one.problem}")
    theirs = isinstance(error, HydraException | OmegaConfBaseException) or _raised_in("hydra", error)
    if not theirs or _called_by(chain[-1]) == "al_bench":
        return None
    if isinstance(error, OverrideParseException):
        hint = "quote a value of other signs than letters and digits, as in 'key=\"it is\"'"
        return _line(f"{error.override} cannot be read: {hint}")
    if isinstance(error, ConfigCompositionException) and (words := _absent(error) or _misspelled(chain)):
        return _line(words)
    told = [one for one in chain if one is error or isinstance(one, HydraException | OmegaConfBaseException)]
    words = "; ".join(dict.fromkeys(map(_first, told)))
    if remedy := next((remedy for begin, remedy in _REMEDIES.items() if words.startswith(begin)), None):
        swept = re.match(r"Ambiguous value for argument '([^=']+)=", words)
        return _line(f"{words}: {remedy}{'' if swept is None or is_group(swept[1]) else ', or write a list in [ ]'}")
    keys = [str(key) for one in told if (key := getattr(one, "full_key", None)) and key != "_dummy_"]
    return _line(words if not keys or keys[0] in words else f"{keys[0]}: {words}")


def _causes(error: BaseException) -> list[BaseException]:
    """An error, and what it was raised for, in turn; each once, for one that is raised anew may lead to itself."""
    found: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and not any(following is one for one in found):
        found.append(following)
        following = following.__cause__ or following.__context__
    return found


def _absent(error: BaseException) -> str | None:
    """What may stand in the place of a choice that no file is there for; None where it is not that."""
    first, *rest = str(getattr(error, "missing_cfg_file", None)).split("/")
    parts = 1 if first == "hydra" else 0  # of the group's name, beside the first
    group, choice = "/".join([first, *rest[:parts]]), "/".join(rest[parts:])
    known = {*(getattr(error, "options", None) or ()), *members(group)}  # of Hydra's none in folders of a group
    return f"{group}={choice} is not known: {name_known(choice, sorted(known))}" if choice and known else None


def _misspelled(chain: list[BaseException]) -> str | None:
    """What may stand in the place of a key, or of a group, that a configuration has not; None where it is not that."""
    for one in chain:
        if getattr(one, "full_key", None) == "_dummy_" and (missing := re.search(r"key '(\w+)' not found", str(one))):
            return f"{missing[1]} is missing: leave out ~{missing[1]}"  # which other entries are looked up by
        parent: Any = getattr(one, "parent_node", None)
        if parent is not None:
            names = [str(key) for key in parent if not str(key).startswith("_") and key != "hydra"]
            key, within = str(one.key), one.full_key.rpartition(".")[0]  # type: ignore[attr-defined]
            if not names and (places := places_of(within)):
                return f"{within} is {' or '.join(places)}: set {places[0]}.{key} in place of {within}.{key}"
            if not isinstance(parent, Mapping):
                return f"{parent._get_full_key(None)} is a list: give it as [{','.join(map(str, parent))}]"
            if _takes(parent.get("_target_"), key):
                return f"{within}.{key} has no value yet: add one by +{within}.{key}=..."
            return f"{within}{'.' if within else ''}{key} is not known: {name_known(key, names)}"
    found = re.match(r"Could not override '([\w/]+)(?:@\S*)?'. No match in the defaults list", str(chain[0]))
    if found is None or not (users := users_of(found[1])):
        return None
    there = " or ".join(f"{found[1]}@{family} with {family}={', '.join(names)}" for family, names in users.items())
    return f"nothing that is chosen has {_first(chain[0]).split(chr(39))[1]}: use {there}"


def _takes(target: Any, name: str) -> bool:
    """Whether what stands at a path in the code has an argument of this name, which no file gives."""
    try:
        return isinstance(target, str) and name in signature(load_target("", target)).parameters
    except (UserError, ValueError, TypeError):  # of what is written in C nobody knows
        return False


def _called_by(error: BaseException) -> str | None:
    """Whose line led to where it was raised, the last of Hydra's and ours."""
    names = [frame.f_globals.get("__name__", "").partition(".")[0] for frame, _ in walk_tb(error.__traceback__)]
    return next((name for name in reversed(names) if name in ("hydra", "omegaconf", "al_bench")), None)


def _raised_in(package: str, error: BaseException) -> bool:
    """Whether a line of a package raised it, and not one that it called."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return place is not None and place.tb_frame.f_globals.get("__name__", "").partition(".")[0] == package


def _first(error: BaseException) -> str:
    """Its first line that says something, without a full stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[0].removesuffix(".")


def _line(words: str) -> str:
    return " ".join(words.split())
