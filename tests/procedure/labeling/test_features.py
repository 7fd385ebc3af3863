"""Features of a folder that changes while a person labels it."""

import errno
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from made_backbone import made_network, model_of
from pictures import save

from al_bench.active.inputs import read_all
from al_bench.dataset.image_folder import image_folder
from al_bench.network.frozen_backbone import FrozenBackbone
from al_bench.procedure import loop
from al_bench.procedure.labeling.session import Session
from al_bench.representation.backbone import Backbone
from al_bench.sources import decoding
from al_bench.storage.artifacts import Artifacts

SHAPE = (3, 8, 8)


class Folder:
    """Pictures of one size in bytes, whatever they show, and a run that looks at them."""

    def __init__(self, place: Path, computed: list[int]) -> None:
        self.place, self.computed = place, computed
        self.backbone = Backbone(None, str(model_of(place / "model.safetensors", SHAPE)), normalize="none")

    def put(self, *names: str, seed: int = 0, width: int = 8) -> None:
        for number, name in enumerate(names):
            pixels = np.random.default_rng((seed, number)).integers(0, 256, (8, width, 3), dtype=np.uint8)
            save(self.place / "pictures" / name, pixels)

    def features(
        self, run: str = "run", crop: Literal["center", "none"] = "center"
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """As a run has them by now, and as they are of the same images. crop: see `Decoder`."""
        dataset = image_folder(
            self.place / "pictures", 8, crop, "rgb", 0.2, 0, "auto", self.place / "decoded", class_names=["a", "b"]
        )
        assert dataset.unlabeled is not None
        session = Session(self.place / run, dataset.unlabeled, dataset.class_names)
        session.look()
        images = session.dataset(dataset)
        found = self.backbone.apply(images, Artifacts(self.place / "artifacts")).train.images
        with torch.no_grad():
            return read_all(found), made_network(SHAPE).embed(read_all(images.train.images).float() / 255)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    forward, computed = FrozenBackbone.forward, []

    def counted(self: FrozenBackbone, images: torch.Tensor) -> torch.Tensor:
        if len(images) > 1 or images.any():  # one that is black asks for the shape
            computed.append(len(images))
        return forward(self, images)

    monkeypatch.setattr(FrozenBackbone, "forward", counted)
    monkeypatch.setattr("al_bench.sources.listing._MOST_READ", 1)  # as of very many, of which few are looked into
    return Folder(tmp_path, computed)


def test_new_and_changed_pictures_alone_are_computed(folder: Folder) -> None:
    folder.put("a.bmp", "b.bmp", "c.bmp", "d.bmp")
    first, own = folder.features()
    assert torch.allclose(first, own, atol=1e-6) and folder.computed == [4]
    folder.features()
    assert folder.computed == [4]
    folder.put("0.bmp", "e.bmp", seed=1)
    more, own = folder.features()
    assert torch.allclose(more, own, atol=1e-6) and folder.computed == [4, 2]
    assert torch.equal(more[:4], first), "a picture keeps its position"
    folder.put("c.bmp", seed=2)
    changed, own = folder.features()
    assert torch.allclose(changed, own, atol=1e-6) and folder.computed == [4, 2, 1]
    assert not torch.allclose(changed[2], first[2]), "as large as it was, and another picture"
    assert torch.equal(changed[[0, 1, 3, 4, 5]], more[[0, 1, 3, 4, 5]])


def test_a_picture_that_is_gone_and_comes_back_is_what_it_was(folder: Folder) -> None:
    folder.put("a.bmp", "b.bmp", "c.bmp")
    first, _ = folder.features()
    away = folder.place / "b.bmp"
    (folder.place / "pictures" / "b.bmp").rename(away)
    folder.features()
    away.rename(folder.place / "pictures" / "b.bmp")
    again, own = folder.features()
    assert torch.allclose(again, own, atol=1e-6) and torch.allclose(again, first, atol=1e-6)


def test_pictures_that_another_run_reads_otherwise_have_other_features(folder: Folder) -> None:
    folder.put("a.bmp", "b.bmp", width=16)
    cropped, _ = folder.features()
    squeezed, own = folder.features("other", crop="none")
    assert torch.allclose(squeezed, own, atol=1e-6) and folder.computed == [2, 2]
    assert not torch.allclose(squeezed, cropped, atol=1e-3)
    folder.features("third")
    assert folder.computed == [2, 2], "and those that read alike the same"


def test_a_picture_that_was_away_while_features_were_computed_is_left_out_until_the_next_start(
    label, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its file is back before the first answer, and its features are those of a black picture."""
    opened, pools, fit = decoding.open_file, [], loop.fit_model
    away = {f"{color}-{number}.png" for color in ("red", "blue") for number in range(0, 20, 2)}

    def fail(path: Path):
        if Path(path).name in away:
            raise OSError(errno.EIO, "Input/output error", str(path))
        return opened(path)

    def fit_model(parts, pool, *more):
        pools.append(pool)
        return fit(parts, pool, *more)

    def mend(person, times: int) -> None:
        monkeypatch.setattr(decoding, "open_file", opened)

    monkeypatch.setattr(decoding, "open_file", fail)
    monkeypatch.setattr(loop, "fit_model", fit_model)
    weights = model_of(tmp_path / "backbone" / "model.safetensors", SHAPE)
    featured = (
        "representation=backbone", f"representation.weights={weights}", "representation.network=null",
        "representation.normalize=none",
    )  # fmt: skip
    label(*featured, before=mend)
    names = {one.position: Path(one.file).name for one in label.person.held}
    assert len(names) == 20 and not away & set(names.values())
    assert "left out until the next start: 20 pictures whose files were away while features" in caplog.text
    label(*featured)
    names = {one.position: Path(one.file).name for one in label.person.held}
    assert len(names) == 40, "they are asked for then"
    with torch.no_grad():
        black = made_network(SHAPE).embed(torch.zeros(1, *SHAPE))
    assert not torch.isclose(read_all(pools[-1].inputs), black, atol=1e-6).all(1).any()
