from types import SimpleNamespace

import torch
from made_runs import generated, made_run

from al_bench.analysis.grouping import sections
from al_bench.analysis.reading import stored
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.report.images import side_by_side


def pool_of_four(node, family):
    """Images of 4 x 4 pixels; the first two are what made_runs asks for."""
    images = torch.arange(64, dtype=torch.uint8).reshape(4, 1, 4, 4)
    split = type("Split", (), {"images": images, "labels": torch.tensor([0, 1, 1, 1]), "__len__": lambda self: 4})()
    return SimpleNamespace(train=split, class_names=("cat", "dog"))


def section_of(tmp_path):
    (section,) = sections(stored(tmp_path, tmp_path / "cells").runs)
    return section


def test_the_same_images_with_the_matches_of_each_feature_space(tmp_path):
    for strategy in ("asal_auto", "asal_disc"):
        made_run(tmp_path, strategy, 3, tensors=generated())
    other = {**generated(), "trace.generated": generated()["trace.generated"] + 1}
    made_run(tmp_path, "asal_pixel", 3, tensors=other)
    made_run(tmp_path, "random", 3)
    found = side_by_side(section_of(tmp_path), Rebuilder(pool_of_four), [])
    assert (found.seed, found.cycle, len(found.synthetic)) == (3, 1, 2)
    assert [group.name for group, _ in found.matches] == ["asal_auto", "asal_disc"], "alone of the same images"
    assert found.matches[0][1][1].words[:2] == ["label dog", "image 1"]
    assert side_by_side(section_of(tmp_path), Rebuilder(None), []) is None, "no matches to show"
