"""CamVid, Cityscapes and BDD100K from small files in their layouts: pairs, ids, and what is refused before training."""

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from composing import compose, part
from hydra.errors import InstantiationException
from pictures import noise, save
from PIL import Image
from published import STREET_COUNTS, STREETS, street_files, street_ids

from al_bench.active.part import hash_of
from al_bench.config.identity import identify
from al_bench.dataset import Dataset, bdd100k, camvid, cityscapes
from al_bench.dataset.map_folder import MapFolder
from al_bench.errors import UserError
from al_bench.sources import cache
from al_bench.sources.archives import unpack
from al_bench.sources.cache import LazyImages, MappedImages
from al_bench.sources.decoding import Decoder
from al_bench.storage.store import RunStore
from al_bench.training.losses import IGNORED
from run import instantiated

SOURCES: dict[str, MapFolder] = {
    "camvid": camvid.SOURCE, "cityscapes": cityscapes.SOURCE, "bdd100k": bdd100k.SOURCE,
}  # fmt: skip
VOID = {"camvid": 11, "cityscapes": 0, "bdd100k": 255}


def overrides(folder: Path, name: str) -> list[str]:
    """What reads the small files below `folder` as they are."""
    places = [f"paths.data={folder}", f"paths.outputs={folder / 'outputs'}", f"dataset={name}"]
    return [*places, "dataset.image_size=[12,16]", "dataset.counts=null"]


def read(folder: Path, name: str, *more: str) -> Dataset:
    return made(*overrides(folder, name), *more)


def made(*lines: str) -> Dataset:
    """Raises what the data set raises, as `run.py` says it."""
    try:
        dataset: Dataset = part("dataset", *lines)
    except InstantiationException as error:
        raise error.__cause__ or error from None
    return dataset


def refused(sentence: str, folder: Path, name: str, *more: str) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        read(folder, name, *more)
    assert "\n" not in str(caught.value)


def place(folder: Path, name: str, kind: int, split: str, number: int) -> Path:
    """Of a picture (0) or a map (1)."""
    pattern = STREETS[name][kind]
    return folder / name / str(pattern).format(split=split, number=number)


@pytest.mark.parametrize("name", STREETS)
@pytest.mark.parametrize("kept", ["auto", "never"])
def test_images_and_maps_are_those_of_the_same_name(tmp_path: Path, name: str, kept: str) -> None:
    street_files(name, tmp_path / name)
    dataset = read(tmp_path, name, f"dataset.cache={kept}")
    kinds = [type(inputs) for inputs in (dataset.train.images, dataset.train.labels, dataset.test.labels)]
    assert kinds == [MappedImages if kept == "auto" else LazyImages] * 3
    held_out = {"train": dataset.train, SOURCES[name].splits["test"]: dataset.test}
    for split, found in held_out.items():
        assert len(found) == STREET_COUNTS[split]
        for number in (0, 7):
            picture = Decoder(None, "none", "rgb").decode(place(tmp_path, name, 0, split, number))
            assert torch.equal(found.images[torch.tensor([number])][0], torch.from_numpy(picture))
            classes = [[SOURCES[name].ids[int(i)] for i in row] for row in street_ids(name, number)]
            assert found.labels[torch.tensor([number])][0].tolist() == classes


def test_ids_of_cityscapes_are_the_published_classes() -> None:
    """Road is 7, person 24, bicycle 33; rectification border, bridge, caravan and license plate do not count."""
    ids = cityscapes.SOURCE.ids
    named = {cityscapes.CLASS_NAMES[label]: number for number, label in ids.items() if label != IGNORED}
    assert (named["road"], named["person"], named["sky"], named["train"], named["bicycle"]) == (7, 24, 23, 31, 33)
    assert len(named) == 19
    assert [ids[number] for number in (0, 3, 15, 29)] == [IGNORED] * 4
    assert sorted(ids) == list(range(34))


def test_nothing_but_maps_is_decoded_to_start_and_they_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    street_files("cityscapes", tmp_path / "cityscapes")
    monkeypatch.setattr(Decoder, "decode", None)
    first = read(tmp_path, "cityscapes")
    monkeypatch.setattr(cache, "decode_in_order", None)
    again = read(tmp_path, "cityscapes")
    for one, other in ((first.train, again.train), (first.test, again.test)):
        assert isinstance(one.images, LazyImages) and isinstance(other.images, LazyImages)
        assert one.images.fingerprint == other.images.fingerprint
        assert one.labels.fingerprint == other.labels.fingerprint  # type: ignore[attr-defined]


def test_kept_or_not_images_are_known_by_the_same_name(tmp_path: Path) -> None:
    """Artifacts made from them are found again."""
    street_files("camvid", tmp_path / "camvid")
    kept, lazy = (read(tmp_path, "camvid", f"dataset.cache={cache}").train.images for cache in ("auto", "never"))
    assert kept.fingerprint == lazy.fingerprint  # type: ignore[attr-defined]
    assert torch.equal(kept[torch.arange(40)], lazy[torch.arange(40)])


def test_a_run_is_known_by_the_files_that_it_reads(tmp_path: Path) -> None:
    street_files("cityscapes", tmp_path / "cityscapes")
    files = [compose(*overrides(tmp_path, "cityscapes")).dataset.files]
    save(tmp_path / "cityscapes" / "gtFine" / "train" / "ulm" / "ulm_000000_gtFine_color.png", noise(0))
    save(tmp_path / "cityscapes" / "leftImg8bit" / "test" / "bonn" / "bonn_000000_leftImg8bit.png", noise(1))
    (tmp_path / "cityscapes" / "gtFine" / "train" / "ulm" / "._ulm_000000_gtFine_labelIds.png").write_text("?")
    assert isinstance(files[0], str)
    refused("holds other pictures or maps than the run was made with", tmp_path, "cityscapes", "dataset.files=abc")
    assert len(read(tmp_path, "cityscapes", f"dataset.files={files[0]}").train) == 40


def test_a_picture_without_a_map_and_a_map_without_a_picture(tmp_path: Path) -> None:
    street_files("bdd100k", tmp_path / "bdd100k")
    place(tmp_path, "bdd100k", 1, "train", 3).unlink()
    refused(
        r"images/10k/train/0003\.jpg has no map labels/sem_seg/masks/train/0003\.png below .*: unpack",
        tmp_path, "bdd100k", "dataset.files=null",
    )  # fmt: skip
    place(tmp_path, "bdd100k", 0, "train", 3).unlink()
    place(tmp_path, "bdd100k", 0, "val", 1).unlink()
    refused(r"masks/val/0001\.png has no picture images/10k/val/0001\.jpg", tmp_path, "bdd100k", "dataset.files=null")


def test_a_folder_that_is_half_there(tmp_path: Path) -> None:
    root = street_files("camvid", tmp_path / "camvid")
    published = [override for override in overrides(tmp_path, "camvid") if "counts" not in override]
    with pytest.raises(
        UserError, match=r"train/images holds 40 pictures and 367 are published: unpack camvid\.tar\.xz"
    ):
        made(*published)
    for counts, said in (("{train: 40}", "train"), ("{train: 40, val: 2, test: 3, validation: 2}", "train and val")):
        sentence = rf"dataset\.counts has {said}.*, and has to have train and validation and test, or be null"
        with pytest.raises(UserError, match=sentence):
            made(*published, "~dataset.counts", f"+dataset.counts={counts}")
    shutil.rmtree(root / "val" / "images")
    refused(r"camvid/val/images is missing: unpack camvid\.tar\.xz there whole", tmp_path, "camvid")
    (root / "val" / "images").mkdir()
    shutil.rmtree(root / "val" / "labels")
    (root / "val" / "labels").mkdir()
    refused(r"val/images holds 0 pictures and some are needed", tmp_path, "camvid")
    refused(r"absent/camvid/train/images is missing: .*set paths\.data", tmp_path / "absent", "camvid")


@pytest.mark.parametrize("name", STREETS)
def test_an_id_that_none_should_have(tmp_path: Path, name: str) -> None:
    street_files(name, tmp_path / name)
    ids = street_ids(name, 5)
    ids[2, 3] = 99
    save(place(tmp_path, name, 1, "train", 5), ids)
    known = r"which is not one of 0, 1, 2"
    refused(rf"{place(tmp_path, name, 1, 'train', 5)} holds the id 99, {known}", tmp_path, name, "dataset.files=null")


def test_a_map_of_another_size_than_its_picture(tmp_path: Path) -> None:
    street_files("camvid", tmp_path / "camvid")
    save(place(tmp_path, "camvid", 1, "test", 2), street_ids("camvid", 2)[:, :8])
    refused(r"test/labels/0002\.png labels 8 x 12 pixels and .*0002\.jpg has 16 x 12", tmp_path, "camvid")


def test_a_class_without_a_pixel(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    street_files("camvid", tmp_path / "camvid")
    for number in range(40):
        ids = street_ids("camvid", number)
        save(place(tmp_path, "camvid", 1, "train", number), np.where(ids == 10, 11, ids).astype(np.uint8))
    refused("no labeled pixel of bicyclist in 40 maps, and every class needs some", tmp_path, "camvid")
    with caplog.at_level(logging.WARNING):
        assert len(read(tmp_path, "camvid", "dataset.max_images=30").train) == 30
    assert "no labeled pixel of bicyclist in 30 maps" in caplog.text


def test_sizes_that_cannot_be(tmp_path: Path) -> None:
    street_files("camvid", tmp_path / "camvid")
    refused(r"dataset\.image_size=\[8, 8, 8\] cannot be: give a side", tmp_path, "camvid", "dataset.image_size=[8,8,8]")
    assert read(tmp_path, "camvid", "dataset.image_size=8").train.labels.shape == (40, 8, 8)
    assert read(tmp_path, "camvid", "dataset.image_size=null").train.labels.shape == (40, 12, 16)


@pytest.mark.parametrize("kept", ["auto", "never"])
def test_a_run_goes_on_where_maps_are_read_by_index(tmp_path: Path, kept: str) -> None:
    """Whichever way they are read: the same selections and metrics, uncut or taken up again."""
    street_files("camvid", tmp_path / "camvid")

    def run(folder: str, cached: str, budget: int) -> list[dict[str, object]]:
        config = compose(
            *overrides(tmp_path, "camvid"), "strategy=entropy", "gan=none", "learner.epochs=1", "device=cpu",
            "loop.initial_size=4", "loop.query_size=2", f"loop.budget={budget}", f"dataset.cache={cached}",
            f"paths.outputs={tmp_path / folder}",
        )  # fmt: skip
        identity = identify(config)
        with RunStore(tmp_path / folder / hash_of(identity), identity, {}) as store:
            instantiated(config.procedure).run(store)
            return [
                {"query": record.query, "metrics": record.metrics, "counts": record.class_counts}
                for record in store.cycle_records
            ]

    uncut = run("uncut", "auto", 8)
    run("cut", kept, 6)
    assert run("cut", kept, 8) == uncut
    assert [len(record["query"].indices) for record in uncut] == [4, 2, 2]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("cityscapes", [297, 445, 593, 741, 889]),  # MAL Sec. 4.2: 889 images at 30 %
        ("bdd100k", [700, 1050, 1400, 1750, 2100]),
        ("camvid", [37, 55, 73, 91, 109]),
    ],
)
def test_labels_are_bought_at_the_points_of_the_tables(name: str, points: list[int]) -> None:
    loop = compose(f"dataset={name}", "++dataset.files=null").loop
    assert list(range(loop.initial_size, loop.budget + 1, loop.query_size)) == points
    small = compose(f"dataset={name}", "scale=small", "++dataset.files=null")
    assert small.learner.epochs == {"camvid": 50}.get(name, 40)


@pytest.mark.real_data
@pytest.mark.slow
def test_camvid_itself(real_data: Path, tmp_path: Path) -> None:
    root, _ = unpack(real_data / "camvid.tar.xz", tmp_path)
    places = ["dataset=camvid", f"paths.data={root.parent}", f"paths.outputs={tmp_path / 'outputs'}"]
    small = ["dataset.max_images=12", "dataset.max_held_out=6", "dataset.image_size=[120,160]"]
    dataset: Dataset = part("dataset", *places, *small)
    assert dataset.validation is not None
    assert [len(split) for split in (dataset.train, dataset.validation, dataset.test)] == [12, 6, 6]
    assert dataset.train.images.shape == (12, 3, 120, 160)
    maps = dataset.train.labels[torch.arange(12)]
    assert set(maps.unique().tolist()) <= {*range(11), IGNORED}
    shares = torch.bincount(maps.flatten(), minlength=256) / maps.numel()
    assert shares[[1, 3]].min() > 0.1, "buildings and road are most of a street"
    files = camvid.SOURCE.list_pairs(root, "train", 367)
    whole: Dataset = part("dataset", *places, "dataset.max_images=2", "dataset.max_held_out=1", "dataset.cache=never")
    assert whole.train.labels.shape == (2, 360, 480)
    original = {np.asarray(Image.open(root / pair.map.name)).tobytes() for pair in files}
    kept = whole.train.labels[torch.arange(2)]
    assert all(bytes(one.masked_fill(one == IGNORED, 11).numpy()) in original for one in kept)
