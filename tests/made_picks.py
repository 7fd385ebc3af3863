"""Runs whose queries have guesses, and four pictures with names that they picked from."""

from dataclasses import dataclass
from types import SimpleNamespace

import torch

from al_bench.analysis.grouping import sections
from al_bench.analysis.reading import stored
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.errors import UserError

CLASSES = ("cat", "dog & <b>", "owl")
NAMES = ['a "quoted" one.png', "Füße/<script>alert(1)</script>.png", "x" * 60 + "/end.png", "d.png"]


def asked(indices=(1, 2), **values):
    query = {"indices": list(indices), "labels": [0, -1], "scores": [0.75, None], "ranks": None, "entropies": None}
    query |= {"guesses": [1, 2], "of_guess": [0.625, 0.5], "of_answer": [0.25, None]}
    return {"query": query | values, "class_counts": [5, 5, 5]}


@dataclass
class Split:
    """Four pictures of one gray each, which notes what is read of it. gone: a picture that cannot be read."""

    width: int
    read: list
    gone: int | None

    def __len__(self):
        return 4

    @property
    def images(self):
        return self

    def __getitem__(self, indices):
        if self.gone is not None and self.gone in indices.tolist():
            raise UserError(f"{NAMES[self.gone]} is no longer there")
        self.read += indices.tolist()
        return (indices * 50).to(torch.uint8)[:, None, None, None].expand(-1, 3, 4, self.width)


def pool(names=NAMES, width=4, read=None, gone=None):
    def build(node, family):
        train = Split(width, [] if read is None else read, gone)
        return SimpleNamespace(train=train, class_names=CLASSES, names=names)

    return Rebuilder(build)


def section_of(tmp_path):
    (section,) = sections(stored(tmp_path, tmp_path / "cells").runs)
    return section
