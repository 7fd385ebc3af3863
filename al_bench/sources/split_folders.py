"""Which folders are the splits of a data set, by their names; imports nothing heavy."""

from collections.abc import Mapping, Sequence

SPLIT_NAMES: Mapping[str, Sequence[str]] = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}


def find_splits(folders: Sequence[str]) -> dict[str, list[str]]:
    """The top folders that are splits, in any case of letters: those of each of train, val and test that has some.

    folders: all in or below a root, with `/`. Nothing where all at the top are classes, which may be called so, too:

    - a folder for training that holds none is a class, where classes lie beside it;
    - so is one that is not called `train` and lies beside classes alone, with none for validation or the test;
    - without a folder for training all are classes, but where nothing else is there, or one for validation or the test
      holds folders of the others' names; then there is no `train` in what is returned.
    """
    top = [name for name in folders if "/" not in name]
    found = {split: [name for name in top if name.lower() in words] for split, words in SPLIT_NAMES.items()}
    held_out = [*found["val"], *found["test"]]
    others = {name for name in top if name not in [*found["train"], *held_out]}
    deep = {name.partition("/")[0] for name in folders if "/" in name}
    found["train"] = [name for name in found["train"] if name in deep or not others]
    if found["train"]:
        are_splits = bool(held_out) or not others or "train" in found["train"]
    else:
        again = {name.rpartition("/")[2] for name in folders if name.partition("/")[0] in held_out and "/" in name}
        are_splits = bool(held_out) and (not others or not others.isdisjoint(again))
    return {split: names for split, names in found.items() if names} if are_splits else {}


def is_called_split(name: str) -> bool:
    """Whether a folder has one of the names of splits."""
    return any(name.lower() in words for words in SPLIT_NAMES.values())
