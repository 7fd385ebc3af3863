"""Which pictures of a folder are in which split and of which class, told by the names of its folders."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from al_bench import seeding
from al_bench.errors import UserError, amount, printable
from al_bench.sources.listing import SUFFIXES, Listing, PictureFile
from al_bench.sources.split_folders import find_splits, is_called_split

logger = logging.getLogger(__name__)

Files = list[PictureFile]
ByClass = dict[str, Files]

_MOST_NAMED = 5


@dataclass(frozen=True)
class ClassFolders:
    """A folder of pictures by class.

    listing: of what lies below `root`. depth: how many folders below a split the name of a class has. classes: those to
    keep, in the order of labels; None: all, sorted.
    """

    root: Path
    listing: Listing
    depth: int
    classes: Sequence[str] | None

    def deeper(self) -> dict[str, list[str]]:
        """The names of the folders in those of each class that has some."""
        above = bool(find_splits(self.listing.folders))
        found: dict[str, set[str]] = {}
        for folder in self.listing.folders:
            parts = folder.split("/")[above:]
            if len(parts) == self.depth + 1:
                found.setdefault("/".join(parts[:-1]), set()).add(parts[-1])
        return {name: sorted(inside) for name, inside in found.items()}

    def splits(self, test_share: float, split_seed: int) -> dict[str, ByClass]:
        """The files of each class of the splits train, test and perhaps val, with names below the root.

        test_share: of each class, drawn by split_seed, where the root has no test pictures. Raises UserError where
        folders do not fit.
        """
        folders = self._split_folders()
        train = self._choose(folders.get("train", ""))
        held_out = {name: self._like(train, folder) for name, folder in folders.items() if name != "train"}
        if not held_out:
            return divide(self.root, train, test_share, split_seed)
        if "test" not in held_out:
            held_out["test"] = held_out.pop("val")
        return {"train": train, **held_out}

    def _split_folders(self) -> dict[str, str]:
        """Raises UserError where two folders would be one split, or none is for training."""
        found = find_splits(self.listing.folders)
        if twice := next((names for names in found.values() if len(names) > 1), None):
            raise UserError(f"{self.root} has the folders {' and '.join(twice)}, which are the same split: keep one")
        folders = {name: names[0] for name, names in found.items()}
        if found and "train" not in found:
            raise UserError(f"{self.root} has no folder train beside {' and '.join(sorted(folders.values()))}")
        beside = [name for name in self.listing.folders if "/" not in name and name not in folders.values()]
        if folders and beside:
            logger.warning(f"left out beside {' and '.join(folders.values())}, for they are no splits: {named(beside)}")
        if not folders and (called := [name for name in beside if is_called_split(name)]):
            logger.info(f"{named(called)} among the classes: without class folders for training beside it is no split")
        return folders

    def _choose(self, place: str) -> ByClass:
        """The files of the classes that are kept. Raises UserError for fewer than two."""
        found, where = self._by_class(place), self.root / place
        wanted = sorted(found) if self.classes is None else list(self.classes)
        unknown = [name for name in wanted if name not in found]
        if unknown:
            raise UserError(f"{where} has no pictures of {', '.join(unknown)}: it has {', '.join(sorted(found))}")
        if len(set(wanted)) < max(2, len(wanted)):
            if self.classes is not None:
                raise UserError(
                    f"dataset.classes=[{','.join(wanted)}] must name at least two classes, each once: {where} has "
                    f"{named(sorted(found))}"
                )
            raise UserError(
                f"{where} gives the classes {', '.join(wanted)}, and at least two different ones are needed: put a "
                "folder of pictures for each class there"
            )
        return {name: found[name] for name in wanted}

    def _by_class(self, place: str) -> ByClass:
        """Raises UserError where there are no class folders, or one of them holds no picture."""
        where, above = self.root / place, f"{place}/" if place else ""
        below = [name.removeprefix(above) for name in self.listing.folders if name.startswith(above)]
        found: ByClass = {name: [] for name in below if name.count("/") == self.depth - 1}
        beside = 0
        for file in self.listing.pictures:
            if file.name.startswith(above):
                parts = file.name.removeprefix(above).split("/")
                name = "/".join(parts[: self.depth]) if len(parts) > self.depth else None
                beside += name is None
                if name is not None:
                    found[name].append(file)
        if not any(found.values()):
            what = (
                f"{amount(beside, 'picture')} and no class folders" if beside else f"no pictures ({' '.join(SUFFIXES)})"
            )
            deeper = "" if self.depth == 1 else f" {self.depth} folders deep, as dataset.class_depth={self.depth} asks"
            person = ", or have them labeled: dataset.class_names=[cat,dog] oracle=human" if beside else ""
            raise UserError(f"{where} holds {what}{deeper}: put a folder of pictures for each class there{person}")
        empty = [name for name, files in found.items() if not files]
        if empty:
            raise UserError(f"{where / empty[0]} holds no picture: remove it, or put pictures of {empty[0]} there")
        if beside:
            logger.warning(f"left out: {amount(beside, 'picture')} in {printable(where)}, beside the class folders")
        return found

    def _like(self, train: ByClass, place: str) -> ByClass:
        """The files of the classes that training has; without a choice there must be no others. Raises UserError."""
        found, where = self._by_class(place), self.root / place
        missing, more = [name for name in train if name not in found], sorted(found.keys() - train.keys())
        if missing:
            raise UserError(
                f"{where} has no picture of {', '.join(missing)}, which training has: every class needs one"
            )
        if more and self.classes is None:
            raise UserError(
                f"{where} has the classes {', '.join(more)}, which training has not: remove them, or add them"
            )
        return {name: found[name] for name in train}


def say_left_out(root: Path, listing: Listing) -> None:
    """One line on what below a folder is neither picture nor folder, if there is any: how many of each kind, and
    names."""
    kinds = [f"{len(names):,} {why} ({named(names, 3)})" for why, names in listing.left_out.items()]
    if kinds:
        count, taken = sum(map(len, listing.left_out.values())), " ".join(SUFFIXES)
        logger.warning(f"{count:,} left out below {printable(root)}: {named(kinds)}; pictures are {taken}")


def divide(root: Path, found: ByClass, test_share: float, split_seed: int) -> dict[str, ByClass]:
    """The same fraction of each class for the test, at least one picture, drawn in each class on its own."""
    splits: dict[str, ByClass] = {"train": {}, "test": {}}
    for name, files in found.items():
        if len(files) < 2:
            raise UserError(
                f"{root} has one picture of {name}, which leaves none for training or for the test: add more"
            )
        num_test = min(max(1, round(test_share * len(files))), len(files) - 1)
        order = torch.randperm(
            len(files), generator=seeding.generator(seeding.seed_for(split_seed, 0, f"test share of {name}"))
        ).tolist()
        splits["test"][name] = [files[position] for position in sorted(order[:num_test])]
        splits["train"][name] = [files[position] for position in sorted(order[num_test:])]
    return splits


def named(names: Sequence[str], most: int = _MOST_NAMED) -> str:
    """The first of some names, and how many follow."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return printable(", ".join(names[:most])) + more
