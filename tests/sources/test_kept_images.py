"""Pictures are decoded when they are asked for first, once, and the others are never opened."""

import numpy as np
import pytest
import torch
from PIL import Image

from al_bench.sources import kept_images
from al_bench.sources.decoding import Decoder
from al_bench.sources.kept_images import KeptImages, find_same, forget

DECODER = Decoder((4, 4), "center", "rgb")


@pytest.fixture
def pictures(tmp_path):
    paths = []
    for number in range(6):
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(np.full((4, 4, 3), 10 * number + 1, dtype=np.uint8)).save(paths[-1])
    return paths


@pytest.fixture
def opened(monkeypatch):
    found = []
    decode = Decoder.decode
    monkeypatch.setattr(Decoder, "decode", lambda self, picture: found.append(picture) or decode(self, picture))
    return found


def test_a_picture_is_decoded_once_however_often_it_is_asked_for(tmp_path, pictures, opened):
    kept = KeptImages(pictures, DECODER, tmp_path / "decoded", "id")
    images = kept[torch.tensor([4, 1, 4])]
    assert images.shape == (3, 3, 4, 4) and images[:, 0, 0, 0].tolist() == [41, 11, 41]
    again = KeptImages([*pictures, pictures[0]], DECODER, tmp_path / "decoded", "id")  # one more
    assert again[torch.tensor([1, 4, 6])][:, 0, 0, 0].tolist() == [11, 41, 1]
    assert sorted(opened) == sorted([pictures[4], pictures[1], pictures[0]])


def test_a_picture_whose_file_is_another_is_decoded_again(tmp_path, pictures, opened):
    forget(tmp_path / "decoded", [1])  # nothing is there yet
    kept = KeptImages(pictures, DECODER, tmp_path / "decoded", "id")
    assert kept[torch.tensor([1, 2])][:, 0, 0, 0].tolist() == [11, 21]
    pictures[1].write_bytes(pictures[4].read_bytes())
    forget(tmp_path / "decoded", [1, 1000])
    again = KeptImages(pictures, DECODER, tmp_path / "decoded", "id")
    assert again[torch.tensor([1, 2])][:, 0, 0, 0].tolist() == [41, 21] and len(opened) == 3


def test_what_cannot_be_read_is_black_and_said_once(tmp_path, pictures, caplog):
    pictures[2].write_bytes(b"none")
    pictures[3] = None
    kept = KeptImages(pictures, DECODER, tmp_path / "decoded", "id")
    for _ in range(2):
        assert kept[torch.tensor([2, 3, 5])][:, 0, 0, 0].tolist() == [0, 0, 51]
    assert kept.broken.tolist() == [2, 3] and len(caplog.records) == 1 and "2.png" in caplog.text


def test_a_kill_between_rows_and_their_index_only_decodes_again(tmp_path, pictures, monkeypatch, opened):
    kept = KeptImages(pictures, DECODER, tmp_path / "decoded", "id")

    def die(descriptor):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(kept_images.os, "fdatasync", die)
        with pytest.raises(KeyboardInterrupt):
            kept[torch.tensor([0])]
    assert kept[torch.tensor([0])][0, 0, 0, 0] == 1 and len(opened) == 2


def test_rows_that_were_removed_are_decoded_again(tmp_path, pictures):
    KeptImages(pictures, DECODER, tmp_path / "decoded", "id")[torch.arange(6)]
    (tmp_path / "decoded").unlink()  # and not what is known of it
    again = KeptImages(pictures, DECODER, tmp_path / "decoded", "id")
    assert again[torch.arange(6)][:, 0, 0, 0].tolist() == [1, 11, 21, 31, 41, 51]


def test_those_that_cannot_be_read_are_found_among_some_alone(tmp_path, pictures, opened):
    for number in (2, 4):
        pictures[number].write_bytes(b"none")
    kept = KeptImages(pictures, DECODER, tmp_path / "decoded", "id")
    assert kept.find_broken([5, 2]) == {2} and kept.find_broken([]) == set()
    assert sorted(opened) == [pictures[2], pictures[5]]


def test_of_pictures_that_are_not_kept_only_what_cannot_be_read_is_known(tmp_path, pictures, opened, caplog):
    KeptImages(pictures, DECODER, tmp_path / "decoded", "id")  # kept before, and none was asked for
    pictures[2].write_bytes(b"none")
    images = KeptImages(pictures, DECODER, tmp_path / "decoded", "id", keep=False)
    for _ in range(2):
        assert images[torch.tensor([4, 2, 1])][:, 0, 0, 0].tolist() == [41, 0, 11]
    assert sorted(opened) == sorted([pictures[2], *2 * [pictures[1], pictures[4]]]) and len(caplog.records) == 1
    assert images.find_broken([0, 2]) == {2} and images.to(torch.device("cpu")).broken.tolist() == [2]
    kept = KeptImages(pictures, DECODER, tmp_path / "decoded", "id")
    assert kept[torch.tensor([1, 4])][:, 0, 0, 0].tolist() == [11, 41], "no row is thought to be there"
    pictures[2].write_bytes(pictures[4].read_bytes())
    forget(tmp_path / "decoded", [2])
    again = KeptImages(pictures, DECODER, tmp_path / "decoded", "id", keep=False)
    assert again[torch.tensor([2])][:, 0, 0, 0].tolist() == [41]


def test_a_row_is_the_same_only_where_a_picture_is_decoded_to_it(tmp_path, pictures):
    path = tmp_path / "decoded"
    assert find_same(path, DECODER, {1: pictures[1]}) == set(), "nothing is there yet"
    kept = KeptImages(pictures, DECODER, path, "id")
    kept[torch.tensor([1, 2, 3])]
    pictures[5].write_bytes(b"none")
    asked = {1: pictures[1], 2: pictures[4], 3: pictures[5], 4: pictures[4], 900: pictures[1]}
    assert find_same(path, DECODER, asked) == {1}


@pytest.mark.parametrize("keep", [True, False])
def test_a_file_that_is_away_for_a_while_is_not_known_as_broken(tmp_path, pictures, keep, caplog):
    aside = pictures[2].rename(tmp_path / "aside")
    kept = KeptImages(pictures, DECODER, tmp_path / "decoded", "id", keep)
    for _ in range(2):
        assert kept.to(torch.device("cpu"))[torch.tensor([2, 3])][:, 0, 0, 0].tolist() == [0, 31]
    assert kept.find_broken([2, 3]) == {2} and kept.broken.tolist() == [2] and len(caplog.records) == 1
    aside.rename(pictures[2])
    again = KeptImages(pictures, DECODER, tmp_path / "decoded", "id", keep)
    assert again.try_again() == [] and again[torch.tensor([2])][0, 0, 0, 0] == 21
    kept.away.clear()
    assert kept.find_broken([2, 3]) == set()


@pytest.mark.parametrize("keep", [True, False])
def test_what_was_broken_is_tried_again_when_that_is_asked_for(tmp_path, pictures, keep, caplog):
    good = pictures[2].read_bytes()
    for number in (2, 4):
        pictures[number].write_bytes(b"none")
    KeptImages(pictures, DECODER, tmp_path / "decoded", "id", keep).find_broken([2, 4])
    pictures[2].write_bytes(good)
    caplog.clear()
    again = KeptImages(pictures, DECODER, tmp_path / "decoded", "id", keep)
    assert again.try_again() == [4] and again.broken.tolist() == [4] and not caplog.records
    assert again[torch.tensor([2, 4])][:, 0, 0, 0].tolist() == [21, 0]
