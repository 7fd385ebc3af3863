import base64
import io
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from made_runs import generated, made_run
from PIL import Image

from al_bench.analysis import pairs
from al_bench.analysis.checking import UnreadableError
from al_bench.analysis.pairs import kept_images, pairs_of, pixels, png, synthesizing, synthetic_images
from al_bench.analysis.reading import stored
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.storage.cell import pack, read_cell
from al_bench.storage.exported import export


def pool_of_four(node, family):
    """Images of 4 x 4 pixels; the first two are what made_runs asks for."""
    images = torch.arange(64, dtype=torch.uint8).reshape(4, 1, 4, 4)
    split = type("Split", (), {"images": images, "labels": torch.tensor([0, 1, 1, 1]), "__len__": lambda self: 4})()
    return SimpleNamespace(train=split, class_names=("cat", "dog"))


def exported(tmp_path, build=pool_of_four, **more):
    made_run(tmp_path / "outputs", "asal_auto", 0, (0.1, 0.2, 0.3), tensors=generated(), **more)
    images_of = partial(kept_images, rebuilder=Rebuilder(build))
    (path,) = export(tmp_path / "outputs", tmp_path / "cells", lambda folder: {"images": images_of(folder)})
    (run,) = stored(tmp_path / "nowhere", tmp_path / "cells").runs
    return path, run


def test_an_exported_run_carries_its_first_and_last_pairs_exactly(tmp_path):
    _, run = exported(tmp_path)
    assert synthesizing(run) == [1, 2]
    found = pairs_of(run, 2, 9, Rebuilder(None))
    assert np.array_equal(found.synthetic, generated()["trace.generated"])
    assert np.array_equal(found.matches, pool_of_four(None, "dataset").train.images[:2])
    assert pairs_of(run, 1, 1, Rebuilder(None)).rows == [0]


def test_without_the_data_set_the_synthetic_images_travel_alone(tmp_path):
    _, run = exported(tmp_path, None)
    assert pairs_of(run, 1, 9, Rebuilder(None)).matches is None


def test_no_more_travels_than_a_repository_takes(tmp_path, monkeypatch):
    monkeypatch.setattr(pairs, "MOST_BYTES", 500)
    path, _ = exported(tmp_path)
    kept = read_cell(path)["images"]
    assert [image["row"] for image in kept] == [0, 0], "of each cycle fewer, not of one none"
    assert sum(len(image["synthetic"]) + len(image["match"]) for image in kept) <= 500


def test_a_run_that_synthesizes_nothing_carries_nothing(tmp_path):
    folder = made_run(tmp_path, "random", 0)
    assert kept_images(folder, Rebuilder(pool_of_four)) == []


def test_garbled_images_are_named(tmp_path):
    path, _ = exported(tmp_path)
    cell = read_cell(path)
    cell["images"][0]["synthetic"] = "bm90aGluZw=="  # "nothing"
    path.write_bytes(pack(cell))
    (run,) = stored(tmp_path / "nowhere", tmp_path / "cells").runs
    with pytest.raises(UnreadableError, match="images of cycle 1 are corrupted"):
        pairs_of(run, 1, 9, Rebuilder(None))


def test_the_images_of_a_line_stand_in_a_row():
    lines = np.arange(2 * 3 * 1 * 2 * 2, dtype=np.uint8).reshape(2, 3, 1, 2, 2)
    found = synthetic_images({"synthetic": np.zeros((2, 3, 7)), "shown": lines})
    assert found.shape == (2, 1, 2, 6)
    assert np.array_equal(found[1, :, :, 2:4], lines[1, 1])
    assert synthetic_images({"synthetic": np.zeros((2, 3, 7))}) is None


def text_of(image, kind="PNG"):
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.mark.parametrize(
    "text",
    ["", "x", "größer", "AAAA", text_of(Image.new("L", (4, 4)))[:40], text_of(Image.new("L", (5000, 5000))),
     text_of(Image.new("I;16", (4, 4))), text_of(Image.new("RGBA", (4, 4))), text_of(Image.new("P", (4, 4))),
     text_of(Image.new("RGB", (4, 4)), "EPS"), text_of(Image.new("RGB", (4, 4)), "BMP")],
    ids=["nothing", "no base64", "no ASCII", "noise", "cut", "bomb", "16 bits", "opacity", "palette", "EPS", "BMP"],
)  # fmt: skip
def test_what_is_no_picture_of_ours_is_not_read(text):
    with pytest.raises(ValueError):  # noqa: PT011  (of base64, or ours)
        pixels(text)


def test_a_picture_is_read_back():
    images = np.arange(48, dtype=np.uint8).reshape(3, 4, 4)
    for image in (images, images[:1]):
        assert np.array_equal(pixels(base64.b64encode(png(image)).decode()), image)
