"""Data sets and GANs for pictures, made from stored configurations."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from al_bench.analysis.own_parts import make_own
from al_bench.analysis.reading import Run
from al_bench.errors import UserError
from al_bench.storage.exported import portable
from al_bench.storage.stored import Plain

Build = Callable[[Plain, str], Any]  # of a node and the family that it has to be of


@dataclass
class Rebuilder:
    """Objects made from stored configurations, one per node. build: makes one, or raises UserError; None: nothing is
    made. data, decoded: where data sets are on this machine and where decoded pictures of them are kept, whatever
    stored runs say. missing: a sentence for each thing that could not be made."""

    build: Build | None
    data: str = "data"
    decoded: str = "outputs/decoded"
    missing: list[str] = field(default_factory=list)
    _built: dict[str, tuple[Any, str]] = field(default_factory=dict)
    _unread: set[str] = field(default_factory=set)
    _labeled: dict[Path, Any] = field(default_factory=dict)

    def dataset(self, run: Run) -> Any:
        """The data set of a run, None where it cannot be made; of one that a person labels as that run knows it."""
        made = self._get(f"the data set {run.label[0]}", run.config["dataset"], "dataset", run)
        if getattr(made, "unlabeled", None) is None or not run.place.is_dir():
            return made
        from al_bench.dataset.unlabeled_folder import as_labeled

        if run.place not in self._labeled:
            self._labeled[run.place] = as_labeled(made, run.place)
        return self._labeled[run.place]

    def pool_images(self, run: Run, positions: Sequence[int]) -> list[np.ndarray | None]:
        """(C, H, W) uint8 of a run's pool; None for one that cannot be had here: its file is gone or cannot be read, or
        another data set has taken the place of the run's."""
        dataset = self.dataset(run)
        if dataset is None or max(positions, default=0) >= len(dataset.train):
            return [None] * len(positions)
        return [self._pool_image(dataset, run, position) for position in positions]

    def _pool_image(self, dataset: Any, run: Run, position: int) -> np.ndarray | None:
        import torch

        try:
            return np.asarray(dataset.train.images[torch.tensor([position])][0].cpu())
        except UserError as error:
            if run.label[0] not in self._unread:  # one sentence, however many are gone
                self._unread.add(run.label[0])
                self.missing.append(f"a picture of the data set {run.label[0]} is not shown: {error}")
            return None

    def gan(self, node: Plain, run: Run) -> Any:
        """The GAN that a node of a run's configuration describes, None where it cannot be made."""
        return self._get("the GAN", node, "gan", run)

    def _get(self, what: str, node: Plain | None, family: str, run: Run) -> Any:
        node = portable({"config": {"paths": run.config.get("paths", {}), "node": node}})["config"]["node"]
        key = json.dumps([family, node], sort_keys=True)
        if key not in self._built:
            self._built[key] = self._make(node, family)
        made, why = self._built[key]
        if why:
            self.missing.append(f"{what} could not be loaded here: {why}")
        return made

    def _make(self, node: Plain | None, family: str) -> tuple[Any, str]:
        """The object, or None and why there is none."""
        if self.build is None or node is None:
            return None, "it was not asked for"
        try:
            return self.build(_here(node, {"<data>": self.data, "<decoded>": self.decoded}), family), ""
        except UserError as error:
            return None, str(error)

    def words(self) -> list[str]:
        """What is missing, each sentence once."""
        return list(dict.fromkeys(self.missing))


def own_rebuilder(data: list[Path], outputs: Path) -> Rebuilder:
    """One that makes our own parts, see `own_parts`. data: folders of data sets, that of `paths.data` first."""
    decoded = str(outputs / "decoded")
    return Rebuilder(partial(make_own, places=[str(place) for place in data], decoded=decoded), str(data[0]), decoded)


def _here(node: Any, places: Mapping[str, str]) -> Any:
    """A node with this machine's places in the stead of their names, see `exported.portable`."""
    if isinstance(node, dict):
        return {key: _here(value, places) for key, value in node.items()}
    if isinstance(node, list):
        return [_here(value, places) for value in node]
    named = next((name for name in places if isinstance(node, str) and node.startswith(name)), None)
    return node if named is None else places[named] + node.removeprefix(named)
