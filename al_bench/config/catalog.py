"""What parts say of themselves, kept between commands in `parts.json` of the outputs folder.

The id of a run is asked of the classes of its parts, and importing these takes seconds, torch most of them. What is
kept holds for exactly these sources of the package and this version of torch; of other packages' parts nothing is kept.
"""

import importlib.metadata
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from al_bench.active.metric import Metric, Recorded
from al_bench.active.part import Counted, counted, declared, hash_of
from al_bench.errors import UserError
from al_bench.files import digest, read_json, write_json

PACKAGE = Path(__file__).parents[1]
_KEPT = (PACKAGE.name, "torch")  # packages whose parts are kept


@dataclass(frozen=True)
class About:
    """What a configuration asks of a part without making it.

    counted: what of it is in an identity; shown: arguments that are read in a run's label where they are switched on;
    scalars: of an evaluator, the metrics that are one number; records: of a strategy or an evaluator,
    see `Strategy.records`, `Evaluator.records`; places, fetched: of a data set, see `Declared`.
    """

    counted: Counted
    shown: tuple[str, ...] = ()
    scalars: tuple[Metric, ...] = ()
    records: tuple[Recorded, ...] = ()
    places: tuple[str, ...] = ()
    fetched: bool = False


def about_path(path: str) -> About:
    """What the class or function at a path in the code says of itself. Raises UserError where none is, or no part."""
    from al_bench.config.validation import load_target

    target = load_target("", path)
    shown = [field.name for field in fields(target) if field.metadata.get("label")] if is_dataclass(target) else []
    scalars, records = getattr(target, "scalars", ()), getattr(target, "records", ())
    try:
        said = declared(target)
        about = About(counted(target), tuple(shown), tuple(scalars), tuple(records), said.places, said.fetched)
    except TypeError as error:
        raise UserError(f"{path}: {error}") from error
    if path.partition(".")[0] != PACKAGE.name:
        _refuse_taken(path, about.counted.part.partition("@")[0])
    return about


def _refuse_taken(path: str, name: str) -> None:
    """Raises UserError where somebody else's part declares a name of one of ours, as a copied file does: its run would
    have our part's id, and what is stored of ours would be shown in its place."""
    if name in own_names():
        raise UserError(f"{path} declares {name}, a name of al_bench's own: declare another, as mine/doubtful")


@cache
def own_names() -> frozenset[str]:
    """Every name that a part of this package declares, as the sources say it: nothing is imported."""
    declared = re.compile(r'^@declare\(\s*"([^"]+)"', re.MULTILINE)
    return frozenset(name for file in PACKAGE.rglob("*.py") for name in declared.findall(file.read_text("utf-8")))


@contextmanager
def looked_up(outputs: str | Path) -> Iterator[Callable[[str], About]]:
    """A function like `about_path` that asks what is kept in a folder first; what it had to import is kept at the end.

    Where torch is imported already classes are asked, which is as quick: they may be older than their files.
    """
    catalog = _catalog(Path(outputs))
    if catalog is None:
        yield about_path
    else:
        yield catalog.about
        catalog.keep()


@cache
def _catalog(outputs: Path) -> "Catalog | None":
    return None if "torch" in sys.modules else Catalog(outputs / "parts.json")


class Catalog:
    """The parts in a file. One that is not whole, or of other sources, counts as empty and is replaced."""

    def __init__(self, path: Path) -> None:
        self.path, self.sources = path, sources_id()
        self._parts = self._read()
        self._new = False

    def about(self, path: str) -> About:
        """What a part says of itself, imported only where it is not kept."""
        if path not in self._parts:
            self._parts[path] = about_path(path)
            self._new |= path.partition(".")[0] in _KEPT
        return self._parts[path]

    def keep(self) -> None:
        """Writes what is new, unless the sources were changed since they were imported."""
        if self._new and self.sources == sources_id():
            kept = {path: about for path, about in self._parts.items() if path.partition(".")[0] in _KEPT}
            parts = _adapter().dump_python(kept, mode="json")
            with suppress(OSError, UserError):  # a folder that is only read from, a full disk
                if self.path.parent.is_dir():
                    write_json(self.path, {"sources": self.sources, "sha256": hash_of(parts), "parts": parts})
        self._new = False

    def _read(self) -> dict[str, About]:
        try:
            stored = read_json(self.path)
            if stored["sources"] != self.sources or stored["sha256"] != hash_of(stored["parts"]):
                return {}
            found: dict[str, About] = _adapter().validate_python(stored["parts"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return {}
        return found


def sources_id() -> str:
    """A sum over what the package's files and the version of torch say."""
    files = [(path.relative_to(PACKAGE).as_posix(), digest(path.read_bytes())) for path in PACKAGE.rglob("*.py")]
    return digest(repr([importlib.metadata.version("torch"), *sorted(files)]).encode())


def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(dict[str, About])
