"""Label maps: ids are kept, never blended, and lie where their picture's pixels do."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pictures import noise, save
from PIL import Image

from al_bench.active.inputs import fingerprint
from al_bench.errors import UserError
from al_bench.sources import cache
from al_bench.sources.cache import LazyImages, MappedImages, decode_pictures
from al_bench.sources.decoding import Decoder
from al_bench.sources.label_maps import LabelMap, MapDecoder

IGNORED = 255
AS_IT_IS = MapDecoder(None, "none", ((0, 0), (1, 1), (2, 2), (7, 3), (300, 4)), other=IGNORED)
IDS = np.array([[0, 1, 2], [7, 9, 0]], dtype=np.uint8)
CLASSES = [[0, 1, 2], [3, IGNORED, 0]]


def palette(ids: np.ndarray) -> Image.Image:
    """Colors that say nothing of the index: those of 1 and 2 are the same gray."""
    image = Image.frombytes("P", ids.shape[::-1], ids.tobytes())
    image.putpalette([9, 200, 30, 77, 77, 77, 77, 77, 77, *range(100, 130)])
    return image


def test_ids_of_every_kind_of_file_become_classes(tmp_path: Path) -> None:
    wide = IDS.astype(np.uint16)
    wide[0, 2] = 300
    images = {
        "gray.png": Image.fromarray(IDS),
        "palette.png": palette(IDS),
        "wide.png": Image.fromarray(wide),
        "wide.tif": Image.fromarray(wide),
        "gray_in_color.png": Image.fromarray(np.repeat(IDS[:, :, None], 3, axis=2)),
    }
    for name, image in images.items():
        image.save(tmp_path / name)
        expected = [[0, 1, 4], CLASSES[1]] if "wide" in name else CLASSES
        found = AS_IT_IS.decode(tmp_path / name)
        assert (found.dtype, found.tolist()) == (np.uint8, expected), name
    Image.fromarray(IDS > 0).save(tmp_path / "two.png")
    assert AS_IT_IS.decode(tmp_path / "two.png").tolist() == [[0, 1, 1], [1, 1, 0]]


def test_an_id_outside_a_complete_table_is_refused_by_file_and_value(tmp_path: Path) -> None:
    file, complete = save(tmp_path / "street.png", IDS), replace(AS_IT_IS, other=None)
    with pytest.raises(UserError, match=r"street\.png holds the id 9, which is not one of 0, 1, 2, 7, 300: mend"):
        complete.decode(file)
    wide = np.full((60, 60), 7, dtype=np.uint16)
    wide[13, 17] = 40_000
    with pytest.raises(UserError, match="holds the id 40000"):
        replace(complete, size=(3, 3)).decode(save(tmp_path / "wide.png", wide))
    save(tmp_path / "colors.png", noise(0))
    with pytest.raises(UserError, match=r"colors\.png cannot be read as a picture \(its pixels are no ids"):
        AS_IT_IS.decode(tmp_path / "colors.png")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(UserError, match=r"text\.png cannot be read as a picture \(none of the formats BMP"):
        AS_IT_IS.decode(tmp_path / "text.png")


@pytest.mark.parametrize("kind", ["gray", "palette"])
@pytest.mark.parametrize("size", [(20, 30), (24, 50), (90, 61)])
@pytest.mark.parametrize("crop", ["center", "none"])
def test_scaled_maps_hold_ids_that_were_there_where_the_picture_has_them(
    tmp_path: Path, kind: str, size: tuple[int, int], crop: str
) -> None:
    """A picture whose gray is 20 times the id: its nearest id is right wherever the picture is not blended."""
    rng = np.random.default_rng(0)
    ids = np.kron(rng.choice([0, 2, 7, 11], (4, 6)), np.ones((15, 15))).astype(np.uint8)
    decoder = MapDecoder(size, crop, tuple((number, number) for number in (0, 2, 7, 11)))  # type: ignore[arg-type]
    (palette(ids) if kind == "palette" else Image.fromarray(ids)).save(tmp_path / "map.png")
    found = decoder.decode(tmp_path / "map.png")
    assert found.shape == size
    assert set(np.unique(found)) <= {0, 2, 7, 11}
    gray = Decoder(size, crop, "gray").decode(save(tmp_path / "picture.png", 20 * ids))[0]  # type: ignore[arg-type]
    sharp = np.isin(gray, [0, 40, 140, 220])
    assert sharp.mean() > 0.25
    assert (found[sharp] * 20 == gray[sharp]).mean() > 0.99


def maps_in(folder: Path, count: int = 6) -> list[LabelMap]:
    """Maps of 6 x 8 pixels with the ids 0, 1, 2 and 7 beside their pictures."""
    made = []
    for number in range(count):
        ids = np.random.default_rng(number).choice([0, 1, 2, 7], (6, 8)).astype(np.uint8)
        picture = save(folder / "images" / f"{number}.png", noise(number, 6, 8))
        made.append(LabelMap(save(folder / "labels" / f"{number}.png", ids), picture))
    return made


@pytest.mark.parametrize("keep", [True, False])
def test_maps_are_inputs_that_know_what_is_in_them(tmp_path: Path, keep: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    maps = maps_in(tmp_path)
    expected = torch.from_numpy(np.stack([AS_IT_IS.decode(one) for one in maps]))

    def read() -> MappedImages | LazyImages:
        return decode_pictures(maps, ["known"], AS_IT_IS, tmp_path / "decoded", keep)

    found = read()
    assert isinstance(found, MappedImages if keep else LazyImages)
    assert (found.shape, found.dtype, len(found)) == (expected.shape, torch.uint8, 6)
    assert torch.equal(found[torch.tensor([4, 0, 4])], expected[[4, 0, 4]])
    assert fingerprint(found) == fingerprint(expected)
    assert found.values == tuple(torch.bincount(expected.flatten(), minlength=256).tolist())
    moved = found.to(torch.device("cpu"))
    assert torch.equal(moved[torch.arange(6)], expected)
    monkeypatch.setattr(cache, "decode_in_order", None)
    again = read()
    assert (again.fingerprint, again.values) == (found.fingerprint, found.values), "kept, not decoded again"


def test_other_tables_are_other_maps_and_a_map_is_no_picture(tmp_path: Path) -> None:
    maps, folder = maps_in(tmp_path), tmp_path / "decoded"
    first = decode_pictures(maps, ["known"], AS_IT_IS, folder, True)
    other = replace(AS_IT_IS, classes=((0, 1), (1, 0)))
    assert decode_pictures(maps, ["known"], other, folder, True).fingerprint != first.fingerprint
    image = decode_pictures(maps, ["known"], Decoder(None, "none", "gray"), folder, True)
    assert image.shape == (6, 1, 6, 8)
    assert image.values is None
    assert len(list(folder.glob("*.json"))) == 3


def test_a_map_and_a_picture_of_other_sizes_are_refused(tmp_path: Path) -> None:
    maps = maps_in(tmp_path)
    save(maps[3].picture, noise(0, 8, 6))
    sentence = r"labels/3\.png labels 8 x 6 pixels and .*images/3\.png has 6 x 8: a map has one id for each pixel"
    with pytest.raises(UserError, match=sentence) as caught:
        decode_pictures(maps, ["known"], AS_IT_IS, tmp_path / "decoded", False)
    assert "\n" not in str(caught.value)
    maps[3].picture.write_text("no picture")
    with pytest.raises(UserError, match=r"images/3\.png cannot be read as a picture"):
        AS_IT_IS.decode(maps[3])


def test_a_picture_that_is_stored_on_its_side_is_as_large_as_it_is_shown(tmp_path: Path) -> None:
    one = maps_in(tmp_path, 1)[0]
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = save(tmp_path / "images" / "0.jpg", noise(0, 8, 6), exif=exif)
    assert AS_IT_IS.decode(LabelMap(one.path, picture)).shape == (6, 8)
