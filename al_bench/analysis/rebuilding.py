"""Data sets and GANs for pictures, made from stored configurations."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from al_bench.errors import UserError
from al_bench.storage.record import Plain

Build = Callable[[Plain], Any]


@dataclass
class Rebuilder:
    """Objects made from stored configurations, one per node. build: makes one, or raises UserError; None: nothing is
    made. data, decoded: where data sets are on this machine and where decoded pictures of them are kept, for exported
    cells, which do not say. missing: why something is not
    there, by what it is."""

    build: Build | None
    data: str = "data"
    decoded: str = "outputs/decoded"
    missing: dict[str, str] = field(default_factory=dict)
    _built: dict[str, Any] = field(default_factory=dict)

    def get(self, what: str, node: Plain | None) -> Any:
        """The object that a node describes, None where it cannot be made."""
        key = json.dumps(node, sort_keys=True)
        if key not in self._built:
            self._built[key] = self._make(what, node)
        return self._built[key]

    def _make(self, what: str, node: Plain | None) -> Any:
        if self.build is None or node is None:
            self.missing[what] = "it was not asked for"
            return None
        try:
            return self.build(_here(node, {"<data>": self.data, "<decoded>": self.decoded}))
        except UserError as error:
            self.missing[what] = str(error)
            return None

    def words(self) -> list[str]:
        """A sentence for each thing that could not be made."""
        return [f"{what} could not be loaded here: {why}" for what, why in self.missing.items()]


def _here(node: Any, places: Mapping[str, str]) -> Any:
    """A node with this machine's places in the stead of their names, see `exported.portable`."""
    if isinstance(node, dict):
        return {key: _here(value, places) for key, value in node.items()}
    if isinstance(node, list):
        return [_here(value, places) for value in node]
    named = next((name for name in places if isinstance(node, str) and node.startswith(name)), None)
    return node if named is None else places[named] + node.removeprefix(named)
