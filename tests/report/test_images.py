from types import SimpleNamespace

import pytest
import torch
from made_runs import generated, made_run
from safetensors.torch import save_file

from al_bench.analysis.grouping import sections
from al_bench.analysis.reading import stored
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.report.images import section_class_names, side_by_side
from al_bench.storage.model_file import ModelHead


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


def test_names_of_classes_that_cycles_do_not_have_yet_take_none_away(tmp_path):
    made_run(tmp_path, "random", 3)
    more = SimpleNamespace(class_names=("cat", "dog", "owl"))
    assert section_class_names(section_of(tmp_path), Rebuilder(lambda node, family: more)) == ["cat", "dog"]
    fewer = SimpleNamespace(class_names=("cat",))
    numbers = ["class 0", "class 1"]
    assert section_class_names(section_of(tmp_path), Rebuilder(lambda node, family: fewer)) == numbers


@pytest.mark.parametrize(
    ("names", "run", "expected"),
    [
        (["cat", "<b>"], None, ["cat", "<b>"]),
        (["cat", "cat"], None, ["class 0", "class 1"]),
        (["cat", "a\u202eb"], None, ["class 0", "class 1"]),
        (["cat", "x" * 201], None, ["class 0", "class 1"]),
        (["cat", "dog"], "another", ["class 0", "class 1"]),
    ],
)
def test_without_the_data_set_classes_have_the_names_that_a_model_says(tmp_path, names, run, expected):
    folder = made_run(tmp_path, "random", 3)
    head = ModelHead(
        shape=(1,), class_names=names, crop="center", network={}, run=run or folder.name, label="", cycle=1,
        annotations=20, commit="", versions={},
    )  # fmt: skip
    path = folder / "cycles" / "001.model.safetensors"
    save_file({"weight": torch.zeros(1)}, path, head.as_metadata())
    assert section_class_names(section_of(tmp_path), Rebuilder(None)) == expected
    path.write_bytes(b"none")
    assert section_class_names(section_of(tmp_path), Rebuilder(None)) == ["class 0", "class 1"]
