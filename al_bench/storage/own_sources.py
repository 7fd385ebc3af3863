"""Whether code of one's own was changed since a run was stored: a run's id has the name and the revision of a part, so
that one whose source says something else is known by the same id.

A sum is kept of the module that a part stands in, not of what that imports. This package's parts have none: a revision
is raised where their results change.
"""

import logging
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from inspect import getsourcefile
from pathlib import Path
from typing import Any

from al_bench.config.identity import targets_of
from al_bench.config.validation import load_target
from al_bench.files import digest, read_json

logger = logging.getLogger(__name__)

_INSTALLED = ("site-packages", "dist-packages")
_OURS = ("al_bench", "hydra", "__main__")


def own_sources(node: Any) -> dict[str, str]:
    """A sum of the source of each part that a configuration node, in plain containers, makes and that is neither this
    package's nor installed, by its path in the code. Raises UserError where there is no such part."""
    found = {}
    for path in sorted(targets_of(node)):
        if not _is_own(path.partition(".")[0]):
            continue
        module = sys.modules.get(getattr(load_target("", path), "__module__", ""))
        if module is not None and getattr(module, "__file__", None) and (file := getsourcefile(module)):
            found[path] = digest(Path(file).read_bytes())
    return found


def _is_own(package: str) -> bool:
    """Found without an import: torch's takes seconds."""
    if package in (*_OURS, *sys.stdlib_module_names):
        return False
    spec = find_spec(package)
    places = [] if spec is None else [spec.origin or "", *(spec.submodule_search_locations or ())]
    return not any({*_INSTALLED} & {*Path(place).parts} for place in places)


def warn_of_changed(folder: Path, sources: Mapping[str, str]) -> None:
    """Says whose source is another than when the run of a folder was begun. sources: those of now, see `own_sources`.
    A run that tells of none, such as one from before they were kept, is held against nothing."""
    try:
        stored = dict(read_json(folder / "config.json").get("sources") or {})
    except (OSError, ValueError, TypeError, AttributeError):
        return
    if changed := [path for path, known in stored.items() if sources.get(path, known) != known]:
        logger.warning(
            f"the source of {' and '.join(changed)} changed since this run: raise its revision, or remove the run"
        )
