"""What a user is told of an error, where it is of what was asked for and not of ours."""

import re

from al_bench.errors import UserError, of_files, printable

_MEMORY = re.compile(
    r"can't allocate memory|bad_alloc|out of memory|Storage size calculation overflowed|multiplication overflow"
)


def sentence_of(error: BaseException) -> str | None:
    """One sentence on a line of its own, None for a defect, which keeps its traceback.

    A user's are what says so itself, failures of the file system, what Hydra cannot compose or make, and more memory
    than there is. What code of this package raised while Hydra called it is a defect, unless it is a `UserError`.
    """
    from hydra.errors import HydraException, OverrideParseException
    from omegaconf.errors import OmegaConfBaseException

    chain = _causes(error)
    for one in chain:
        known = of_files(one) if isinstance(one, OSError) else one
        if isinstance(known, UserError):
            return printable(_line(" ".join(map(str, known.args))))  # in its own words, which may be of several lines
    if isinstance(error, MemoryError | RuntimeError) and (_MEMORY.search(str(error)) or isinstance(error, MemoryError)):
        return f"there is not enough memory ({_first(error)}): make images, batches or networks smaller"
    theirs = isinstance(error, HydraException | OmegaConfBaseException) or _raised_in("hydra", error)
    if not theirs or _raised_in("al_bench", chain[-1]):
        return None
    if isinstance(error, OverrideParseException):
        hint = "quote a value of other signs than letters and digits, as in 'key=\"it is\"'"
        return _line(f"{error.override} cannot be read: {hint}")
    told = [one for one in chain if one is error or isinstance(one, HydraException | OmegaConfBaseException)]
    words = "; ".join(dict.fromkeys(map(_first, told)))
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
