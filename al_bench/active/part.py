"""What a run's results depend on: its parts, by the names and revisions that they declare, and their arguments.

A part is what a configuration node makes: a class, or a function. Its place in the code is no part of what it is, so a
part can be moved and renamed, and takes new arguments with defaults, without a stored result becoming another's. When a
change of code changes a part's results, its `revision` is raised, and when a default is changed, too: everything that
was stored by means of the part before then counts as another's, results and trained artifacts alike.
"""

import dataclasses
import functools
import hashlib
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, TypeVar

from al_bench.files import open_file

T = TypeVar("T", bound=Callable[..., Any])

_LIBRARIES = ("torch", "torchvision", "torchmetrics", "pytorch_lightning", "timm", "sklearn", "scipy", "numpy")
"""Packages whose modules move from version to version, while their names stay."""


@dataclasses.dataclass(frozen=True)
class Declared:
    """What a part declares of itself.

    name: of its family and its own, "strategy/waal"; unique. revision: raised when its results change; None of what is
    another package's, whose defaults we cannot answer for. beside: names of arguments that its results do not depend
    on: where files are, how something is computed. files: names of arguments that are files and count by their content,
    or, as a plain word such as IMAGENET1K_V1, by the name that their content is published under. places: of a data set
    whose root is shared with others, folders or archives in it, one of which it is read from. fetched: of a data set,
    whether a run fetches what is not there.
    """

    name: str
    revision: int | None = 1
    beside: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    places: tuple[str, ...] = ()
    fetched: bool = False

    def __str__(self) -> str:
        return self.name if self.revision is None else f"{self.name}@{self.revision}"


def declare(
    name: str,
    *,
    revision: int = 1,
    beside: Sequence[str] = (),
    files: Sequence[str] = (),
    places: Sequence[str] = (),
    fetched: bool = False,
) -> Callable[[T], T]:
    """Declares a class or a function as a part, see `Declared`. A subclass is a part of its own."""

    def mark(target: T) -> T:
        declared = Declared(name, revision, frozenset(beside), frozenset(files), tuple(places), fetched)
        target.__part__ = declared  # type: ignore[attr-defined]
        return target

    return mark


def declared(target: Callable[..., Any]) -> Declared:
    """What a part declares; of what declares nothing, its module and name, or, of a library, its package and name.

    Raises TypeError for something of this package that declares nothing, and for what is written in C.
    """
    if not hasattr(target, "__dict__") or not hasattr(target, "__qualname__"):
        raise TypeError("it is no class or function of Python: write one that calls it")
    own = vars(target).get("__part__")
    if isinstance(own, Declared):
        return own
    package, _, _ = target.__module__.partition(".")
    if package == __name__.partition(".")[0]:
        raise TypeError(f"{target.__module__}.{target.__qualname__} is no part: it declares no name, see active.part")
    place = package if package in _LIBRARIES or package in sys.stdlib_module_names else target.__module__
    return Declared(f"{place}.{target.__qualname__}", revision=None)


@dataclasses.dataclass(frozen=True)
class Counted:
    """What of a part is in an identity, as plain values: read off its class, or stored (`config.catalog`).

    part: its name and revision. beside, files: names of arguments, see `Declared`, those of its fields included.
    defaults: of every argument that has one and that counts, described; none of another package's.
    """

    part: str
    beside: frozenset[str]
    files: frozenset[str]
    defaults: Mapping[str, Any]

    def counts(self, argument: str) -> bool:
        """Whether the part's results depend on an argument."""
        return argument not in self.beside

    def describe_call(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """What the part is when made with these arguments: its name and revision, and what differs from its defaults.

        arguments: those that count, described.
        """
        defaults = self.defaults
        kept = {name: value for name, value in arguments.items() if name not in defaults or defaults[name] != value}
        kept.update({name: _content(kept[name]) for name in self.files & kept.keys()})
        return {"part": self.part, **kept}


def counted(target: Callable[..., Any]) -> Counted:
    """What of a class or a function is in an identity. Raises TypeError as `declared` does."""
    about = declared(target)
    beside = about.beside | _beside(target)
    return Counted(str(about), beside, about.files, {} if about.revision is None else _defaults(target, beside))


def describe(value: Any) -> Any:
    """Plain values that say all that an object was configured with: what an artifact's name is made from.

    Takes parts that are dataclasses, functools.partial, functions, classes, numbers, strings, None, sequences and
    mappings. Raises TypeError for anything else, so nothing is left out in silence.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        about = counted(type(value))
        names = [field.name for field in dataclasses.fields(value) if about.counts(field.name)]
        return about.describe_call({name: describe(getattr(value, name)) for name in names})
    if isinstance(value, functools.partial):
        assert not value.args, "configuration nodes give arguments by name"
        about = counted(value.func)
        given = {name: describe(item) for name, item in value.keywords.items() if about.counts(name)}
        return about.describe_call(given)
    if isinstance(value, Mapping):
        return {str(key): describe(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [describe(item) for item in value]
    if callable(value) and hasattr(value, "__qualname__"):
        return counted(value).describe_call({})
    return plain_value(value)


def plain_value(value: Any) -> Any:
    """A number, text, None or boolean as it counts: a whole number is an int however it was written, and infinity is
    "all". Raises TypeError for anything else."""
    if isinstance(value, float):
        return "all" if math.isinf(value) else int(value) if value.is_integer() else value
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"cannot describe {value!r}")


def hash_of(description: Mapping[str, Any]) -> str:
    """Twelve hexadecimal digits that stand for a description: the id of a run or of an artifact."""
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()[:12]


@functools.cache
def _beside(target: Callable[..., Any]) -> frozenset[str]:
    """The fields that say of themselves that results do not depend on them."""
    fields = dataclasses.fields(target) if dataclasses.is_dataclass(target) else ()
    return frozenset(field.name for field in fields if not field.metadata.get("identity", True))


@functools.cache
def _defaults(target: Callable[..., Any], beside: frozenset[str]) -> dict[str, Any]:
    """The default of every argument that has one and that counts, described."""
    parameters = signature(target).parameters.values()
    given = [one for one in parameters if one.default is not Parameter.empty and one.name not in beside]
    return {one.name: describe(one.default) for one in given}


def _content(path: Any) -> Any:
    """Sixteen hexadecimal digits of what a file says; a plain word that is no file; or "unreadable", which the part
    itself will say."""
    if not isinstance(path, str | Path):
        return path  # None, or what the part itself will refuse
    try:
        with open_file(Path(path).expanduser()) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError:
        return path if str(path).isidentifier() else "unreadable"
